package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.FloatBuffer;
import org.bytedeco.dnnl.batch_normalization_backward;
import org.bytedeco.dnnl.batch_normalization_forward;
import org.bytedeco.dnnl.memory;

/**
 * Group normalisation in float32 by two of oneDNN's batch normalisations, as its own has only reference code backward.
 *
 * <p>The first takes the tensor, channels first, as one sample whose channels are all samples' groups. The second scales and shifts by
 * given statistics, mean 0 and variance 1 - eps, which change nothing; its backward sums the gradients of scale and shift.
 */
@SuppressWarnings("NullAway.Init") // Binding sets the addresses.
final class CpuGroupNorm extends CpuOp {
    private static final int AFFINE = normalization_flags.use_scale.value
            | normalization_flags.use_shift.value
            | normalization_flags.use_global_stats.value;
    private static final int PASS = prop_kind.backward.value;

    private final float eps;
    private final memory.desc plain;
    private final memory.desc grouped;
    private final memory.desc vector;
    private final memory.desc ofGroups;
    private final Slot mean;
    private final Slot variance;
    private final Slot normalised;
    private final Slot zeros;
    private final Slot ones;
    private FloatBuffer given;
    private FloatBuffer givenVariance;

    CpuGroupNorm(Dnnl dnnl, PlanContext scope, Layer.GroupNorm spec, Tensor x) {
        super(dnnl, scope);
        eps = (float) spec.eps();
        Shape shape = x.shape();
        int channels = shape.dim(1);
        int groups = shape.dim(0) * spec.groups();
        plain = Dnnl.plain(shape, Dnnl.F32);
        grouped = Dnnl.plain(Shape.of(1, groups, Math.toIntExact(shape.elements() / groups), 1), Dnnl.F32);
        vector = Dnnl.vector(channels);
        ofGroups = Dnnl.vector(groups);
        mean = scope.kept(4L * groups);
        variance = scope.kept(4L * groups);
        normalised = scope.kept(plain.get_size());
        zeros = scope.kept(4L * channels);
        ones = scope.kept(4L * channels);
        Parameter scale = scope.parameter(spec.scale(shape.sample()), new CpuLayout(vector));
        Parameter shift = scope.parameter(spec.shift(shape.sample()), new CpuLayout(vector));
        output(shape, plain);
        onBind(binding -> {
            given = CpuMemory.floats(binding, zeros);
            givenVariance = CpuMemory.floats(binding, ones);
        });
        plan(x, scale, shift);
    }

    private void plan(Tensor x, Parameter scale, Parameter shift) {
        forward(() -> {
            for (int c = 0; c < given.capacity(); c++) {
                given.put(c, 0);
                givenVariance.put(c, 1 - eps);
            }
        });
        Arg source = input(x, plain);
        var moments = forwardOf(grouped, 0);
        forward(statistics(call(moments), arg(grouped, source.slot())).with(DNNL_ARG_DST, arg(grouped, normalised)));
        var affine = forwardOf(plain, AFFINE);
        forward(given(call(affine), scale).with(DNNL_ARG_SHIFT, weight(shift)).with(DNNL_ARG_DST, value(output())));
        if (!scope.training()) return;
        Slot before = scope.inBackward(plain.get_size());
        backward(given(call(backwardOf(plain, AFFINE, affine)), scale)
                .with(
                        DNNL_ARG_DIFF_DST,
                        grad(output()),
                        DNNL_ARG_DIFF_SRC,
                        arg(plain, before),
                        DNNL_ARG_DIFF_SCALE,
                        weightGrad(scale))
                .with(DNNL_ARG_DIFF_SHIFT, weightGrad(shift)));
        if (x.grad() == null) return;
        Arg dx = inputGrad(x, plain);
        backward(statistics(call(backwardOf(grouped, 0, moments)), arg(grouped, source.slot()))
                .with(DNNL_ARG_DIFF_DST, arg(grouped, before))
                .with(DNNL_ARG_DIFF_SRC, arg(grouped, dx.slot())));
        deliver(x, dx);
    }

    private batch_normalization_forward.primitive_desc forwardOf(memory.desc d, int flags) {
        return new batch_normalization_forward.primitive_desc(
                dnnl.engine, Dnnl.FORWARD_TRAINING, d, d, eps, flags, Dnnl.attributes(), false);
    }

    private batch_normalization_backward.primitive_desc backwardOf(
            memory.desc d, int flags, batch_normalization_forward.primitive_desc hint) {
        return new batch_normalization_backward.primitive_desc(
                dnnl.engine, PASS, d, d, d, eps, flags, hint, Dnnl.attributes(), false);
    }

    private Call statistics(Call call, Arg source) {
        return call.with(
                DNNL_ARG_SRC, source, DNNL_ARG_MEAN, arg(ofGroups, mean), DNNL_ARG_VARIANCE, arg(ofGroups, variance));
    }

    private Call given(Call call, Parameter scale) {
        return call.with(
                        DNNL_ARG_SRC,
                        arg(plain, normalised),
                        DNNL_ARG_MEAN,
                        arg(vector, zeros),
                        DNNL_ARG_VARIANCE,
                        arg(vector, ones))
                .with(DNNL_ARG_SCALE, weight(scale));
    }
}
