package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.PredictionSum;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import io.basin.device.Weights;
import io.basin.io.OnFailure;
import io.basin.text.Require;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.function.Supplier;

/**
 * Forward passes over one image set with any weights of a net: accuracy and loss, probabilities, and the population statistics
 * that batch norm needs for weights which were never run forward.
 *
 * <p>Has its own plan and its own counters and draws from no training stream: how often one evaluates changes no training.
 *
 * <p>Any thread may call. Each call is one turn on the device ({@link Guard}), so its figures are those of the weights as they
 * are between two training steps; its callbacks must not wait for another thread that needs the device.
 */
@Api
public final class Evaluator implements AutoCloseable {
    /** How {@link #refresh} measures batch-norm statistics. */
    public enum Refresh {
        /**
         * Layer by layer: each is measured with the ones before it already settled, so the result depends on neither batch
         * size nor order. Costs about half a pass over the data per batch-norm layer.
         */
        EXACT,
        /** One pass in which each batch is normalised by itself, as in the published code; merged exactly. */
        SINGLE
    }

    /** Receives one model's probabilities for one batch. */
    @FunctionalInterface
    public interface Sink {
        /**
         * @param probabilities (rows, classes), valid during the call
         * @param firstRow index of the batch's first sample
         */
        void accept(int member, int firstRow, int rows, float[] probabilities);
    }

    private final NetMemory model;
    private final Device device;
    private final Guard guard;
    private final RunState control;
    private final Plan plan;
    private final List<Op.BatchNorm> norms;
    private final int samples;
    private final int classes;
    private final ByteBuffer buffer;
    private final float[] probabilities;
    private @Nullable Weights bound;
    /** Whether the only batch lies on the device already; the plan keeps it where it is the whole set. */
    private boolean drawn;

    /** Plans a pass over {@code images}, which the caller keeps. */
    public Evaluator(NetMemory model, Images images, BatchReader batch) {
        this.model = Require.given("model", model);
        device = model.device();
        guard = device.guard().of("Evaluator");
        Require.given("batch", batch);
        samples = Require.given("images", images).count();
        classes = images.outputs();
        control = new RunState(device);
        plan = OnFailure.close(control, () -> Plan.evaluation(model, images, control, batch));
        norms = plan.norms();
        probabilities = new float[batch.batch() * classes];
        buffer = ByteBuffer.allocateDirect(4 * probabilities.length).order(ByteOrder.nativeOrder());
    }

    /** Of the net's answers. */
    public int classes() {
        return classes;
    }

    /** Batches that one pass takes. */
    public int batches() {
        return (samples + plan.batchSize() - 1) / plan.batchSize();
    }

    /**
     * Mean loss and accuracy of one model.
     *
     * @throws IllegalStateException for a running average whose batch-norm statistics were never measured, here and wherever
     *     this evaluator predicts
     */
    public EpochMetrics evaluate(Weights weights) {
        return begin(weights).get();
    }

    /** Enqueues the pass and its figures' way back; only {@code get} waits. The weights may be changed by later work. */
    public Supplier<EpochMetrics> begin(Weights weights) {
        return guard.get(() -> {
            useMeasured(weights);
            drawn = false;
            control.start(0);
            Runnable tick = device.arenas().advance(control);
            for (int b = 0; b < batches(); b++) {
                plan.forward(b);
                tick.run();
            }
            return control.fetch();
        });
    }

    /** One pass over the data, every model in turn on each batch. */
    public void predict(List<Weights> models, Sink sink) {
        guard.run(() -> {
            drawn = false;
            for (int b = 0; b < batches(); b++) {
                for (int m = 0; m < models.size(); m++) {
                    useMeasured(models.get(m));
                    control.start(b);
                    plan.forward(b);
                    emit(models.get(m), m, b, sink);
                }
            }
        });
    }

    /** Room for the sum of models' predictions for all samples. */
    public PredictionSum predictionSum() {
        return guard.get(() -> device.arenas().predictionSum(samples, classes));
    }

    /** One pass over the data, which adds the model's probabilities to {@code sum} on the device, without waiting. */
    public void accumulate(Weights model, double weight, PredictionSum sum) {
        guard.run(() -> {
            useMeasured(model);
            drawn = false;
            control.start(0);
            Runnable tick = device.arenas().advance(control);
            Slot value = plan.probabilities().value();
            Memory memory = plan.binding(model).memory(value.arena());
            for (int b = 0; b < batches(); b++) {
                plan.forward(b);
                sum.add(weight, memory, value.offset(), b * plan.batchSize(), rows(b));
                tick.run();
            }
        });
    }

    private void emit(Weights model, int member, int batch, Sink sink) {
        Tensor output = plan.probabilities();
        int rows = rows(batch);
        buffer.clear();
        device.download(
                plan.binding(model).memory(output.value().arena()),
                output.value().offset(),
                buffer);
        buffer.asFloatBuffer().get(probabilities, 0, rows * output.shape().dim(1));
        sink.accept(member, batch * plan.batchSize(), rows, probabilities);
    }

    private int rows(int batch) {
        return Math.min(plan.batchSize(), samples - batch * plan.batchSize());
    }

    /** Passes, whole or partial, that {@link #refresh} makes, for progress bars. */
    public int refreshPasses(Refresh how) {
        return how == Refresh.SINGLE ? Math.min(1, norms.size()) : norms.size();
    }

    /**
     * Measures the statistics of all batch norms under {@code weights} on this evaluator's images and stores them in {@code
     * weights.state()}. Mean = E[x] and var = E[(x - mean)^2] over all samples (biased).
     *
     * @param onBatch called with the number of the pass after each batch
     */
    public void refresh(Weights weights, Refresh how, IntConsumer onBatch) {
        guard.run(() -> measure(weights, how, onBatch));
    }

    private void measure(Weights weights, Refresh how, IntConsumer onBatch) {
        if (norms.isEmpty()) return;
        use(weights);
        model.measured(weights);
        drawn = false;
        norms.forEach(Op.BatchNorm::reset);
        if (how == Refresh.SINGLE) {
            pass(norms.get(norms.size() - 1), true, true, () -> onBatch.accept(0));
            norms.forEach(Op.BatchNorm::commit);
            return;
        }
        for (int i = 0; i < norms.size(); i++) {
            int number = i;
            pass(norms.get(i), false, false, () -> onBatch.accept(number));
            norms.get(i).commit();
        }
    }

    /** Whether one batch holds all samples, as {@link #settle} needs. */
    public boolean whole() {
        return batches() == 1;
    }

    /**
     * {@link #refresh} and {@link #evaluate} in a single pass, where one batch holds all samples: each batch norm's input lies
     * there whole, so its population's statistics are measured, stored and used at once. Nothing is computed twice.
     */
    public EpochMetrics settle(Weights weights) {
        if (!whole()) throw new IllegalStateException("needs all " + samples + " samples in one batch");
        return guard.get(() -> {
            use(weights);
            model.measured(weights);
            control.start(0);
            plan.supply(0);
            for (Op op : plan.ops()) {
                if (op instanceof Op.BatchNorm norm) {
                    norm.reset();
                    norm.measure(samples);
                    norm.commit();
                }
                // Every model sees the same batch: it is drawn once.
                if (!drawn || op != plan.ops().get(0)) op.forward();
            }
            drawn = true;
            return control.read();
        });
    }

    private void useMeasured(Weights weights) {
        if (hasNorms()) model.requireMeasured(weights);
        use(weights);
    }

    /** Binding costs some microseconds an operation; most often the model is the one already bound. */
    private void use(Weights weights) {
        if (weights.equals(bound)) return;
        plan.use(weights);
        bound = weights;
    }

    /**
     * Measures all statistics at once while every norm uses those stored in {@code weights.state()}, then stores them. Statistics that {@link Refresh#EXACT} found are reproduced up to rounding, whatever the batch size.
     */
    public void remeasure(Weights weights, IntConsumer onBatch) {
        guard.run(() -> {
            if (norms.isEmpty()) return;
            use(weights);
            drawn = false;
            norms.forEach(Op.BatchNorm::reset);
            pass(norms.get(norms.size() - 1), true, false, () -> onBatch.accept(0));
            norms.forEach(Op.BatchNorm::commit);
        });
    }

    /** Whether the net has statistics to measure. */
    public boolean hasNorms() {
        return !norms.isEmpty();
    }

    /**
     * Runs every batch up to {@code last} and measures there.
     *
     * @param all measure at every norm on the way
     * @param adopt have each normalise the batch by itself
     */
    private void pass(Op.BatchNorm last, boolean all, boolean adopt, Runnable onBatch) {
        control.start(0);
        Runnable tick = device.arenas().advance(control);
        for (int b = 0; b < batches(); b++) {
            plan.supply(b);
            for (Op op : plan.ops()) {
                if (op instanceof Op.BatchNorm norm && (all || norm == last)) {
                    norm.measure(rows(b));
                    if (adopt) norm.adopt();
                }
                if (op == last) break;
                op.forward();
            }
            tick.run();
            onBatch.run();
        }
    }

    @Override
    public void close() {
        guard.close(() -> {
            plan.close();
            control.close();
        });
    }
}
