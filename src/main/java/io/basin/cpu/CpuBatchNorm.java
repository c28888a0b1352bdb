package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.Nullable;
import io.basin.device.Binding;
import io.basin.device.Layer;
import io.basin.device.Op;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.dnnl.batch_normalization_backward;
import org.bytedeco.dnnl.batch_normalization_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;

/**
 * Batch normalisation with ReLU in one pass, running statistics as PyTorch keeps them (biased variance to normalise,
 * unbiased to remember), and the population's statistics by exact merging. A residual and the ReLU after it are one pass more,
 * over the result where it lies.
 */
@SuppressWarnings("NullAway.Init") // Binding sets the addresses.
final class CpuBatchNorm extends CpuOp implements Op.BatchNorm {
    private static final int AFFINE = normalization_flags.use_scale.value | normalization_flags.use_shift.value;
    private static final int RELU = normalization_flags.fuse_norm_relu.value;
    /** Bytes measured at a time: few enough to stay in a cache, with sums short enough for float32. */
    private static final long PIECE_BYTES = 4L << 20;

    /** Samples whose statistics are measured by one call. */
    private record Piece(int first, int rows) {}

    private final Layer.BatchNorm spec;
    private final float eps;
    private final Tensor x;
    private final @Nullable Tensor residual;
    private final int channels;
    /** Values of a batch in each channel. */
    private final long each;

    private final memory.desc desc;
    private final Parameter runningMean;
    private final Parameter runningVar;
    private final Parameter scale;
    private final Parameter shift;
    private final Slot batchMean;
    private final Slot batchVar;
    private FloatBuffer mean;
    private FloatBuffer var;
    private FloatBuffer storedMean;
    private FloatBuffer storedVar;
    private final Map<Piece, Call> measures = new HashMap<>();
    private final int pieceRows;
    private final @Nullable Slot discarded;
    private Binding binding;
    private final Moments population;
    private final Moments measured;

    CpuBatchNorm(Dnnl dnnl, PlanContext scope, Layer.BatchNorm spec, Tensor x, @Nullable Tensor residual) {
        super(dnnl, scope);
        this.spec = spec;
        eps = (float) spec.eps();
        this.x = x;
        this.residual = residual;
        channels = x.shape().dim(1);
        each = x.shape().elements() / channels;
        population = new Moments(channels);
        measured = new Moments(channels);
        desc = Dnnl.retyped(CpuLayout.of(x.layout()), x.shape(), Dnnl.type(scope.precision()));
        Shape sample = x.shape().sample();
        CpuLayout vector = new CpuLayout(Dnnl.vector(channels));
        scale = scope.parameter(spec.scale(sample), vector);
        shift = scope.parameter(spec.shift(sample), vector);
        runningMean = scope.statistic(spec.mean(sample));
        runningVar = scope.statistic(spec.variance(sample));
        batchMean = scope.kept(4L * channels);
        batchVar = scope.kept(4L * channels);
        long row = x.layout().bytes() / x.shape().dim(0);
        pieceRows = (int) Math.max(1, Math.min(x.shape().dim(0), PIECE_BYTES / row));
        discarded = scope.training() ? null : scope.inForward(row * pieceRows);
        output(x.shape(), desc);
        plan();
        onBind(this::locate);
    }

    private void plan() {
        boolean training = scope.training();
        boolean fusedRelu = spec.relu() && residual == null;
        int flags = AFFINE | (fusedRelu ? RELU : 0) | (training ? 0 : normalization_flags.use_global_stats.value);
        var pd = new batch_normalization_forward.primitive_desc(
                dnnl.engine, Dnnl.forward(training), desc, desc, eps, flags, Dnnl.attributes(), false);
        Arg source = input(x, desc);
        Call call = statistics(call(pd), source)
                .with(DNNL_ARG_SCALE, weight(scale), DNNL_ARG_SHIFT, weight(shift), DNNL_ARG_DST, value(output()));
        Arg workspace = null;
        if (training && fusedRelu) {
            memory.desc mask = pd.workspace_desc();
            workspace = arg(mask, scope.kept(mask.get_size()));
            call.with(DNNL_ARG_WORKSPACE, workspace);
        }
        forward(call);
        if (residual != null) forward(CpuPointwise.addInPlace(this, residual, spec.relu()));
        if (!training) return;
        forward(this::remember);
        planBackward(pd, flags, source, workspace);
    }

    /** The statistics that both directions read: a training batch's own, else those that are stored. */
    private Call statistics(Call call, Arg source) {
        memory.desc vector = Dnnl.vector(channels);
        Arg mean = arg(vector, scope.training() ? batchMean : runningMean.slot());
        Arg var = arg(vector, scope.training() ? batchVar : runningVar.slot());
        return call.with(DNNL_ARG_SRC, source, DNNL_ARG_MEAN, mean, DNNL_ARG_VARIANCE, var);
    }

    private void planBackward(
            batch_normalization_forward.primitive_desc hint, int flags, Arg source, @Nullable Arg workspace) {
        int pass = prop_kind.backward.value;
        var pd = new batch_normalization_backward.primitive_desc(
                dnnl.engine, pass, desc, desc, desc, eps, flags, hint, Dnnl.attributes(), false);
        Arg dy = residual != null && spec.relu() ? CpuPointwise.throughRelu(this, output()) : grad(output());
        if (residual != null && residual.grad() != null) passOn(residual, dy);
        // oneDNN computes the input's gradient whether or not anyone reads it.
        Arg dx = x.grad() == null ? arg(desc, scope.inBackward(desc.get_size())) : inputGrad(x, desc);
        Call call = statistics(call(pd), source)
                .with(DNNL_ARG_SCALE, weight(scale), DNNL_ARG_DIFF_DST, dy, DNNL_ARG_DIFF_SRC, dx)
                .with(DNNL_ARG_DIFF_SCALE, weightGrad(scale))
                .with(DNNL_ARG_DIFF_SHIFT, weightGrad(shift));
        if (workspace != null) call.with(DNNL_ARG_WORKSPACE, workspace);
        backward(call);
        if (x.grad() != null) deliver(x, dx);
    }

    private void locate(Binding b) {
        binding = b;
        mean = CpuMemory.floats(b, batchMean);
        var = CpuMemory.floats(b, batchVar);
        storedMean = CpuMemory.floats(b, runningMean.slot());
        storedVar = CpuMemory.floats(b, runningVar.slot());
        measures.values().forEach(Call::close);
        measures.clear();
    }

    /** running = (1 - m) running + m batch, with the unbiased variance. */
    private void remember() {
        float m = (float) spec.momentum();
        float unbiased = each > 1 ? (float) each / (each - 1) : 1;
        for (int c = 0; c < channels; c++) {
            storedMean.put(c, (1 - m) * storedMean.get(c) + m * mean.get(c));
            storedVar.put(c, (1 - m) * storedVar.get(c) + m * unbiased * var.get(c));
        }
    }

    @Override
    public void reset() {
        turn("reset", population::reset);
    }

    @Override
    public void measure(int rows) {
        turn("measure", () -> take(rows));
    }

    private void take(int rows) {
        long sample = each / x.shape().dim(0);
        measured.reset();
        for (int first = 0; first < rows; first += pieceRows) {
            Piece piece = new Piece(first, Math.min(pieceRows, rows - first));
            measures.computeIfAbsent(piece, this::statisticsOf).run();
            measured.merge(mean, var, sample * piece.rows());
        }
        measured.write(mean, var);
        population.merge(measured);
    }

    /** oneDNN's own statistics of some rows; its normalised values go to memory that is not read. */
    private Call statisticsOf(Piece piece) {
        memory.desc d = CpuLayout.of(x.layout());
        long[] dims = x.shape().toLongs();
        long rowBytes = x.layout().bytes() / dims[0];
        if (piece.rows() < dims[0]) {
            dims[0] = piece.rows();
            d = d.submemory_desc(dims, new long[dims.length]);
        }
        var pd = new batch_normalization_forward.primitive_desc(dnnl.engine, Dnnl.FORWARD_TRAINING, d, d, eps, 0);
        memory.desc vector = Dnnl.vector(channels);
        return new Call(dnnl.stream, new primitive(pd))
                .with(DNNL_ARG_SRC, at(binding, d, x.value(), piece.first() * rowBytes))
                .with(DNNL_ARG_DST, at(binding, d, Objects.requireNonNull(discarded), 0))
                .with(DNNL_ARG_MEAN, at(binding, vector, batchMean, 0))
                .with(DNNL_ARG_VARIANCE, at(binding, vector, batchVar, 0));
    }

    @Override
    public void adopt() {
        turn("adopt", () -> {
            storedMean.put(0, mean, 0, channels);
            storedVar.put(0, var, 0, channels);
        });
    }

    @Override
    public void commit() {
        if (population.empty()) throw new IllegalStateException(name() + ": no statistics were measured");
        turn("commit", () -> population.write(storedMean, storedVar));
    }

    @Override
    protected void release() {
        measures.values().forEach(Call::close);
        measures.clear();
        super.release();
    }
}
