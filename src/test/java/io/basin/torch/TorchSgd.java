package io.basin.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Optimizer;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/**
 * SGD with momentum by either of libtorch's routes. {@link Route#FUSED} is PyTorch's {@code SGD(fused=True)}: one kernel
 * reads weight, gradient and momentum once. The Java API has no method for it, so the operator is called boxed, through
 * the dispatcher. {@link Route#MODULE} is the C++ optimizer, a loop of four passes over each tensor.
 */
public final class TorchSgd {
    /** The two implementations libtorch has. */
    public enum Route {
        FUSED,
        MODULE,
        /** Not SGD: AdamW, with its usual decays and {@link #EPS}. */
        ADAMW
    }

    /** Of AdamW: large beside the rounding of gradients, whose sign would otherwise move weights that have none. */
    public static final double EPS = 1e-3;

    /** Hyper-parameters; dampening is 0. */
    public record Settings(double lr, double momentum, double weightDecay, boolean nesterov) {}

    private final List<Tensor> weights;
    private final TensorVector weightVector;
    private final UnaryOperator<Tensor> layout;
    private final Optimizer module;
    private final Fused fused;

    /** @param layout brings a gradient into its weight's memory order, which the fused kernel takes for granted */
    public TorchSgd(List<Tensor> weights, Settings settings, Route route, UnaryOperator<Tensor> layout) {
        this.weights = List.copyOf(weights);
        this.layout = layout;
        weightVector = new TensorVector(weights.toArray(Tensor[]::new));
        module = switch (route) {
            case MODULE -> new SGD(weightVector, options(settings));
            case ADAMW -> new AdamW(weightVector, adamw(settings));
            case FUSED -> null;
        };
        fused = route == Route.FUSED ? new Fused(this.weights, settings) : null;
    }

    private static AdamWOptions adamw(Settings settings) {
        AdamWOptions options = new AdamWOptions(settings.lr());
        options.weight_decay().put(settings.weightDecay());
        options.eps().put(EPS);
        return options;
    }

    private static SGDOptions options(Settings settings) {
        SGDOptions options = new SGDOptions(settings.lr());
        options.momentum().put(settings.momentum());
        options.weight_decay().put(settings.weightDecay());
        options.nesterov().put(settings.nesterov());
        return options;
    }

    /** Backward pass and update. The fused route asks for gradients directly, which spares accumulating into {@code .grad}. */
    public void minimise(Tensor loss) {
        if (module != null) {
            module.zero_grad();
            loss.backward();
            module.step();
        } else {
            apply(torch.grad(new TensorVector(loss), weightVector));
        }
    }

    /** The update alone, from gradients in the weights' order. */
    public void apply(TensorVector gradients) {
        if (module != null) {
            for (int i = 0; i < weights.size(); i++) {
                weights.get(i).mutable_grad().put(gradients.get(i));
            }
            module.step();
        } else {
            fused.step(gradients, layout);
        }
    }

    /** Arguments of {@code aten::_fused_sgd_}, of which only the gradients change from step to step. */
    private static final class Fused {
        private final OperatorHandle operator = Dispatcher.singleton().findSchemaOrThrow("aten::_fused_sgd_", "");
        private final GenericList gradients;
        private final int count;
        private final List<IValue> arguments;

        Fused(List<Tensor> weights, Settings settings) {
            count = weights.size();
            gradients = list(weights);
            List<Tensor> momenta =
                    weights.stream().map(w -> torch.zeros_like(w.detach())).toList();
            arguments = new ArrayList<>(List.of(
                    new IValue(list(weights.stream().map(Tensor::detach).toList())),
                    new IValue(gradients),
                    new IValue(list(momenta)),
                    new IValue(settings.weightDecay()),
                    new IValue(settings.momentum()),
                    new IValue(settings.lr()),
                    new IValue(0.0),
                    new IValue(settings.nesterov()),
                    new IValue(false),
                    new IValue(false),
                    new IValue(),
                    new IValue()));
        }

        private static GenericList list(List<Tensor> tensors) {
            GenericList list = new GenericList(new Type.TypePtr(TensorType.get()));
            tensors.forEach(t -> list.push_back(new IValue(t)));
            return list;
        }

        void step(TensorVector fresh, UnaryOperator<Tensor> layout) {
            for (int i = 0; i < count; i++) {
                gradients.set(i, new IValue(layout.apply(fresh.get(i))));
            }
            operator.callBoxed(new IValueVector(arguments.toArray(IValue[]::new)));
        }
    }
}
