package io.basin.train;

import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Tensor;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import io.basin.nn.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A plan's operations, declared from the tape in the order in which they run. A value that is used more than once gets a fork,
 * whose backward adds the branches' gradients; a sum becomes the residual of a convolution or batch norm, see {@link Fusion}.
 */
@SuppressWarnings("NullAway.Init") // Declaring sets the batch and the loss.
final class OpList {
    final List<Op> ops = new ArrayList<>();
    /** Of each operation. */
    final List<Cost> costs = new ArrayList<>();

    private final Device device;
    private final PlanContext scope;
    private final Map<Integer, Deque<Tensor>> waiting = new HashMap<>();
    Op.Batch batch;
    Op loss;

    OpList(Device device, PlanContext scope) {
        this.device = device;
        this.scope = scope;
    }

    void declare(Graph graph, Images images, BatchReader reader, Loss lossOf, RunState control) {
        Fusion tape = Fusion.of(graph);
        scope.at(0, "batch");
        batch = device.batch(scope, reader, images, control);
        add(batch, Cost.moving(batch.output(), 1, 0));
        scope.uses(batch.output());
        offer(graph.input(), tape.uses(graph.input()), batch.output());
        for (Node node : tape.nodes()) {
            requireUsed(node, tape, graph);
            scope.at(ops.size(), node.path());
            List<Tensor> inputs = node.inputs().stream().map(this::take).toList();
            Op op = device.plan(scope, node.layer(), inputs, reader.seed() + ops.size(), control);
            add(op, Cost.of(node.layer(), inputs, op.output()));
            scope.uses(inputs.toArray(Tensor[]::new));
            scope.uses(op.output());
            offer(node.output(), tape.uses(node.output()), op.output());
        }
        Tensor logits = take(graph.output());
        scope.at(ops.size(), "loss");
        loss = device.loss(scope, lossOf, logits, batch.labels(), control);
        add(loss, Cost.moving(logits, 2, 0));
        scope.uses(logits, loss.output());
        batch.labels().alive(ops.size());
        scope.outlives(loss.output());
    }

    /** A batch that is the whole set need not be drawn again for another model. */
    void keepBatch() {
        scope.outlives(batch.output());
        batch.labels().alive(2 * ops.size());
    }

    /** No layer would write the gradient of such a result, and backward would read stale memory. */
    private static void requireUsed(Node node, Fusion tape, Graph graph) {
        if (tape.uses(node.output()) == 0 && node.output() != graph.output()) {
            throw new IllegalArgumentException(
                    node.path() + ": no layer uses its result, and it is not the net's output");
        }
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

    private Tensor take(Value value) {
        return Objects.requireNonNull(waiting.get(value.id())).remove();
    }

    private void add(Op op, Cost cost) {
        ops.add(op);
        costs.add(cost);
    }
}
