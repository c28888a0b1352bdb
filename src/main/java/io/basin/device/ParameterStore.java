package io.basin.device;

import io.basin.Api;
import io.basin.io.OnFailure;
import io.basin.text.Closest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A model's memory: declared while its first plan is made, shared by every later plan. The first plan that trains adds what
 * training needs.
 *
 * <p>Parameters lie in the order {@code [decayed | undecayed]}, convolutions first, so that the fused update needs one split index
 * instead of a launch per group. The plan that comes first chooses the layouts, and later ones reorder where they like others
 * better: plan training first where both are wanted.
 *
 * <p>Any thread may read and close it, while another trains or evaluates it too; changes of its content take turns on the
 * device. After {@link #close} every use is refused.
 */
@Api
public final class ParameterStore implements AutoCloseable {
    private final Map<String, Parameter> parameters = new LinkedHashMap<>();
    private final Map<String, Parameter> states = new LinkedHashMap<>();
    private final Map<Arena, Memory> arenas = Collections.synchronizedMap(new EnumMap<>(Arena.class));
    private final boolean decayEverything;
    private int moments = 1;
    private final List<Parameter> narrowed = new ArrayList<>();
    private boolean averagedTwice;
    private boolean copied;
    private volatile boolean closed;
    private long paramBytes;
    private long stateBytes;
    private long splitBytes;
    private long narrowedBytes;

    /** @param decayEverything false: weight decay spares biases and batch norm's scale and shift */
    public ParameterStore(boolean decayEverything) {
        this.decayEverything = decayEverything;
    }

    /** The parameter of that name, declared now if it is new. */
    Parameter parameter(String name, Layer.Param p, Layout layout) {
        Parameter known = parameters.get(name);
        if (known != null) {
            if (!known.shape().equals(p.shape())) {
                throw new IllegalArgumentException(
                        name + ": declared as " + known.shape() + " before and as " + p.shape() + " now");
            }
            return known;
        }
        Slot slot = new Slot(Arena.PARAMS, layout.bytes());
        return declare(
                parameters, new Parameter(name, p.shape(), layout, decayEverything || !p.vector(), p.first(), slot));
    }

    Parameter state(String name, Layer.Param s) {
        Parameter known = states.get(name);
        if (known != null) return known;
        Slot slot = new Slot(Arena.STATE, 4 * s.shape().elements());
        return declare(states, new Parameter(name, s.shape(), null, false, s.first(), slot));
    }

    private Parameter declare(Map<String, Parameter> known, Parameter made) {
        requireOpen();
        if (allocated()) {
            throw new IllegalArgumentException(made.name() + ": the model's storage is already allocated without it");
        }
        known.put(made.name(), made);
        return made;
    }

    /** Makes training allocate the optimizer's state; before its plan is made. */
    public ParameterStore trainedBy(Optimizer optimizer) {
        Optimizer.requireMoments(optimizer);
        moments = Math.max(moments, optimizer.moments());
        return this;
    }

    /** Makes training keep a second average, or not. */
    public void averagedTwice(boolean twice) {
        averagedTwice = twice;
    }

    /** The arenas of averages. */
    public List<Arena> averages() {
        return averagedTwice ? List.of(Arena.AVERAGE, Arena.SECOND_AVERAGE) : List.of(Arena.AVERAGE);
    }

    /** Makes training allocate {@link Arena#COPY} and {@link Arena#NARROW_GRADS}. */
    void copied() {
        copied = true;
    }

    boolean isCopied() {
        return copied;
    }

    /** Places weights before all others, in {@link Arena#NARROW_GRADS} too. Returns the first such tensor. */
    Parameter narrowed(Parameter p) {
        if (!narrowed.contains(p)) narrowed.add(p);
        return narrowed.get(0);
    }

    /** The arenas of the optimizer's state, which a resumed run needs beside the weights. */
    public List<Arena> moments() {
        return moments == 1 ? List.of(Arena.MOMENTUM) : List.of(Arena.MOMENTUM, Arena.SECOND_MOMENT);
    }

    /** The arena of an optimizer's state array, counted from 0. */
    public static Arena moment(int index) {
        return index == 0 ? Arena.MOMENTUM : Arena.SECOND_MOMENT;
    }

    private void requireOpen() {
        if (closed) throw Guard.closed("ParameterStore");
    }

    public boolean allocated() {
        return !arenas.isEmpty();
    }

    /** Lays out the model once; {@code training} adds gradients, moments and the average. Returns the sizes of what is missing. */
    Map<Arena, Long> layOut(boolean training) {
        if (!allocated()) place();
        Map<Arena, Long> sizes = new EnumMap<>(Arena.class);
        sizes.put(Arena.PARAMS, paramBytes);
        sizes.put(Arena.STATE, Math.max(stateBytes, Slot.ALIGNMENT));
        if (training) {
            sizes.put(Arena.GRADS, paramBytes);
            for (Arena a : moments()) sizes.put(a, paramBytes);
            for (Arena a : averages()) sizes.put(a, paramBytes);
            if (copied) sizes.put(Arena.COPY, paramBytes / 2);
            if (copied) sizes.put(Arena.NARROW_GRADS, Math.max(narrowedBytes / 2, Slot.ALIGNMENT));
            sizes.put(Arena.STATE_AVERAGE, sizes.get(Arena.STATE));
        }
        sizes.keySet().removeAll(arenas.keySet());
        return sizes;
    }

    private void place() {
        narrowedBytes = placeParameters(narrowed::contains, 0);
        splitBytes = placeParameters(p -> p.decayed() && !narrowed.contains(p), narrowedBytes);
        paramBytes = placeParameters(p -> !p.decayed(), splitBytes);
        stateBytes = 0;
        for (Parameter s : states.values()) {
            s.slot().place(stateBytes);
            stateBytes += s.slot().padded();
        }
    }

    /** Lays out, and allocates what is missing. */
    public void allocate(Device device, boolean training) {
        requireOpen();
        Map<Arena, Memory> made = new EnumMap<>(Arena.class);
        OnFailure.close(
                () -> made.values().forEach(Memory::close),
                undo -> layOut(training).forEach((arena, bytes) -> made.put(arena, device.allocate(bytes))));
        arenas.putAll(made);
    }

    /** Zeroes an earlier training's moments and average. */
    public void forgetTraining(Device device) {
        Set<Arena> left = EnumSet.of(Arena.STATE_AVERAGE, Arena.MOMENTUM, Arena.SECOND_MOMENT);
        left.addAll(averages());
        for (Arena a : left) {
            Memory memory = arenas.get(a);
            if (memory != null) device.upload(memory, 0, ByteBuffer.allocateDirect(Math.toIntExact(memory.bytes())));
        }
    }

    private long placeParameters(Predicate<Parameter> which, long from) {
        long at = from;
        for (Parameter p : parameters.values()) {
            if (!which.test(p)) continue;
            p.slot().place(at);
            at += p.slot().padded();
        }
        return at;
    }

    /** Gives every parameter its first value and every statistic its neutral one. */
    public void initialise(Device device, long seed) {
        long index = 0;
        for (Parameter p : parameters.values()) initialise(device, p, seed(seed, index++));
        for (Parameter s : states.values()) initialise(device, s, 0);
    }

    /** Of the first values of the {@code index}th trained tensor. */
    public static long seed(long seed, long index) {
        return seed * 1_000_003L + index;
    }

    private void initialise(Device device, Parameter p, long seed) {
        float[] values = new float[Math.toIntExact(p.shape().elements())];
        p.initializer().fill(values, p.shape(), seed);
        p.write(device, memory(p.slot().arena()), values);
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

    /** Whether they are {@link #averaged}. */
    public boolean isAverage(Weights weights) {
        return weights.state() == arenas.get(Arena.STATE_AVERAGE);
    }

    /** Memory for one more model of this net, owned by the caller. */
    public Weights blank(Device device) {
        requireOpen();
        Memory params = device.allocate(paramBytes);
        return OnFailure.close(
                params,
                () -> new Weights(params, device.allocate(memory(Arena.STATE).bytes())));
    }

    /** A copy of {@code model} on the device, owned by the caller. */
    public Weights copy(Device device, Weights model) {
        return OnFailure.close(blank(device), copy -> model.copyTo(device, copy));
    }

    /**
     * A trained tensor or a statistic of one model, flat in PyTorch's order; waits.
     *
     * @throws IllegalArgumentException for a name that the net does not have, with the nearest one
     */
    public float[] read(Device device, Weights model, String name) {
        Parameter p = tensor(name);
        return p.read(device, model.of(p));
    }

    /** Replaces what {@link #read} returns; the values must be as many. */
    public void write(Device device, Weights model, String name, float[] values) {
        Parameter p = tensor(name);
        if (values.length != p.shape().elements()) {
            throw new IllegalArgumentException(
                    name + " has " + p.shape().elements() + " values, " + p.shape() + ", got " + values.length);
        }
        p.write(device, model.of(p), values);
    }

    private Parameter tensor(String name) {
        Parameter state = states.get(name);
        return state != null ? state : parameter(name);
    }

    /** The trained tensor of that name, as {@link #read}. */
    public Parameter parameter(String name) {
        Parameter found = parameters.get(name);
        if (found != null) return found;
        List<String> known = new ArrayList<>(parameters.keySet());
        known.addAll(states.keySet());
        throw new IllegalArgumentException(Closest.unknown("tensor", name, known));
    }

    /** In the order of declaration. */
    public Collection<Parameter> parameters() {
        return parameters.values();
    }

    public Collection<Parameter> states() {
        return states.values();
    }

    /** Trained scalars, padding not counted. */
    public long parameterCount() {
        return parameters.values().stream().mapToLong(p -> p.shape().elements()).sum();
    }

    /** Bytes of PARAMS; those before {@link #splitBytes} are subject to weight decay. */
    public long paramBytes() {
        return paramBytes;
    }

    public long splitBytes() {
        return splitBytes;
    }

    @Override
    public void close() {
        closed = true;
        arenas.values().forEach(Memory::close);
        arenas.clear();
    }
}
