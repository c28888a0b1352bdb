package io.basin.train;

import io.basin.device.Arena;
import io.basin.device.BatchOp;
import io.basin.device.Binding;
import io.basin.device.Control;
import io.basin.device.Demand;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Mode;
import io.basin.device.Norm;
import io.basin.device.Op;
import io.basin.device.Precision;
import io.basin.device.Scope;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Tensor;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.graph.Node;
import io.basin.graph.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A net bound to a device: the flat list of operations from drawing a batch to the loss, with all memory allocated.
 *
 * <p>Two things happen to the tape on the way. A value that is used more than once gets a fork, whose backward adds the
 * branches' gradients; and a sum whose last term to be computed is a convolution becomes that convolution's residual, which
 * saves a pass over memory.
 *
 * <p>Any thread may call; a pass is one turn on the device ({@link Guard}).
 */
public final class Plan implements AutoCloseable {
    private final Device device;
    private final Storage storage;
    private final Control control;
    private final Images images;
    private final Scope scope;
    private final Guard guard;
    private final List<Op> ops = new ArrayList<>();
    private final Runnable forward = this::runForward;
    private final Runnable backward = this::runBackward;
    private final Map<Integer, Deque<Tensor>> waiting = new HashMap<>();
    private final int batchSize;
    private BatchOp batch;
    private Op loss;

    private Plan(Device device, Storage storage, Images images, Control control, Scope scope, int batchSize) {
        this.device = device;
        this.storage = storage;
        this.images = images;
        this.control = control;
        this.scope = scope;
        guard = device.guard().of("the plan");
        this.batchSize = batchSize;
    }

    /** Plans a training step; the first plan of a storage decides its layouts. */
    public static Plan training(
            Device device,
            Graph graph,
            Storage storage,
            Images images,
            Control control,
            Spec.Batch batch,
            Spec.Loss loss,
            Precision precision) {
        return training(device, graph, storage, images, control, batch, loss, precision, Outlook.NONE);
    }

    /** The same where more is to follow: what would not fit beside the rest is refused, too. */
    static Plan training(
            Device device,
            Graph graph,
            Storage storage,
            Images images,
            Control control,
            Spec.Batch batch,
            Spec.Loss loss,
            Precision precision,
            Outlook outlook) {
        Demand.Later later = Demand.Later.NONE;
        if (!outlook.equals(Outlook.NONE)) {
            Demand each = evaluation(device, graph, images, control, batch, precision);
            later = new Demand.Later(
                    outlook.models(),
                    outlook.evaluators() * each.of(Arena.ACTIVATIONS),
                    outlook.evaluators() * each.of(Arena.SCRATCH));
        }
        return make(device, graph, storage, images, control, batch, loss, precision, Mode.TRAIN, later);
    }

    /** What an evaluation takes, planned as if it had a model of its own, and not allocated. */
    private static Demand evaluation(
            Device device, Graph graph, Images images, Control control, Spec.Batch batch, Precision precision) {
        Scope scope = scope(device, graph, new Storage(true), Mode.EVALUATE, precision);
        try (Plan plan = new Plan(device, null, images, control, scope, batch.batch())) {
            plan.declare(graph, batch.plain(), new Spec.Loss(0));
            plan.keepBatch();
            return scope.demand(batch.batch(), Demand.Later.NONE);
        }
    }

    /** Plans evaluation: the samples in their own order, batch norm on stored statistics. */
    public static Plan evaluation(
            Device device,
            Graph graph,
            Storage storage,
            Images images,
            Control control,
            Spec.Batch batch,
            Precision precision) {
        Demand.Later later = Demand.Later.NONE;
        return make(device, graph, storage, images, control, batch, new Spec.Loss(0), precision, Mode.EVALUATE, later);
    }

    private static Plan make(
            Device device,
            Graph graph,
            Storage storage,
            Images images,
            Control control,
            Spec.Batch batch,
            Spec.Loss loss,
            Precision precision,
            Mode mode,
            Demand.Later later) {
        requireFit(graph, images);
        Scope scope = scope(device, graph, storage, mode, precision);
        Plan plan = new Plan(device, storage, images, control, scope, batch.batch());
        try {
            // In one turn: a storage's first plan lays it out, and another thread's must come after that.
            plan.guard.run(() -> {
                plan.declare(graph, batch, loss);
                if (mode == Mode.EVALUATE && batch.batch() >= images.count()) plan.keepBatch();
                Binding binding = scope.allocate(device, scope.demand(batch.batch(), later));
                for (Op op : plan.ops) op.bind(binding);
            });
            return plan;
        } catch (RuntimeException e) {
            plan.close();
            throw e;
        }
    }

    private static Scope scope(Device device, Graph graph, Storage storage, Mode mode, Precision precision) {
        requirePrecision(device, precision);
        return new Scope(storage, mode, precision, 2 * graph.nodes().size() + 3);
    }

    /** @throws IllegalArgumentException where the device does not compute in that precision, naming both */
    public static void requirePrecision(Device device, Precision precision) {
        if (device.computes(precision)) return;
        throw new IllegalArgumentException("--precision " + precision.name().toLowerCase(Locale.ROOT)
                + " is not something that this device computes in (" + device.describe()
                + "): use fp32, or another --device");
    }

    private static void requireFit(Graph graph, Images images) {
        if (!graph.input().shape().equals(images.sample())) {
            throw new IllegalArgumentException("the net takes samples of "
                    + graph.input().shape() + " (channels, height, width), the data set has " + images.sample());
        }
        if (graph.output().shape().rank() != 1 || graph.output().shape().dim(0) != images.classes()) {
            throw new IllegalArgumentException("the net ends with "
                    + graph.output().shape() + ", but the data set has " + images.classes() + " classes");
        }
    }

    private void declare(Graph graph, Spec.Batch batchSpec, Spec.Loss lossSpec) {
        Tape tape = Tape.of(graph);
        scope.at(0, "batch");
        batch = device.batch(scope, batchSpec, images, control);
        ops.add(batch);
        scope.uses(batch.output());
        offer(graph.input(), tape.uses(graph.input()), batch.output());
        for (Node node : tape.nodes()) plan(node, tape, graph, batchSpec.seed());
        Tensor logits = take(graph.output());
        scope.at(ops.size(), "loss");
        loss = device.loss(scope, lossSpec, logits, batch.labels(), control);
        ops.add(loss);
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
    private static void requireUsed(Node node, Tape tape, Graph graph) {
        if (tape.uses(node.output()) == 0 && node.output() != graph.output()) {
            throw new IllegalArgumentException(
                    node.path() + ": no layer uses its result, and it is not the net's output");
        }
    }

    private void plan(Node node, Tape tape, Graph graph, long seed) {
        requireUsed(node, tape, graph);
        scope.at(ops.size(), node.path());
        List<Tensor> inputs = node.inputs().stream().map(this::take).toList();
        Tensor x = inputs.get(0);
        Spec spec = node.spec();
        Op op;
        if (spec instanceof Spec.Conv s) op = device.conv(scope, s, x, inputs.size() > 1 ? inputs.get(1) : null);
        else if (spec instanceof Spec.Norm s) op = device.norm(scope, s, x);
        else if (spec instanceof Spec.Dense s) op = device.dense(scope, s, x);
        else if (spec instanceof Spec.Pool s) op = device.pool(scope, s, x);
        else if (spec instanceof Spec.Relu) op = device.relu(scope, x);
        else if (spec instanceof Spec.Add) op = device.add(scope, x, inputs.get(1));
        else if (spec instanceof Spec.Dropout s) op = device.dropout(scope, s, x, seed + ops.size(), control);
        else if (spec instanceof Spec.Map s) op = device.map(scope, s.function(), x);
        else throw new IllegalStateException(spec + " is not a layer");
        ops.add(op);
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
        ops.add(device.fork(scope, tensor, List.copyOf(queue)));
        scope.uses(tensor);
    }

    private Tensor take(Value value) {
        return waiting.get(value.id()).remove();
    }

    /** Draws a batch and runs to the loss. */
    public void forward() {
        guard.run(forward);
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

    /** In the order of the net. */
    List<Norm> norms() {
        return ops.stream().filter(Norm.class::isInstance).map(Norm.class::cast).toList();
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

    Control control() {
        return control;
    }

    Storage storage() {
        return storage;
    }

    @Override
    public void close() {
        guard.close(() -> {
            ops.forEach(Op::close);
            scope.close();
        });
    }
}
