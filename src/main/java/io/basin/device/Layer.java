package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.util.ArrayList;
import java.util.List;

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
     * @param vector a bias, scale or shift: what weight decay may be told to spare
     */
    record Param(String name, Shape shape, Initializer first, boolean vector) {}

    /**
     * The output's shape.
     *
     * @param path of the layer, for messages
     */
    default Shape output(String path, List<Shape> inputs) {
        return inputs.get(0);
    }

    /** The output's shape for a batch of one input. */
    default Shape output(String path, Tensor x) {
        return output(path, List.of(x.shape().sample())).batched(x.shape().dim(0));
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
     * Convolution, optionally with bias and ReLU in the same pass.
     *
     * @param out output channels
     * @param pad zeros added on each side
     * @param groups divides input and output channels
     * @param init of the weight; a bias begins as {@link Initializer#bias} says
     */
    record Conv(int out, int kernel, int stride, int pad, int groups, boolean bias, boolean relu, Initializer init)
            implements Linear {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape x = image(path, inputs);
            if (out < 1 || kernel < 1 || stride < 1 || pad < 0 || groups < 1) {
                throw error(
                        path, "channels, kernel, stride and groups must be positive, padding not negative: " + this);
            }
            if (x.dim(0) % groups != 0 || out % groups != 0) {
                throw error(
                        path, groups + " groups do not divide " + x.dim(0) + " input and " + out + " output channels");
            }
            return windows(path, x, out, kernel, stride, pad);
        }

        @Override
        public Param weight(Shape input) {
            return new Param("weight", Shape.of(out, input.dim(0) / groups, kernel, kernel), init, false);
        }
    }

    /** Batch normalisation over (N, H, W), optionally with ReLU in the same pass; running = (1-m) running + m batch. */
    record BatchNorm(double eps, double momentum, boolean relu) implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            if (!(eps > 0) || !(momentum > 0 && momentum <= 1)) {
                throw error(path, "batch norm needs eps > 0 and 0 < momentum <= 1: " + this);
            }
            return inputs.get(0);
        }

        /** gamma, (C). */
        public Param scale(Shape input) {
            return new Param("weight", Shape.of(input.dim(0)), Initializer.constant(1), true);
        }

        /** beta, (C). */
        public Param shift(Shape input) {
            return new Param("bias", Shape.of(input.dim(0)), Initializer.constant(0), true);
        }

        public Param mean(Shape input) {
            return new Param("running_mean", Shape.of(input.dim(0)), Initializer.constant(0), true);
        }

        public Param variance(Shape input) {
            return new Param("running_var", Shape.of(input.dim(0)), Initializer.constant(1), true);
        }

        @Override
        public List<Param> parameters(Shape input) {
            return List.of(scale(input), shift(input));
        }

        @Override
        public List<Param> statistics(Shape input) {
            return List.of(mean(input), variance(input));
        }
    }

    /** Fully connected layer over everything but N, optionally with ReLU in the same pass. */
    record Dense(int out, boolean bias, boolean relu, Initializer init) implements Linear {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            if (out < 1) throw error(path, "a dense layer needs at least one output, got " + out);
            return Shape.of(out);
        }

        @Override
        public Param weight(Shape input) {
            return new Param("weight", Shape.of(out, Math.toIntExact(input.elements())), init, false);
        }
    }

    enum PoolKind {
        MAX,
        AVERAGE
    }

    /** Pooling; averages do not count padding. */
    record Pool(PoolKind kind, int kernel, int stride, int pad) implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape x = image(path, inputs);
            if (kernel < 1 || stride < 1 || pad < 0 || 2 * pad > kernel) {
                throw error(path, "kernel and stride must be positive, padding at most half the kernel: " + this);
            }
            return windows(path, x, x.dim(0), kernel, stride, pad);
        }
    }

    record Relu() implements Layer {}

    record Add() implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape a = inputs.get(0);
            if (!a.equals(inputs.get(1))) throw error(path, "cannot add " + a + " and " + inputs.get(1));
            return a;
        }
    }

    /** Zeroes each element with probability p while training and scales the others by 1/(1-p). */
    record Dropout(double p) implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            if (!(p >= 0 && p < 1)) throw error(path, "dropout needs 0 <= p < 1, got " + p);
            return inputs.get(0);
        }
    }

    /** A pointwise function of the caller's own. */
    record Pointwise(Elementwise function) implements Layer {}

    /** What windows of {@code kernel} squared make of an image (C, H, W). */
    private static Shape windows(String path, Shape x, int channels, int kernel, int stride, int pad) {
        List<Integer> extents = new ArrayList<>(List.of(channels));
        for (int axis = 1; axis <= 2; axis++) {
            int room = x.dim(axis) + 2 * pad - kernel;
            if (room < 0) throw error(path, "kernel " + kernel + " exceeds its input " + x + " with padding " + pad);
            extents.add(room / stride + 1);
        }
        return new Shape(extents);
    }

    private static Shape image(String path, List<Shape> inputs) {
        Shape x = inputs.get(0);
        if (x.rank() != 3) throw error(path, "needs an input (channels, height, width), got " + x);
        return x;
    }

    private static IllegalArgumentException error(String path, String message) {
        return new IllegalArgumentException(path + ": " + message);
    }
}
