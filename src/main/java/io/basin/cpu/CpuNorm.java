package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Binding;
import io.basin.device.Initializer;
import io.basin.device.Norm;
import io.basin.device.Parameter;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Tensor;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.batch_normalization_backward;
import org.bytedeco.dnnl.batch_normalization_forward;
import org.bytedeco.dnnl.memory;

/**
 * Batch normalisation with ReLU in one pass, running statistics as PyTorch keeps them (biased variance to normalise,
 * unbiased to remember), and the population's statistics by exact merging.
 */
final class CpuNorm extends CpuOp implements Norm {
    private static final int AFFINE = normalization_flags.use_scale.value | normalization_flags.use_shift.value;
    private static final int RELU = normalization_flags.fuse_norm_relu.value;
    /** What is measured at a time: few enough bytes to stay in a cache, and sums short enough for float32. */
    private static final long PIECE_BYTES = 4L << 20;

    /** Samples whose statistics are measured by one call. */
    private record Piece(int first, int rows) {}

    private final Spec.Norm spec;
    private final Tensor x;
    private final int channels;
    /** Values of a batch in each channel. */
    private final long each;

    private final memory.desc desc;
    private final Storage.State runningMean;
    private final Storage.State runningVar;
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
    private final Slot discarded;
    private Binding binding;
    private final Moments population;
    private final Moments measured;

    CpuNorm(Dnnl dnnl, Scope scope, Spec.Norm spec, Tensor x) {
        super(dnnl, scope);
        this.spec = spec;
        this.x = x;
        channels = x.shape().dim(1);
        each = x.shape().elements() / channels;
        population = new Moments(channels);
        measured = new Moments(channels);
        desc = Dnnl.retyped(CpuLayout.of(x.layout()), x.shape(), Dnnl.type(scope.precision()));
        CpuLayout vector = new CpuLayout(Dnnl.vector(channels));
        scale = scope.vector("weight", Shape.of(channels), vector, Initializer.constant(1));
        shift = scope.vector("bias", Shape.of(channels), vector, Initializer.constant(0));
        runningMean = scope.state("running_mean", channels, 0);
        runningVar = scope.state("running_var", channels, 1);
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
        memory.desc vector = Dnnl.vector(channels);
        int flags = AFFINE | (spec.relu() ? RELU : 0) | (training ? 0 : normalization_flags.use_global_stats.value);
        batch_normalization_forward.primitive_desc pd = forwardDesc(desc, Dnnl.forward(training), flags);
        Arg source = input(x, desc);
        Arg meanArg = arg(vector, training ? batchMean : runningMean.slot());
        Arg varArg = arg(vector, training ? batchVar : runningVar.slot());
        Call call = call(new batch_normalization_forward(pd), pd)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_MEAN, meanArg)
                .with(DNNL_ARG_VARIANCE, varArg)
                .with(DNNL_ARG_SCALE, weight(scale))
                .with(DNNL_ARG_SHIFT, weight(shift))
                .with(DNNL_ARG_DST, value(output()));
        Arg workspace = null;
        if (training && spec.relu()) {
            memory.desc mask = pd.workspace_desc();
            workspace = arg(mask, scope.kept(mask.get_size()));
            call.with(DNNL_ARG_WORKSPACE, workspace);
        }
        forward(call);
        if (!training) return;
        forward(this::remember);
        planBackward(pd, flags, source, meanArg, varArg, workspace);
    }

    private batch_normalization_forward.primitive_desc forwardDesc(memory.desc d, int kind, int flags) {
        return new batch_normalization_forward.primitive_desc(
                dnnl.engine, kind, d, d, (float) spec.eps(), flags, Dnnl.attributes(), false);
    }

    private void planBackward(
            batch_normalization_forward.primitive_desc hint,
            int flags,
            Arg source,
            Arg meanArg,
            Arg varArg,
            Arg workspace) {
        batch_normalization_backward.primitive_desc pd = new batch_normalization_backward.primitive_desc(
                dnnl.engine,
                prop_kind.backward.value,
                desc,
                desc,
                desc,
                (float) spec.eps(),
                flags,
                hint,
                Dnnl.attributes(),
                false);
        // oneDNN computes the input's gradient whether or not anyone reads it.
        Arg dx = x.grad() == null ? arg(desc, scope.inBackward(desc.get_size())) : inputGrad(x, desc);
        Call call = call(new batch_normalization_backward(pd), pd)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_MEAN, meanArg)
                .with(DNNL_ARG_VARIANCE, varArg)
                .with(DNNL_ARG_SCALE, weight(scale))
                .with(DNNL_ARG_DIFF_DST, grad(output()))
                .with(DNNL_ARG_DIFF_SRC, dx)
                .with(DNNL_ARG_DIFF_SCALE, weightGrad(scale))
                .with(DNNL_ARG_DIFF_SHIFT, weightGrad(shift));
        if (workspace != null) call.with(DNNL_ARG_WORKSPACE, workspace);
        backward(call);
        if (x.grad() != null) deliver(x, dx);
    }

    private void locate(Binding b) {
        binding = b;
        mean = floats(b, batchMean);
        var = floats(b, batchVar);
        storedMean = floats(b, runningMean.slot());
        storedVar = floats(b, runningVar.slot());
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
        turn(population::reset);
    }

    @Override
    public void measure(int rows) {
        turn(() -> take(rows));
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

    /** oneDNN's own statistics of some rows; what it normalises on the way goes where nobody looks. */
    private Call statisticsOf(Piece piece) {
        memory.desc d = CpuLayout.of(x.layout());
        long[] dims = x.shape().toLongs();
        long rowBytes = x.layout().bytes() / dims[0];
        if (piece.rows() < dims[0]) {
            dims[0] = piece.rows();
            d = d.submemory_desc(dims, new long[dims.length]);
        }
        batch_normalization_forward.primitive_desc pd = new batch_normalization_forward.primitive_desc(
                dnnl.engine, Dnnl.FORWARD_TRAINING, d, d, (float) spec.eps(), 0);
        memory.desc vector = Dnnl.vector(channels);
        return new Call(dnnl.stream, new batch_normalization_forward(pd))
                .with(DNNL_ARG_SRC, at(binding, d, x.value(), piece.first() * rowBytes))
                .with(DNNL_ARG_DST, at(binding, d, discarded, 0))
                .with(DNNL_ARG_MEAN, at(binding, vector, batchMean, 0))
                .with(DNNL_ARG_VARIANCE, at(binding, vector, batchVar, 0));
    }

    @Override
    public void adopt() {
        turn(() -> {
            storedMean.put(0, mean, 0, channels);
            storedVar.put(0, var, 0, channels);
        });
    }

    @Override
    public void commit() {
        turn(() -> {
            if (population.empty()) throw new IllegalStateException(name() + ": no statistics were measured");
            population.write(storedMean, storedVar);
        });
    }

    @Override
    void release() {
        measures.values().forEach(Call::close);
        measures.clear();
        super.release();
    }
}
