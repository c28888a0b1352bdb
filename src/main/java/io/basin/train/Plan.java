package io.basin.train;

import io.basin.device.BatchReader;
import io.basin.device.Binding;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.MemoryEstimate;
import io.basin.device.Op;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Tensor;
import io.basin.device.Weights;
import io.basin.io.OnFailure;
import java.util.List;

/**
 * A net bound to a device: the flat list of operations from drawing a batch to the loss ({@link OpList}), with all memory
 * allocated. Forward runs the list, backward runs it reversed.
 *
 * <p>Any thread may call; a pass is one turn on the device ({@link Guard}).
 */
public final class Plan implements AutoCloseable {
    private final OpList list;
    private final PlanContext scope;
    private final Guard guard;
    private final int batchSize;
    private final Runnable forward = this::runForward;
    private final Runnable backward = this::runBackward;

    private Plan(NetMemory model, PlanContext scope, int batchSize) {
        list = new OpList(model.device(), scope);
        this.scope = scope;
        guard = model.device().guard().of("the plan");
        this.batchSize = batchSize;
    }

    /** Plans a training step; a model's first plan decides its layouts. */
    public static Plan training(NetMemory model, Images images, RunState control, BatchReader batch) {
        return training(model, images, control, batch, Outlook.NONE);
    }

    /** The same before more is allocated: a step beside which the rest would not fit is refused, too. */
    static Plan training(NetMemory model, Images images, RunState control, BatchReader batch, Outlook outlook) {
        MemoryEstimate.Later later = outlook.equals(Outlook.NONE)
                ? MemoryEstimate.Later.NONE
                : outlook.later(estimate(model, images, control, batch));
        return make(model, images, control, batch, PlanContext.Mode.TRAIN, later);
    }

    /** Memory of an evaluation, planned as if it had a model of its own, and not allocated. */
    private static MemoryEstimate estimate(NetMemory model, Images images, RunState control, BatchReader batch) {
        PlanContext scope = scope(model, new ParameterStore(true), PlanContext.Mode.EVALUATE);
        try (Plan plan = new Plan(model, scope, batch.batch())) {
            plan.list.declare(model.graph(), images, batch.plain(), model.loss().plain(), control);
            plan.list.keepBatch();
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
        PlanCheck.requireFit(model, images);
        PlanContext scope = scope(model, model.store, mode);
        boolean training = mode == PlanContext.Mode.TRAIN;
        Plan made = new Plan(model, scope, batch.batch());
        // In one turn: a model's first plan lays it out, and another thread's must come after that.
        return OnFailure.close(
                made,
                plan -> plan.guard.run(() -> {
                    plan.list.declare(
                            model.graph(),
                            images,
                            batch,
                            training ? model.loss() : model.loss().plain(),
                            control);
                    if (!training && batch.batch() >= images.count()) plan.list.keepBatch();
                    plan.bind(scope.allocate(model.device(), scope.demand(batch.batch(), later)));
                }));
    }

    private static PlanContext scope(NetMemory model, ParameterStore store, PlanContext.Mode mode) {
        PlanCheck.requirePrecision(model.device(), model.precision());
        return new PlanContext(
                store, mode, model.precision(), 2 * model.graph().nodes().size() + 3);
    }

    /** Brings a step's samples to the device where they stream from the host: before each forward or replay. */
    public void supply(long step) {
        list.batch.supply(step);
    }

    /** Draws a batch and runs to the loss; for samples that lie on the device. */
    public void forward() {
        guard.run(forward);
    }

    /** The same where the host knows the step that the run state counts; samples may stream. */
    public void forward(long step) {
        supply(step);
        forward();
    }

    /** From the loss to the parameters' gradients. */
    public void backward() {
        guard.run(backward);
    }

    private void runForward() {
        List<Op> ops = list.ops;
        for (int i = 0; i < ops.size(); i++) ops.get(i).forward();
    }

    private void runBackward() {
        List<Op> ops = list.ops;
        for (int i = ops.size() - 1; i >= 0; i--) ops.get(i).backward();
    }

    /** Binds an evaluation plan to another model of the same net: the average, a snapshot, a point on a curve. */
    public void use(Weights weights) {
        guard.run(() -> bind(scope.binding(weights)));
    }

    private void bind(Binding binding) {
        for (Op op : list.ops) op.bind(binding);
    }

    Binding binding(Weights weights) {
        return scope.binding(weights);
    }

    /** From drawing the batch to the probabilities, in order; batch norms among them. */
    List<Op> ops() {
        return list.ops;
    }

    /** Bytes and work of each of {@link #ops}. */
    List<Cost> costs() {
        return list.costs;
    }

    /** In the order of the net. */
    List<Op.BatchNorm> norms() {
        return list.ops.stream()
                .filter(Op.BatchNorm.class::isInstance)
                .map(Op.BatchNorm.class::cast)
                .toList();
    }

    /** (N, K) after {@link #forward}. */
    Tensor probabilities() {
        return list.loss.output();
    }

    public int batchSize() {
        return batchSize;
    }

    @Override
    public void close() {
        guard.close(() -> {
            list.ops.forEach(Op::close);
            scope.close();
        });
    }
}
