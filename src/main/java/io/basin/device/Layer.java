package io.basin.device;

import static io.basin.device.LayerShapes.require;

import io.basin.Api;
import io.basin.Nullable;
import java.util.List;
import java.util.stream.Stream;

/**
 * One layer of a net as plain data: printed, compared, written into headers and planned by devices.
 *
 * <p>A layer owns its shape rule and its parameter list; a device owns layouts and kernels and decides nothing else. Shapes here
 * are those of one sample, (C, H, W) or (C): the batch is the plan's. Layers are compared by content; a caller's own {@link
 * Initializer} or {@link Elementwise} inside by its own {@code equals}.
 */
@Api
public sealed interface Layer {
    /**
     * A tensor of a layer: trained, or a batch-norm statistic, which is kept beside the weights and never stepped.
     *
     * @param name within the layer, as PyTorch has it: {@code weight} or {@code bias}
     * @param shape in PyTorch's order: (out, in, kh, kw), (out, in) or (channels)
     * @param vector a bias, scale or shift, which weight decay may spare
     */
    record Param(String name, Shape shape, Initializer first, boolean vector) {
        static Param ofChannels(String name, Shape input, float first) {
            return new Param(name, Shape.of(input.dim(0)), Initializer.constant(first), true);
        }
    }

    /** The output's shape; messages name {@code path}. */
    default Shape output(String path, List<Shape> inputs) {
        return inputs.get(0);
    }

    /** The output's shape for a batch. */
    default Shape output(String path, Tensor... inputs) {
        List<Shape> samples = Stream.of(inputs).map(x -> x.shape().sample()).toList();
        return output(path, samples).batched(inputs[0].shape().dim(0));
    }

    /** The trained tensors, in PyTorch's order. */
    default List<Param> parameters(Shape input) {
        return List.of();
    }

    default List<Param> statistics(Shape input) {
        return List.of();
    }

    /** A layer of products with a weight, to which a bias may be added. */
    sealed interface Linear extends Layer {
        int out();

        boolean bias();

        Param weight(Shape input);

        /** Begins as {@link Initializer#bias} says; null for none. */
        default @Nullable Param bias(Shape input) {
            Param weight = weight(input);
            Initializer first = weight.first().bias(weight.shape().elements() / out());
            return bias() ? new Param("bias", Shape.of(out()), first, true) : null;
        }

        @Override
        default List<Param> parameters(Shape input) {
            return bias() ? List.of(weight(input), bias(input)) : List.of(weight(input));
        }
    }

    /**
     * Elements that a convolution or pool reads along one axis of an image: {@code kernel} for one output, {@code dilation} apart
     * (1: neighbours), {@code stride} on from output to output. {@code pad} is added on each side: zeros; a pool skips them.
     */
    record Window(int kernel, int stride, int pad, int dilation) {
        public Window(int kernel, int stride, int pad) {
            this(kernel, stride, pad, 1);
        }

        /** One for both axes where they are alike: runs and files of earlier versions have this text. */
        private static String text(Window vertical, Window horizontal) {
            if (!vertical.equals(horizontal) || vertical.dilation > 1) {
                return "vertical=" + vertical + ", horizontal=" + horizontal;
            }
            return "kernel=" + vertical.kernel + ", stride=" + vertical.stride + ", pad=" + vertical.pad;
        }
    }

    /** Convolution to {@code out} channels, in {@code groups} that divide both channels, with bias and ReLU in the same pass. */
    record Conv(int out, Window vertical, Window horizontal, int groups, boolean bias, boolean relu, Initializer init)
            implements Linear {
        /** Square windows. */
        public Conv(
                int out, int kernel, int stride, int pad, int groups, boolean bias, boolean relu, Initializer init) {
            this(out, new Window(kernel, stride, pad), new Window(kernel, stride, pad), groups, bias, relu, init);
        }

        @Override
        public Shape output(String path, List<Shape> inputs) {
            return LayerShapes.conv(path, this, inputs);
        }

        @Override
        public Param weight(Shape input) {
            Shape shape = Shape.of(out, input.dim(0) / groups, vertical.kernel, horizontal.kernel);
            return new Param("weight", shape, init, false);
        }

        @Override
        public String toString() {
            return "Conv[out=" + out + ", " + Window.text(vertical, horizontal) + ", groups=" + groups + ", bias="
                    + bias + ", relu=" + relu + ", init=" + init + "]";
        }
    }

    /** Fully connected layer over everything but N, optionally with ReLU in the same pass. */
    record Dense(int out, boolean bias, boolean relu, Initializer init) implements Linear {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            require(out > 0, path, "a dense layer needs at least one output, got " + out);
            return Shape.of(out);
        }

        @Override
        public Param weight(Shape input) {
            return new Param("weight", Shape.of(out, Math.toIntExact(input.elements())), init, false);
        }
    }

    /** A layer that normalises, then scales each channel by gamma and shifts it by beta, both (C). */
    sealed interface Norm extends Layer {
        default Param scale(Shape input) {
            return Param.ofChannels("weight", input, 1);
        }

        default Param shift(Shape input) {
            return Param.ofChannels("bias", input, 0);
        }

        @Override
        default List<Param> parameters(Shape input) {
            return List.of(scale(input), shift(input));
        }
    }

    /** Batch normalisation over (N, H, W), optionally with ReLU in the same pass; running = (1-m) running + m batch. */
    record BatchNorm(double eps, double momentum, boolean relu) implements Norm {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            boolean sound = eps > 0 && momentum > 0 && momentum <= 1;
            require(sound, path, "batch norm needs eps > 0 and 0 < momentum <= 1: " + this);
            return inputs.get(0);
        }

        public Param mean(Shape input) {
            return Param.ofChannels("running_mean", input, 0);
        }

        public Param variance(Shape input) {
            return Param.ofChannels("running_var", input, 1);
        }

        @Override
        public List<Param> statistics(Shape input) {
            return List.of(mean(input), variance(input));
        }
    }

    /** Group normalisation of each sample over (C / groups, H, W), by its biased variance (Wu and He 2018, arXiv 1803.08494). */
    record GroupNorm(int groups, double eps) implements Norm {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            int channels = inputs.get(0).dim(0);
            require(groups > 0 && eps > 0, path, "group norm needs groups > 0 and eps > 0: " + this);
            require(channels % groups == 0, path, groups + " groups do not divide " + channels + " channels");
            return inputs.get(0);
        }
    }

    enum PoolKind {
        MAX,
        AVERAGE
    }

    /** Pooling; averages do not count padding. */
    record Pool(PoolKind kind, Window vertical, Window horizontal) implements Layer {
        /** Square windows. */
        public Pool(PoolKind kind, int kernel, int stride, int pad) {
            this(kind, new Window(kernel, stride, pad), new Window(kernel, stride, pad));
        }

        @Override
        public Shape output(String path, List<Shape> inputs) {
            return LayerShapes.pool(path, this, inputs);
        }

        @Override
        public String toString() {
            return "Pool[kind=" + kind + ", " + Window.text(vertical, horizontal) + "]";
        }
    }

    record Relu() implements Layer {}

    record Add() implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape a = inputs.get(0);
            require(a.equals(inputs.get(1)), path, "cannot add " + a + " and " + inputs.get(1));
            return a;
        }
    }

    /** Its inputs' channels, one after another, as torch.cat of dimension 1 has them. */
    record Concat() implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            return LayerShapes.concat(path, inputs);
        }
    }

    /** Zeroes each element with probability p while training and scales the others by 1/(1-p). */
    record Dropout(double p) implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            require(p >= 0 && p < 1, path, "dropout needs 0 <= p < 1, got " + p);
            return inputs.get(0);
        }
    }

    /** A pointwise function of the caller's own. */
    record Pointwise(Elementwise function) implements Layer {}
}
