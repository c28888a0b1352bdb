package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * One operation alone on one device: inputs and gradients are written in logical order, results read back.
 *
 * <p>Only a device can make a layout, so inputs are the outputs of operations that are planned and never run: a map's
 * (row-major), a convolution's (the device's choice) or a dense layer's. Everything stays alive throughout.
 */
public final class OpTrial implements AutoCloseable {
    /** Whose layout the operation's input has. */
    public enum From {
        MAP,
        CONV
    }

    private static final Elementwise IDENTITY = new Elementwise() {
        @Override
        public String name() {
            return "source";
        }

        @Override
        public float value(float x) {
            return x;
        }

        @Override
        public float slope(float x) {
            return 1;
        }

        @Override
        public String cudaValue() {
            return "x";
        }

        @Override
        public String cudaSlope() {
            return "1";
        }
    };
    private static final int OPERATIONS = 16;

    public final Device device;
    public final RunState control;
    public final Op.Batch batch;
    private final ParameterStore storage = new ParameterStore(true);
    private final PlanContext scope;
    private final Images images;
    private final List<Op> ops = new ArrayList<>();
    private Binding binding;

    public OpTrial(Device device, PlanContext.Mode mode, Images images, BatchReader spec) {
        this(device, mode, images, spec, Precision.STRICT);
    }

    public OpTrial(Device device, PlanContext.Mode mode, Images images, BatchReader spec, Precision precision) {
        this.device = device;
        this.images = images;
        control = new RunState(device);
        scope = new PlanContext(storage, mode, precision, OPERATIONS);
        batch = plan("batch", s -> device.batch(s, spec, images, control));
    }

    /** A trial of {@code rows} samples of this shape. */
    public static OpTrial of(Device device, PlanContext.Mode mode, int rows, Shape sample) {
        return of(device, mode, rows, sample, Precision.STRICT);
    }

    public static OpTrial of(Device device, PlanContext.Mode mode, int rows, Shape sample, Precision precision) {
        Images images = Sets.random(device, 1, rows, sample, 5);
        return new OpTrial(device, mode, images, Sets.plain(rows, sample.dim(0)), precision);
    }

    public <T extends Op> T plan(String name, Function<PlanContext, T> make) {
        T op = make.apply(scope.at(ops.size(), name));
        ops.add(op);
        return op;
    }

    /** Plans a layer that draws nothing. */
    public Op layer(String name, Layer layer, Tensor... inputs) {
        return plan(name, s -> device.plan(s, layer, List.of(inputs), 0, null));
    }

    /** A tensor (N, channels, H, W) to be written by the test. */
    public Tensor input(From from, int channels) {
        Tensor pixels = batch.output();
        if (from == From.MAP && channels != images.channels()) throw new IllegalArgumentException("a map keeps shapes");
        String name = "source" + ops.size();
        if (from == From.MAP)
            return layer(name, new Layer.Pointwise(IDENTITY), pixels).output();
        Layer.Conv spec = new Layer.Conv(channels, 1, 1, 0, 1, false, false, Initializer.constant(0));
        return layer(name, spec, pixels).output();
    }

    /** A tensor (N, features) to be written by the test. */
    public Tensor rows(int features) {
        Layer.Dense spec = new Layer.Dense(features, false, false, Initializer.constant(0));
        return layer("source" + ops.size(), spec, batch.output()).output();
    }

    /** What was declared so far, laid out and not allocated. */
    public MemoryEstimate demand() {
        return scope.demand(batch.output().shape().dim(0), MemoryEstimate.Later.NONE);
    }

    /** Allocates; after this values can be written and operations run. */
    public OpTrial ready(Tensor... others) {
        for (int time : new int[] {0, OPERATIONS - 1}) {
            scope.at(time, "trial");
            for (Op op : ops) scope.uses(op.output());
            scope.uses(others);
        }
        binding = scope.allocate(device, batch.output().shape().dim(0));
        storage.initialise(device, 1);
        for (Op op : ops) op.bind(binding);
        return this;
    }

    /** Runs the backward of all that was planned but the batch. */
    public void backward() {
        for (int i = ops.size() - 1; i > 0; i--) ops.get(i).backward();
    }

    public void write(Tensor t, float[] values) {
        device.pack(
                FloatBuffer.wrap(values),
                t.layout(),
                binding.memory(Arena.ACTIVATIONS),
                t.value().offset());
    }

    public void writeGrad(Tensor t, float[] values) {
        device.pack(
                FloatBuffer.wrap(values),
                t.layout(),
                binding.memory(Arena.ACTIVATIONS),
                t.grad().offset());
    }

    public float[] read(Tensor t) {
        return read(t.shape(), t.layout(), Arena.ACTIVATIONS, t.value().offset());
    }

    public float[] readGrad(Tensor t) {
        return read(t.shape(), t.layout(), Arena.ACTIVATIONS, t.grad().offset());
    }

    public Parameter parameter(String name) {
        return storage.parameters().stream()
                .filter(p -> p.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    public List<String> parameterNames() {
        return storage.parameters().stream().map(Parameter::name).toList();
    }

    public List<String> stateNames() {
        return storage.states().stream().map(Parameter::name).toList();
    }

    public long stateLength(String name) {
        return state(name).shape().elements();
    }

    public void write(String parameter, float[] values) {
        Parameter p = parameter(parameter);
        device.pack(
                FloatBuffer.wrap(values),
                p.layout(),
                binding.memory(Arena.PARAMS),
                p.slot().offset());
    }

    public float[] readGrad(String parameter) {
        Parameter p = parameter(parameter);
        return read(p.shape(), p.layout(), Arena.GRADS, p.slot().offset());
    }

    public float[] readState(String name) {
        Parameter state = state(name);
        return read(state.shape(), null, Arena.STATE, state.slot().offset());
    }

    public void writeState(String name, float[] values) {
        device.pack(
                FloatBuffer.wrap(values),
                null,
                binding.memory(Arena.STATE),
                state(name).slot().offset());
    }

    /** (rows, outputs), as drawn. */
    float[] readTargets(int outputs) {
        int[] bits = readLabels();
        float[] targets = new float[bits.length];
        for (int i = 0; i < bits.length; i++) targets[i] = Float.intBitsToFloat(bits[i]);
        if (bits.length % outputs != 0) throw new IllegalStateException(bits.length + " targets");
        return targets;
    }

    /** The batch's labels, as they lie on the device. */
    public int[] readLabels() {
        Slot slot = batch.labels();
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) slot.bytes()).order(ByteOrder.nativeOrder());
        device.download(binding.memory(slot.arena()), slot.offset(), bytes);
        int[] out = new int[bytes.capacity() / 4];
        bytes.asIntBuffer().get(out);
        return out;
    }

    private Parameter state(String name) {
        return storage.states().stream()
                .filter(s -> s.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private float[] read(Shape shape, Layout layout, Arena arena, long offset) {
        float[] out = new float[Math.toIntExact(shape.elements())];
        device.unpack(binding.memory(arena), offset, layout, FloatBuffer.wrap(out));
        return out;
    }

    @Override
    public void close() {
        ops.forEach(Op::close);
        scope.close();
        storage.close();
        control.close();
        images.close();
    }
}
