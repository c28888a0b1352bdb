package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.Nullable;
import io.basin.device.Arena;
import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_desc;

/**
 * A layer with weights, optionally with bias, residual and ReLU in the same pass, for convolutions and dense layers.
 *
 * <p>Weights live in the layout in which backward produces their gradient, as the update needs both in one order;
 * forward and backward-data reorder them where they prefer another, which costs a few microseconds a layer.
 */
abstract class CpuLinear extends CpuOp {
    final Tensor x;

    CpuLinear(Dnnl dnnl, PlanContext scope, Tensor x) {
        super(dnnl, scope);
        this.x = x;
    }

    /** The three primitives of one layer, chosen together; no gradients in evaluation, none of the data where none is needed. */
    record Choice(
            primitive_desc forward,
            @Nullable primitive_desc weights,
            @Nullable primitive_desc data) {
        boolean slow() {
            return Dnnl.slow(forward) || weights != null && Dnnl.slow(weights) || data != null && Dnnl.slow(data);
        }
    }

    /** Undefined for no bias. */
    static memory.desc biasDesc(Layer.@Nullable Param bias) {
        return bias == null ? new memory.desc() : Dnnl.vector(bias.shape().dim(0));
    }

    /**
     * Plans all calls.
     *
     * @param bias null for none
     * @param evaluated the layout of the weights where no gradient decides it
     */
    final void plan(
            Choice choice,
            Shape shape,
            Layer.Param weight,
            Layer.@Nullable Param bias,
            memory.desc evaluated,
            @Nullable Tensor residual,
            boolean relu) {
        primitive_desc pd = choice.forward();
        output(shape, pd.dst_desc());
        memory.desc master =
                choice.weights() == null ? evaluated : choice.weights().diff_weights_desc();
        Parameter w = scope.parameter(weight, new CpuLayout(master));
        Parameter b = bias == null ? null : scope.parameter(bias, new CpuLayout(biasDesc(bias)));
        Arg source = input(x, pd.src_desc());
        Call call = call(pd).with(
                        DNNL_ARG_SRC,
                        source,
                        DNNL_ARG_WEIGHTS,
                        weightAs(w, pd.weights_desc(), false),
                        DNNL_ARG_DST,
                        value(output()));
        if (b != null) call.with(DNNL_ARG_BIAS, weight(b));
        if (residual != null) call.with(Dnnl.FIRST_POST_OP, input(residual, pd.dst_desc()));
        forward(call);
        if (choice.weights() == null) return;
        Arg dy = relu ? CpuPointwise.throughRelu(this, output()) : grad(output());
        if (residual != null && residual.grad() != null) passOn(residual, dy);
        planWeightGradient(choice.weights(), source, dy, w, b);
        if (choice.data() != null) planDataGradient(choice.data(), dy, w);
    }

    private void planWeightGradient(primitive_desc pd, Arg source, Arg dy, Parameter w, @Nullable Parameter b) {
        // Another layout than the parameter's own where an earlier plan of the model chose that.
        memory.desc produced = pd.diff_weights_desc();
        boolean own = CpuLayout.of(w.layout()).equals(produced);
        Arg dw = own ? weightGrad(w) : arg(produced, scope.inBackward(produced.get_size()));
        Call call = call(pd).with(DNNL_ARG_SRC, source, DNNL_ARG_DIFF_DST, dy, DNNL_ARG_DIFF_WEIGHTS, dw);
        if (b != null) call.with(DNNL_ARG_DIFF_BIAS, weightGrad(b));
        backward(call);
        if (dw.arena() != Arena.GRADS) backward(reorder(dw, weightGrad(w)));
    }

    private void planDataGradient(primitive_desc pd, Arg dy, Parameter w) {
        Arg dx = inputGrad(x, pd.diff_src_desc());
        backward(call(pd).with(
                        DNNL_ARG_DIFF_DST,
                        dy,
                        DNNL_ARG_WEIGHTS,
                        weightAs(w, pd.weights_desc(), true),
                        DNNL_ARG_DIFF_SRC,
                        dx));
        deliver(x, dx);
    }

    /** A parameter as forward or backward wants it. */
    private Arg weightAs(Parameter p, memory.desc wanted, boolean backward) {
        Arg own = weight(p);
        if (own.desc().equals(wanted)) return own;
        long bytes = wanted.get_size();
        Arg copy = arg(wanted, backward ? scope.inBackward(bytes) : scope.inForward(bytes));
        if (backward) backward(reorder(own, copy));
        else forward(reorder(own, copy));
        return copy;
    }
}
