package io.basin.train;

import io.basin.device.Arena;
import io.basin.device.BatchReader;
import io.basin.device.Binding;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.MemoryEstimate;
import io.basin.device.Op;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import io.basin.device.Weights;
import io.basin.io.OnFailure;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import io.basin.nn.Value;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * A net bound to a device: the flat list of operations from drawing a batch to the loss, with all memory allocated.
 *
 * <p>Two things happen to the tape on the way. A value that is used more than once gets a fork, whose backward adds the
 * branches' gradients; and a sum with a convolution's or batch norm's result becomes that layer's residual, which saves passes
 * over memory, see {@link Fusion}.
 *
 * <p>Any thread may call; a pass is one turn on the device ({@link Guard}).
 */
@SuppressWarnings("NullAway.Init") // Planning sets the batch and the loss.
public final class Plan implements AutoCloseable {
    private final NetMemory model;
    private final Device device;
    private final RunState control;
    private final Images images;
    private final PlanContext scope;
    private final Guard guard;
    private final List<Op> ops = new ArrayList<>();
    /** Of each operation. */
    private final List<Cost> costs = new ArrayList<>();

    private final Runnable forward = this::runForward;
    private final Runnable backward = this::runBackward;
    private final Map<Integer, Deque<Tensor>> waiting = new HashMap<>();
    private final int batchSize;
    private Op.Batch batch;
    private Op loss;

    private Plan(NetMemory model, Images images, RunState control, PlanContext scope, int batchSize) {
        this.model = model;
        device = model.device();
        this.images = images;
        this.control = control;
        this.scope = scope;
        guard = device.guard().of("the plan");
        this.batchSize = batchSize;
    }

    /** Plans a training step; a model's first plan decides its layouts. */
    public static Plan training(NetMemory model, Images images, RunState control, BatchReader batch) {
        return training(model, images, control, batch, Outlook.NONE);
    }

    /** The same where more is to follow: what would not fit beside the rest is refused, too. */
    static Plan training(NetMemory model, Images images, RunState control, BatchReader batch, Outlook outlook) {
        MemoryEstimate.Later later = MemoryEstimate.Later.NONE;
        if (!outlook.equals(Outlook.NONE)) {
            MemoryEstimate each = estimate(model, images, control, batch);
            later = new MemoryEstimate.Later(
                    outlook.models(),
                    outlook.evaluators() * each.of(Arena.ACTIVATIONS),
                    outlook.evaluators() * each.of(Arena.SCRATCH),
                    new MemoryEstimate.Scratch(
                            outlook.evaluators() * each.scratch().fixed(),
                            outlook.evaluators() * each.scratch().growing()));
        }
        return make(model, images, control, batch, PlanContext.Mode.TRAIN, later);
    }

    /** What an evaluation takes, planned as if it had a model of its own, and not allocated. */
    private static MemoryEstimate estimate(NetMemory model, Images images, RunState control, BatchReader batch) {
        PlanContext scope = scope(model, new ParameterStore(true), PlanContext.Mode.EVALUATE);
        try (Plan plan = new Plan(model, images, control, scope, batch.batch())) {
            plan.declare(batch.plain(), model.loss().plain());
            plan.keepBatch();
            return scope.demand(batch.batch(), MemoryEstimate.Later.NONE);
        }
    }

    /** Plans evaluation: the samples in their own order, batch norm on stored statistics. */
    public static Plan evaluation(NetMemory model, Images images, RunState control, BatchReader batch) {
        return make(model, images, control, batch, PlanContext.Mode.EVALUATE, MemoryEstimate.Later.NONE);
    }

    private static Plan make(
            NetMemory model,
            Images images,
            RunState control,
            BatchReader batch,
            PlanContext.Mode mode,
            MemoryEstimate.Later later) {
        requireFit(model, images);
        PlanContext scope = scope(model, model.unplanned(), mode);
        Loss loss = mode == PlanContext.Mode.TRAIN ? model.loss() : model.loss().plain();
        Plan made = new Plan(model, images, control, scope, batch.batch());
        // In one turn: a model's first plan lays it out, and another thread's must come after that.
        return OnFailure.close(
                made,
                plan -> plan.guard.run(() -> {
                    plan.declare(batch, loss);
                    if (mode == PlanContext.Mode.EVALUATE && batch.batch() >= images.count()) plan.keepBatch();
                    Binding binding = scope.allocate(plan.device, scope.demand(batch.batch(), later));
                    for (Op op : plan.ops) op.bind(binding);
                }));
    }

    private static PlanContext scope(NetMemory model, ParameterStore store, PlanContext.Mode mode) {
        requirePrecision(model.device(), model.precision());
        return new PlanContext(
                store, mode, model.precision(), 2 * model.graph().nodes().size() + 3);
    }

    /** @throws IllegalArgumentException where the device does not compute in that precision, naming both */
    public static void requirePrecision(Device device, Precision precision) {
        if (device.supports(precision)) return;
        throw new IllegalArgumentException("`precision` " + precision.name().toLowerCase(Locale.ROOT)
                + " is not something that this device computes in (" + device.describe()
                + "): use fp32, or another `device`");
    }

    private static void requireFit(NetMemory model, Images images) {
        if (images.pixels().device().guard() != model.device().guard()) {
            throw new IllegalArgumentException(
                    "the samples lie on another device than the net: upload them to its own");
        }
        Shape input = model.graph().input().shape();
        Shape output = model.graph().output().shape();
        boolean vector = input.rank() == 1 && Shape.of(input.dim(0), 1, 1).equals(images.sample());
        if (!vector && !input.equals(images.sample())) {
            throw new IllegalArgumentException("the net takes samples of " + input
                    + (input.rank() == 1 ? " (features)" : " (channels, height, width)") + ", the data set has "
                    + images.sample());
        }
        if (output.rank() != 1 || output.dim(0) != images.outputs()) {
            throw new IllegalArgumentException("the net ends with " + output + ", but the data set has "
                    + images.outputs() + (images.targets() ? " targets a sample" : " classes"));
        }
        if (model.loss().labels() == images.targets()) {
            throw new IllegalArgumentException(
                    model.loss() + " needs " + (images.targets() ? "class labels" : "float targets")
                            + ", the data set has " + (images.targets() ? "float targets" : "class labels"));
        }
        if (model.loss() instanceof Loss.BinaryCrossEntropy) requireProbabilities(model.device(), images);
    }

    /** Of other targets the loss has no least value, and training runs away. */
    private static void requireProbabilities(Device device, Images images) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(4L * images.count() * images.outputs()))
                .order(ByteOrder.nativeOrder());
        if (images.host() != null) bytes = images.host().labels();
        else device.download(images.labels(), 0, bytes);
        FloatBuffer targets = bytes.clear().asFloatBuffer();
        for (int i = 0; i < targets.capacity(); i++) {
            if (targets.get(i) >= 0 && targets.get(i) <= 1) continue;
            throw new IllegalArgumentException("binary cross-entropy takes targets from 0 to 1, and target "
                    + i % images.outputs() + " of sample " + i / images.outputs()
                    + ", counted in its part of the data, is "
                    + targets.get(i));
        }
    }

    private void declare(BatchReader batchSpec, Loss lossSpec) {
        Graph graph = model.graph();
        Fusion tape = Fusion.of(graph);
        scope.at(0, "batch");
        batch = device.batch(scope, batchSpec, images, control);
        add(batch, Cost.moving(batch.output(), 1, 0));
        scope.uses(batch.output());
        offer(graph.input(), tape.uses(graph.input()), batch.output());
        for (Node node : tape.nodes()) plan(node, tape, graph, batchSpec.seed());
        Tensor logits = take(graph.output());
        scope.at(ops.size(), "loss");
        loss = device.loss(scope, lossSpec, logits, batch.labels(), control);
        add(loss, Cost.moving(logits, 2, 0));
        scope.uses(logits, loss.output());
        batch.labels().alive(ops.size());
        scope.outlives(loss.output());
    }

    /** A batch that is the whole set need not be drawn again for another model. */
    private void keepBatch() {
        scope.outlives(batch.output());
        batch.labels().alive(2 * ops.size());
    }

    /** Nobody would write the gradient of such a result, and backward would read what lies in memory. */
    private static void requireUsed(Node node, Fusion tape, Graph graph) {
        if (tape.uses(node.output()) == 0 && node.output() != graph.output()) {
            throw new IllegalArgumentException(
                    node.path() + ": no layer uses its result, and it is not the net's output");
        }
    }

    private void plan(Node node, Fusion tape, Graph graph, long seed) {
        requireUsed(node, tape, graph);
        scope.at(ops.size(), node.path());
        List<Tensor> inputs = node.inputs().stream().map(this::take).toList();
        Op op = device.plan(scope, node.layer(), inputs, seed + ops.size(), control);
        add(op, Cost.of(node.layer(), inputs, op.output()));
        scope.uses(inputs.toArray(Tensor[]::new));
        scope.uses(op.output());
        offer(node.output(), tape.uses(node.output()), op.output());
    }

    /** Hands a tensor to its users, through a fork where they are several and send gradients back. */
    private void offer(Value value, int uses, Tensor tensor) {
        Deque<Tensor> queue = new ArrayDeque<>();
        waiting.put(value.id(), queue);
        if (uses < 2 || !scope.training() || tensor.grad() == null) {
            for (int i = 0; i < Math.max(1, uses); i++) queue.add(tensor);
            return;
        }
        scope.at(ops.size(), tensor.name() + ".fork");
        for (int i = 0; i < uses; i++)
            queue.add(tensor.branch(scope.gradient(tensor.layout().bytes())));
        add(device.fork(scope, tensor, List.copyOf(queue)), Cost.moving(tensor, 0, uses + 1));
        scope.uses(tensor);
    }

    private void add(Op op, Cost cost) {
        ops.add(op);
        costs.add(cost);
    }

    private Tensor take(Value value) {
        return Objects.requireNonNull(waiting.get(value.id())).remove();
    }

    /** Has the samples of a step at hand where they stream from the host: before each forward, and each replay of one. */
    public void supply(long step) {
        batch.supply(step);
    }

    /** Draws a batch and runs to the loss; of samples that lie on the device. */
    public void forward() {
        guard.run(forward);
    }

    /** The same of the step that the run state counts, which the host knows, too. */
    public void forward(long step) {
        supply(step);
        forward();
    }

    /** From the loss to the parameters' gradients. */
    public void backward() {
        guard.run(backward);
    }

    private void runForward() {
        for (int i = 0; i < ops.size(); i++) ops.get(i).forward();
    }

    private void runBackward() {
        for (int i = ops.size() - 1; i >= 0; i--) ops.get(i).backward();
    }

    /** Binds an evaluation plan to another model of the same net: the average, a snapshot, a point on a curve. */
    public void use(Weights weights) {
        guard.run(() -> {
            Binding binding = scope.binding(weights);
            for (Op op : ops) op.bind(binding);
        });
    }

    /** From drawing the batch to the probabilities, in order; batch norms among them. */
    List<Op> ops() {
        return ops;
    }

    /** What each of {@link #ops} has to move and compute. */
    List<Cost> costs() {
        return costs;
    }

    /** In the order of the net. */
    List<Op.BatchNorm> norms() {
        return ops.stream()
                .filter(Op.BatchNorm.class::isInstance)
                .map(Op.BatchNorm.class::cast)
                .toList();
    }

    /** (N, K) after {@link #forward}. */
    Tensor probabilities() {
        return loss.output();
    }

    Binding binding(Weights weights) {
        return scope.binding(weights);
    }

    public int batchSize() {
        return batchSize;
    }

    public Images images() {
        return images;
    }

    RunState control() {
        return control;
    }

    @Override
    public void close() {
        guard.close(() -> {
            ops.forEach(Op::close);
            scope.close();
        });
    }
}
