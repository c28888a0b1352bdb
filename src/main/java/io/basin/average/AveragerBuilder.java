package io.basin.average;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Cache;
import io.basin.device.DeviceProvider;
import io.basin.device.Devices;
import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import io.basin.methods.Averaging;
import io.basin.text.Require;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The arrays that an {@link Averager} is to average, by name, and then the rule.
 *
 * <p>An array is float32, or BF16 or F16 with a float32 average, has 1 to 536,870,911 elements and begins at a multiple of its
 * element's size; a GPU is fastest where it begins at a multiple of 16 bytes. No two may overlap. A float[], a buffer and a pointer
 * object are kept reachable; memory behind a bare address has to outlive the averager, which cannot see whether it does.
 */
@Api
public final class AveragerBuilder {
    /** Elements whose average fits in one buffer and in one tensor of a file. */
    private static final long MOST = Integer.MAX_VALUE / 4;

    private static final Set<Dtype> TYPES = Set.of(Dtype.F32, Dtype.BF16, Dtype.F16);

    private final boolean host;
    private final long stream;
    private final List<ForeignArrays.Array> arrays = new ArrayList<>();

    AveragerBuilder(boolean host, long stream) {
        this.host = host;
        this.stream = stream;
    }

    /** All of a Java array. */
    public AveragerBuilder add(String name, float[] values) {
        if (values == null) throw bad(name, "is null");
        if (!host) throw bad(name, "is a Java array, but an averager on a GPU takes device addresses");
        return add(name, 0, values.length, Dtype.F32, values);
    }

    /** A direct buffer in native order, from its position to its limit. */
    public AveragerBuilder add(String name, FloatBuffer values) {
        return buffer(name, values, values == null ? null : values.order(), Dtype.F32.bytes(), Dtype.F32);
    }

    /** A direct buffer's bytes from its position to its limit, in native order, such as DJL's {@code array.toByteBuffer(true)}. */
    public AveragerBuilder add(String name, ByteBuffer values, Dtype type) {
        return buffer(name, values, ByteOrder.nativeOrder(), 1, type);
    }

    private AveragerBuilder buffer(String name, Buffer values, @Nullable ByteOrder order, long unit, Dtype type) {
        if (values == null) throw bad(name, "is null");
        if (!host) throw bad(name, "is a buffer of the host, but an averager on a GPU takes device addresses");
        if (!values.isDirect()) throw bad(name, "is a buffer on the heap: pass its float[], or a direct buffer");
        if (values.isReadOnly()) throw bad(name, "is read-only, but pull and swap write it");
        if (order != ByteOrder.nativeOrder()) throw bad(name, "is not in native byte order");
        Cache.showToLoaders();
        long bytes = unit * values.remaining();
        if (bytes % type.bytes() != 0) throw bad(name, "has " + bytes + " bytes, not a multiple of " + type.bytes());
        long begin = com.sun.jna.Pointer.nativeValue(Native.getDirectBufferPointer(values));
        return add(name, begin + unit * values.position(), bytes / type.bytes(), type, values);
    }

    /** {@code count} elements from a JavaCPP pointer's position on, such as libtorch's {@code tensor.data_ptr()}. */
    public AveragerBuilder add(String name, org.bytedeco.javacpp.Pointer values, long count, Dtype type) {
        if (values == null || values.isNull()) throw bad(name, "is null");
        long there = (values.limit() - values.position()) * values.sizeof();
        if (values.limit() > 0) requireRoom(name, there, count, type);
        return add(name, values.address() + values.position() * values.sizeof(), count, type, values);
    }

    /** {@code count} elements from a JNA pointer on. */
    public AveragerBuilder add(String name, com.sun.jna.Pointer values, long count, Dtype type) {
        if (values == null) throw bad(name, "is null");
        if (values instanceof Memory memory) requireRoom(name, memory.size(), count, type);
        return add(name, com.sun.jna.Pointer.nativeValue(values), count, type, values);
    }

    /** {@code count} elements from an address on: of the host's memory, or of the GPU's where the averager is on one. */
    public AveragerBuilder add(String name, long address, long count, Dtype type) {
        if (address == 0) throw bad(name, "is null");
        return add(name, address, count, type, null);
    }

    private AveragerBuilder add(String name, long address, long count, Dtype type, @Nullable Object owner) {
        if (name == null || name.isBlank()) throw new IllegalArgumentException("`name` of an array must not be blank");
        if (!TYPES.contains(type)) throw bad(name, "is " + type + "; averaged are F32, BF16 and F16");
        if (count < 1 || count > MOST) {
            throw bad(name, "has " + count + " elements, but an array has 1 to " + MOST + ": add it in parts");
        }
        if (address % type.bytes() != 0) {
            throw bad(name, "begins at 0x" + Long.toHexString(address) + ", not a multiple of " + type.bytes());
        }
        var array = new ForeignArrays.Array(name, type, (int) count, address, owner);
        for (ForeignArrays.Array other : arrays) {
            if (other.name().equals(name)) throw bad(name, "is added twice");
            if (overlap(array, other)) throw bad(name, "and `" + other.name() + "` overlap");
        }
        arrays.add(array);
        return this;
    }

    private static boolean overlap(ForeignArrays.Array a, ForeignArrays.Array b) {
        if (a.address() == 0 || b.address() == 0) return a.owner() == b.owner();
        return a.address() < b.address() + (long) b.count() * b.type().bytes()
                && b.address() < a.address() + (long) a.count() * a.type().bytes();
    }

    private static void requireRoom(String name, long there, long count, Dtype type) {
        if (there < count * type.bytes()) {
            throw bad(name, "has " + there + " bytes, too few for " + count + " elements of " + type);
        }
    }

    private static IllegalArgumentException bad(String name, String what) {
        return new IllegalArgumentException("`" + name + "` " + what);
    }

    /** Equal weights (SWA, Izmailov et al. 2018): each {@link Averager#step} takes in the weights as they are, by 1/(n+1). */
    public Averager swa() {
        return build(new Averager.Rule("swa", (step, n) -> 1.0 / (n + 1), 0, false));
    }

    /** Tail averaging: SWA over all steps but the first {@code start}. */
    public Averager tail(long start) {
        if (start < 0) throw new IllegalArgumentException("`start` must not be negative, got " + start);
        return build(new Averager.Rule("tail from " + start, (step, n) -> step < start ? 0 : 1.0 / (n + 1), 0, false));
    }

    /**
     * Exponential moving average: the first step copies, step k (from 0) takes {@code 1 - d}; with {@code warmUp}
     * {@code 1 - min(d, (1 + k) / (10 + k))}.
     *
     * @param decay d, in [0, 1)
     */
    public Averager ema(double decay, boolean warmUp) {
        Require.belowOne("decay", decay);
        return build(new Averager.Rule(
                "ema " + decay + (warmUp ? " with warm-up" : ""),
                (step, k) -> k == 0 ? 1 : 1 - (warmUp ? Math.min(decay, (1.0 + k) / (10.0 + k)) : decay),
                0,
                false));
    }

    /** LAWA (Kaddour 2022): the equal mean of the last {@code k} steps' weights, all of which are kept. */
    public Averager lawa(int k) {
        Require.atLeast("k", k, 1);
        return build(new Averager.Rule("lawa " + k, null, k, false));
    }

    /**
     * SWAG (Maddox et al. 2019): SWA with the variance of what is collected and the {@code rank} newest deviations, each from the
     * average up to and including it.
     */
    public Averager swag(int rank) {
        Require.atLeast("rank", rank, 0);
        return build(new Averager.Rule("swag " + rank, (step, n) -> 1.0 / (n + 1), rank, true));
    }

    /** Each {@link Averager#step} takes in by the table's next alpha; past its end nothing changes. */
    public Averager along(Averaging table) {
        String name =
                "table " + Integer.toHexString(Arrays.hashCode(table.alpha())) + " of " + table.steps() + " steps";
        return build(
                new Averager.Rule(name, (step, n) -> step < table.steps() ? table.alpha((int) step) : 0, 0, false));
    }

    private Averager build(Averager.Rule rule) {
        if (arrays.isEmpty()) throw new IllegalArgumentException("no array was added: there is nothing to average");
        int kept = rule.firstSlot() + rule.window();
        int spare = arrays.stream().allMatch(a -> a.type() == Dtype.F32) ? 0 : kept;
        int arenas = spare == 0 ? kept : kept + 1;
        List<ForeignArrays.Array> all = List.copyOf(arrays);
        return new Averager(all, rule, provider(host).foreignArrays(stream, all, arenas), spare);
    }

    static DeviceProvider provider(boolean host) {
        String name = host ? "cpu" : "cuda";
        return Devices.providers().stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the class path lacks the " + name + " device"));
    }
}
