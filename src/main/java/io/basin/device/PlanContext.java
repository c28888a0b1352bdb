package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Takes an operation's declarations while it is planned: parameters and statistics in the model's storage, values, gradients,
 * memory kept for backward, and workspace.
 */
@Api
public final class PlanContext implements AutoCloseable {
    /** A plan's use: TRAIN keeps values for backward; EVALUATE runs forward only, on stored statistics. */
    public enum Mode {
        TRAIN,
        EVALUATE
    }

    private final ParameterStore storage;
    private final Mode mode;
    private final Precision precision;
    private final int operations;
    private final List<Slot> activations = new ArrayList<>();
    private final List<Slot> scratch = new ArrayList<>();
    private final List<Memory> owned = new ArrayList<>();
    private long fixedScratch = Slot.ALIGNMENT;
    private long growingScratch;
    private String path = "";
    private int time;

    /** @param operations how many operations the plan will have, which fixes the times of their backwards */
    public PlanContext(ParameterStore storage, Mode mode, Precision precision, int operations) {
        this.storage = storage;
        this.mode = mode;
        this.precision = precision;
        this.operations = operations;
    }

    /** Announces the operation that declares next. */
    public PlanContext at(int index, String layer) {
        time = index;
        path = layer;
        return this;
    }

    public boolean training() {
        return mode == Mode.TRAIN;
    }

    public Precision precision() {
        return precision;
    }

    /** The announced layer's path, such as {@code layer1.0.conv1}. */
    public String path() {
        return path;
    }

    /** The announced layer's trained tensor {@code <path>.<name>}, in the device's layout. */
    public Parameter parameter(Layer.Param p, Layout layout) {
        return storage.parameter(path + "." + p.name(), p, layout);
    }

    /** Makes training keep the weights in bfloat16 too, in {@link Arena#COPY}; the device keeps the two alike. */
    public void copiesWeights() {
        storage.copied();
    }

    /** Has the tensor a place in {@link Arena#NARROW_GRADS}. Returns whether it is the first. */
    public boolean narrowed(Parameter p) {
        return storage.narrowed(p) == p;
    }

    public Parameter statistic(Layer.Param s) {
        return storage.state(path + "." + s.name(), s);
    }

    /** The output's value. */
    public Slot value(long bytes) {
        return activation(bytes, time);
    }

    /** The output's gradient; null in evaluation. */
    public @Nullable Slot gradient(long bytes) {
        return training() ? activation(bytes, backwardTime()) : null;
    }

    /** Something that forward leaves for backward. */
    public Slot kept(long bytes) {
        Slot slot = activation(bytes, time);
        if (training()) slot.alive(backwardTime());
        return slot;
    }

    /** Something used within the announced operation's forward only. */
    public Slot inForward(long bytes) {
        return activation(bytes, time);
    }

    /** Something used within the announced operation's backward only. */
    public Slot inBackward(long bytes) {
        return activation(bytes, backwardTime());
    }

    private Slot activation(long bytes, int at) {
        Slot slot = new Slot(Arena.ACTIVATIONS, bytes);
        slot.alive(at);
        activations.add(slot);
        return slot;
    }

    /** Workspace that holds nothing between calls. */
    public Slot scratch(long bytes) {
        return scratch(bytes, new MemoryEstimate.Scratch(bytes, 0));
    }

    /** @param elsewhere what the same operation takes at other batches */
    public Slot scratch(long bytes, MemoryEstimate.Scratch elsewhere) {
        fixedScratch = Math.max(fixedScratch, new Slot(Arena.SCRATCH, elsewhere.fixed()).padded());
        growingScratch = Math.max(growingScratch, new Slot(Arena.SCRATCH, elsewhere.growing()).padded());
        Slot slot = new Slot(Arena.SCRATCH, bytes);
        scratch.add(slot);
        return slot;
    }

    /** Says that the announced operation reads and writes these tensors, forward and backward. */
    public void uses(Tensor... tensors) {
        for (Tensor t : tensors) {
            t.value().alive(time);
            if (!training()) continue;
            t.value().alive(backwardTime());
            if (t.grad() != null) t.grad().alive(backwardTime());
        }
    }

    /** Keeps a value alive through the whole plan: the result that is read from outside. */
    public void outlives(Tensor tensor) {
        tensor.value().alive(2 * operations);
    }

    private int backwardTime() {
        return 2 * operations - 1 - time;
    }

    /**
     * Lays out what was declared.
     *
     * @param batch samples a step, for the message where memory is short
     */
    public MemoryEstimate demand(int batch, MemoryEstimate.Later later) {
        Map<Arena, Long> sizes = new EnumMap<>(storage.layOut(training()));
        long size =
                Packing.place(activations.stream().filter(s -> s.root() == s).toList());
        long workspace = Slot.ALIGNMENT;
        for (Slot s : scratch) {
            s.place(0);
            workspace = Math.max(workspace, s.padded());
        }
        sizes.put(Arena.ACTIVATIONS, Math.max(size, Slot.ALIGNMENT));
        sizes.put(Arena.SCRATCH, workspace);
        return new MemoryEstimate(sizes, batch, later, new MemoryEstimate.Scratch(fixedScratch, growingScratch));
    }

    /** As {@link #allocate(Device, MemoryEstimate)}, without memory that follows. */
    public Binding allocate(Device device, int batch) {
        return allocate(device, demand(batch, MemoryEstimate.Later.NONE));
    }

    /** Allocates what was laid out, and names all arenas of the plan. */
    public Binding allocate(Device device, MemoryEstimate demand) {
        device.checkMemory(demand);
        storage.allocate(device, training());
        owned.add(device.allocate(demand.of(Arena.ACTIVATIONS)));
        owned.add(device.allocate(demand.of(Arena.SCRATCH)));
        Binding binding = binding(storage.live());
        if (training()) {
            binding.put(Arena.GRADS, storage.memory(Arena.GRADS));
            if (!storage.isCopied()) return binding;
            for (Arena a : List.of(Arena.COPY, Arena.NARROW_GRADS)) binding.put(a, storage.memory(a));
        }
        return binding;
    }

    /** The plan's arenas with another model's weights. */
    public Binding binding(Weights weights) {
        return new Binding()
                .put(Arena.ACTIVATIONS, owned.get(0))
                .put(Arena.SCRATCH, owned.get(1))
                .put(Arena.PARAMS, weights.params())
                .put(Arena.STATE, weights.state());
    }

    @Override
    public void close() {
        owned.forEach(Memory::close);
        owned.clear();
    }
}
