package io.basin.device;

import java.nio.FloatBuffer;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A model's memory: declared while its first plan is made, allocated once, shared by every later plan.
 *
 * <p>Parameters lie in the order {@code [decayed | undecayed]}, so that the fused update needs one split index
 * instead of a launch per group. The plan that comes first chooses the layouts; train before you evaluate.
 *
 * <p>Any thread may read and close it, while another trains or evaluates it too; what changes its content takes turns on the
 * device. After {@link #close} every use says so.
 */
public final class Storage implements AutoCloseable {
    /** A batch-norm statistic: kept like a parameter, never stepped. */
    public record State(String name, Shape shape, float initial, Slot slot) {}

    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, State> states = new LinkedHashMap<>();
    private final Map<Arena, Memory> arenas = Collections.synchronizedMap(new EnumMap<>(Arena.class));
    private final boolean decayEverything;
    private volatile boolean closed;
    private long paramBytes;
    private long stateBytes;
    private long splitBytes;

    /** @param decayEverything false: weight decay spares biases and batch norm's scale and shift */
    public Storage(boolean decayEverything) {
        this.decayEverything = decayEverything;
    }

    /** The parameter of that name, declared now if it is new. */
    Parameter parameter(String name, Shape shape, Layout layout, Initializer init, boolean vector) {
        Parameter known = parameters.get(name);
        if (known != null) {
            if (!known.shape().equals(shape)) {
                throw new IllegalArgumentException(
                        name + ": declared as " + known.shape() + " before and as " + shape + " now");
            }
            return known;
        }
        requireUnallocated(name);
        Slot slot = new Slot(Arena.PARAMS, layout.bytes());
        Parameter made = new Parameter(name, shape, layout, decayEverything || !vector, init, slot);
        parameters.put(name, made);
        return made;
    }

    State state(String name, int channels, float initial) {
        State known = states.get(name);
        if (known != null) return known;
        requireUnallocated(name);
        State made = new State(name, Shape.of(channels), initial, new Slot(Arena.STATE, 4L * channels));
        states.put(name, made);
        return made;
    }

    private void requireOpen() {
        if (closed) throw new IllegalStateException("the storage is closed");
    }

    private void requireUnallocated(String name) {
        requireOpen();
        if (allocated())
            throw new IllegalArgumentException(name + ": the model's storage is already allocated without it");
    }

    public boolean allocated() {
        return !arenas.isEmpty();
    }

    /** Lays out the arenas; {@code training} adds gradients, momentum and the average. Returns their sizes in bytes. */
    Map<Arena, Long> layOut(boolean training) {
        splitBytes = placeParameters(true, 0);
        paramBytes = placeParameters(false, splitBytes);
        stateBytes = 0;
        for (State s : states.values()) {
            s.slot().place(stateBytes);
            stateBytes += s.slot().padded();
        }
        Map<Arena, Long> sizes = new EnumMap<>(Arena.class);
        sizes.put(Arena.PARAMS, paramBytes);
        sizes.put(Arena.STATE, Math.max(stateBytes, Slot.ALIGNMENT));
        if (!training) return sizes;
        for (Arena a : new Arena[] {Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE}) sizes.put(a, paramBytes);
        sizes.put(Arena.STATE_AVERAGE, sizes.get(Arena.STATE));
        return sizes;
    }

    /** Lays out and allocates. */
    public void allocate(Device device, boolean training) {
        requireOpen();
        if (allocated()) throw new IllegalStateException("allocated twice");
        try {
            layOut(training).forEach((arena, bytes) -> arenas.put(arena, device.allocate(bytes)));
        } catch (RuntimeException e) {
            release();
            throw e;
        }
    }

    private long placeParameters(boolean decayed, long from) {
        long at = from;
        for (Parameter p : parameters.values()) {
            if (p.decayed() != decayed) continue;
            p.slot().place(at);
            at += p.slot().padded();
        }
        return at;
    }

    /** Gives every parameter its first value and every statistic its neutral one. */
    public void initialise(Device device, long seed) {
        long index = 0;
        for (Parameter p : parameters.values()) {
            float[] values = new float[Math.toIntExact(p.shape().elements())];
            p.initializer().fill(values, p.shape(), seed * 1_000_003L + index++);
            device.pack(
                    FloatBuffer.wrap(values),
                    p.layout(),
                    memory(Arena.PARAMS),
                    p.slot().offset());
        }
        for (State s : states.values()) {
            float[] values = new float[Math.toIntExact(s.shape().elements())];
            java.util.Arrays.fill(values, s.initial());
            device.pack(
                    FloatBuffer.wrap(values),
                    null,
                    memory(Arena.STATE),
                    s.slot().offset());
        }
    }

    public Memory memory(Arena arena) {
        requireOpen();
        Memory memory = arenas.get(arena);
        if (memory == null) throw new IllegalStateException(arena + " is not allocated");
        return memory;
    }

    /** The model as trained. Owned by this storage. */
    public Weights live() {
        return new Weights(memory(Arena.PARAMS), memory(Arena.STATE));
    }

    /** The running average of the model. Owned by this storage. */
    public Weights averaged() {
        return new Weights(memory(Arena.AVERAGE), memory(Arena.STATE_AVERAGE));
    }

    /** Memory for one more model of this net, owned by the caller. */
    public Weights blank(Device device) {
        requireOpen();
        Memory params = device.allocate(paramBytes);
        try {
            return new Weights(params, device.allocate(memory(Arena.STATE).bytes()));
        } catch (RuntimeException e) {
            params.close();
            throw e;
        }
    }

    /** A copy of {@code model} on the device, owned by the caller. */
    public Weights copy(Device device, Weights model) {
        Weights copy = blank(device);
        try {
            model.copyTo(device, copy);
            return copy;
        } catch (RuntimeException e) {
            copy.close();
            throw e;
        }
    }

    /** In the order of declaration. */
    public Collection<Parameter> parameters() {
        return parameters.values();
    }

    public Collection<State> states() {
        return states.values();
    }

    /** Trained scalars, padding not counted. */
    public long parameterCount() {
        return parameters.values().stream().mapToLong(p -> p.shape().elements()).sum();
    }

    /** Bytes of PARAMS; what lies before {@link #splitBytes} is subject to weight decay. */
    public long paramBytes() {
        return paramBytes;
    }

    public long splitBytes() {
        return splitBytes;
    }

    @Override
    public void close() {
        closed = true;
        release();
    }

    private void release() {
        arenas.values().forEach(Memory::close);
        arenas.clear();
    }
}
