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
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Takes arrays that others own, by name.
 *
 * <p>An array is float32, or for averages BF16 or F16 too, has 1 to 536,870,911 elements and begins at a multiple of its
 * element's size; a GPU is fastest where it begins at a multiple of 16 bytes. No two may overlap. A float[], a buffer and a pointer
 * object are kept reachable, and a pointer object that was closed or deallocated is refused at the next call. Memory behind a bare
 * address, or lent by a framework as a buffer over its own (DJL's {@code toByteBuffer(true)}), has to outlive the built object, which
 * cannot see whether it does: close it before the tensors.
 */
@Api
public abstract sealed class ArraysBuilder<B> permits AveragerBuilder, FusedStepBuilder {
    /** Elements whose average fits in one buffer and in one tensor of a file. */
    private static final long MOST = Integer.MAX_VALUE / 4;

    /** The end of a process's addresses on x86-64, with five levels of pages. */
    private static final long USER_SPACE = 1L << 56;

    private static final Set<Dtype> TYPES = Set.of(Dtype.F32, Dtype.BF16, Dtype.F16);

    final boolean host;
    final long stream;
    final List<ForeignArrays.Array> arrays = new ArrayList<>();

    ArraysBuilder(boolean host, long stream) {
        this.host = host;
        this.stream = stream;
    }

    abstract B self();

    /** Refuses an array that does not fit those that were added before. */
    abstract void require(String name, Dtype type);

    final DeviceProvider provider() {
        String name = host ? "cpu" : "cuda";
        return Devices.providers().stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the class path lacks the " + name + " device"));
    }

    /** All of a Java array. */
    public B add(String name, float[] values) {
        if (values == null) throw bad(name, "is null");
        if (!host) throw bad(name, "is a Java array, but an averager on a GPU takes device addresses");
        return add(name, 0, values.length, Dtype.F32, values);
    }

    /** A direct buffer in native order, from its position to its limit. */
    public B add(String name, FloatBuffer values) {
        return buffer(name, values, values == null ? null : values.order(), Dtype.F32.bytes(), Dtype.F32);
    }

    /** A direct buffer's bytes from its position to its limit, in native order, such as DJL's {@code array.toByteBuffer(true)}. */
    public B add(String name, ByteBuffer values, Dtype type) {
        return buffer(name, values, values == null ? null : values.order(), 1, type);
    }

    private B buffer(String name, Buffer values, @Nullable ByteOrder order, long unit, Dtype type) {
        if (values == null) throw bad(name, "is null");
        if (!host) throw bad(name, "is a buffer of the host, but an averager on a GPU takes device addresses");
        if (!values.isDirect()) throw bad(name, "is a buffer on the heap: pass its float[], or a direct buffer");
        if (values.isReadOnly()) throw bad(name, "is read-only, but pull and swap write it");
        if (order != ByteOrder.nativeOrder()) {
            throw bad(
                    name,
                    "is not in native byte order: call order(ByteOrder.nativeOrder()), also on a duplicate or slice");
        }
        Cache.showToLoaders();
        long bytes = unit * values.remaining();
        if (bytes % type.bytes() != 0) throw bad(name, "has " + bytes + " bytes, not a multiple of " + type.bytes());
        long begin = com.sun.jna.Pointer.nativeValue(Native.getDirectBufferPointer(values));
        return add(name, begin + unit * values.position(), bytes / type.bytes(), type, values);
    }

    /** {@code count} elements from a JavaCPP pointer's position on, such as libtorch's {@code tensor.data_ptr()}. */
    public B add(String name, org.bytedeco.javacpp.Pointer values, long count, Dtype type) {
        if (values == null || values.isNull()) throw bad(name, "is null");
        long there = (values.limit() - values.position()) * values.sizeof();
        if (values.limit() > 0) requireRoom(name, there, count, type);
        return add(name, values.address() + values.position() * values.sizeof(), count, type, values);
    }

    /** {@code count} elements from a JNA pointer on. */
    public B add(String name, com.sun.jna.Pointer values, long count, Dtype type) {
        if (values == null) throw bad(name, "is null");
        if (values instanceof Memory memory) requireRoom(name, memory.size(), count, type);
        return add(name, com.sun.jna.Pointer.nativeValue(values), count, type, values);
    }

    /** {@code count} elements from an address on: of the host's memory, or of the GPU's where the averager is on one. */
    public B add(String name, long address, long count, Dtype type) {
        if (address == 0) throw bad(name, "is null");
        if (host && (address < 0 || address >= USER_SPACE)) {
            throw bad(name, "begins at 0x" + Long.toHexString(address) + ", which is not an address of a process");
        }
        return add(name, address, count, type, null);
    }

    private B add(String name, long address, long count, Dtype type, @Nullable Object owner) {
        if (name == null || name.isBlank()) throw new IllegalArgumentException("`name` of an array must not be blank");
        if (type == null) throw bad(name, "needs a type: F32, BF16 or F16");
        if (!TYPES.contains(type)) throw bad(name, "is " + type + "; averaged are F32, BF16 and F16");
        if (count < 1 || count > MOST) {
            throw bad(name, "has " + count + " elements, but an array has 1 to " + MOST + ": add it in parts");
        }
        if (address % type.bytes() != 0) {
            throw bad(name, "begins at 0x" + Long.toHexString(address) + ", not a multiple of " + type.bytes());
        }
        require(name, type);
        var array = new ForeignArrays.Array(name, type, (int) count, address, owner);
        for (ForeignArrays.Array other : arrays) {
            if (overlap(array, other)) throw bad(name, "and `" + other.name() + "` overlap");
        }
        arrays.add(array);
        return self();
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

    /** A call on memory that its owner gave back would end the process. */
    static void requireThere(List<ForeignArrays.Array> arrays) {
        for (int i = 0; i < arrays.size(); i++) { // An iterator would be an allocation a step.
            ForeignArrays.Array array = arrays.get(i);
            Object owner = array.owner();
            boolean gone = owner instanceof org.bytedeco.javacpp.Pointer pointer && pointer.isNull()
                    || owner instanceof Memory memory && !memory.valid();
            if (gone) throw new IllegalStateException("`" + array.name() + "` was closed or deallocated by its owner");
        }
    }

    static IllegalArgumentException bad(String name, String what) {
        return new IllegalArgumentException("`" + name + "` " + what);
    }
}
