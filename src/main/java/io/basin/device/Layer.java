package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.util.ArrayList;
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
     * What a convolution or pool reads along one axis of an image.
     *
     * @param kernel elements read for one output
     * @param stride from one output's to the next one's
     * @param pad added on each side: zeros before a convolution; a pool passes over them
     * @param dilation from one element read to the next; 1: they are neighbours
     */
    record Window(int kernel, int stride, int pad, int dilation) {
        public Window(int kernel, int stride, int pad) {
            this(kernel, stride, pad, 1);
        }

        private boolean isSound() {
            return kernel > 0 && stride > 0 && pad >= 0 && dilation > 0;
        }

        /** As a square's sides in one, where they are alike. */
        private static String text(Window vertical, Window horizontal) {
            if (!vertical.equals(horizontal) || vertical.dilation > 1) {
                return "vertical=" + vertical + ", horizontal=" + horizontal;
            }
            return "kernel=" + vertical.kernel + ", stride=" + vertical.stride + ", pad=" + vertical.pad;
        }
    }

    /**
     * Convolution, optionally with bias and ReLU in the same pass.
     *
     * @param out output channels
     * @param vertical along the height
     * @param horizontal along the width
     * @param groups divides input and output channels
     * @param init of the weight; a bias begins as {@link Initializer#bias} says
     */
    record Conv(int out, Window vertical, Window horizontal, int groups, boolean bias, boolean relu, Initializer init)
            implements Linear {
        /** Of squares. */
        public Conv(
                int out, int kernel, int stride, int pad, int groups, boolean bias, boolean relu, Initializer init) {
            this(out, new Window(kernel, stride, pad), new Window(kernel, stride, pad), groups, bias, relu, init);
        }

        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape x = image(path, inputs);
            if (out < 1 || groups < 1 || !vertical.isSound() || !horizontal.isSound()) {
                throw error(
                        path,
                        "channels, kernel, stride, dilation and groups must be positive, padding not negative: "
                                + this);
            }
            if (x.dim(0) % groups != 0 || out % groups != 0) {
                throw error(
                        path, groups + " groups do not divide " + x.dim(0) + " input and " + out + " output channels");
            }
            return windows(path, x, out, vertical, horizontal);
        }

        @Override
        public Param weight(Shape input) {
            return new Param(
                    "weight", Shape.of(out, input.dim(0) / groups, vertical.kernel, horizontal.kernel), init, false);
        }

        /** Runs of earlier versions are known by this text. */
        @Override
        public String toString() {
            return "Conv[out=" + out + ", " + Window.text(vertical, horizontal) + ", groups=" + groups + ", bias="
                    + bias + ", relu=" + relu + ", init=" + init + "]";
        }
    }

    /** A layer that normalises, then scales and shifts each channel. */
    sealed interface Norm extends Layer {
        /** gamma, (C). */
        default Param scale(Shape input) {
            return new Param("weight", Shape.of(input.dim(0)), Initializer.constant(1), true);
        }

        /** beta, (C). */
        default Param shift(Shape input) {
            return new Param("bias", Shape.of(input.dim(0)), Initializer.constant(0), true);
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
            if (!(eps > 0) || !(momentum > 0 && momentum <= 1)) {
                throw error(path, "batch norm needs eps > 0 and 0 < momentum <= 1: " + this);
            }
            return inputs.get(0);
        }

        public Param mean(Shape input) {
            return new Param("running_mean", Shape.of(input.dim(0)), Initializer.constant(0), true);
        }

        public Param variance(Shape input) {
            return new Param("running_var", Shape.of(input.dim(0)), Initializer.constant(1), true);
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
            if (groups < 1 || !(eps > 0)) throw error(path, "group norm needs groups > 0 and eps > 0: " + this);
            if (channels % groups != 0) throw error(path, groups + " groups do not divide " + channels + " channels");
            return inputs.get(0);
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
    record Pool(PoolKind kind, Window vertical, Window horizontal) implements Layer {
        /** Of squares. */
        public Pool(PoolKind kind, int kernel, int stride, int pad) {
            this(kind, new Window(kernel, stride, pad), new Window(kernel, stride, pad));
        }

        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape x = image(path, inputs);
            for (Window w : List.of(vertical, horizontal)) {
                if (w.isSound() && w.dilation == 1 && w.pad <= w.kernel / 2) continue;
                throw error(
                        path,
                        "kernel and stride must be positive, padding at most half the kernel, dilation 1: " + this);
            }
            return windows(path, x, x.dim(0), vertical, horizontal);
        }

        /** Runs of earlier versions are known by this text. */
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
            if (!a.equals(inputs.get(1))) throw error(path, "cannot add " + a + " and " + inputs.get(1));
            return a;
        }
    }

    /** Its inputs' channels, one after another, as torch.cat of dimension 1 has them. */
    record Concat() implements Layer {
        @Override
        public Shape output(String path, List<Shape> inputs) {
            Shape first = inputs.get(0);
            int channels = 0;
            for (Shape x : inputs) {
                List<Integer> rest = x.dims().subList(1, x.rank());
                if (!rest.equals(first.dims().subList(1, first.rank()))) {
                    throw error(path, "cannot put " + first + " and " + x + " together: more than channels differ");
                }
                channels = Math.addExact(channels, x.dim(0));
            }
            List<Integer> extents = new ArrayList<>(first.dims());
            extents.set(0, channels);
            return new Shape(extents);
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

    /** What windows make of an image (C, H, W). */
    private static Shape windows(String path, Shape x, int channels, Window... axes) {
        List<Integer> extents = new ArrayList<>(List.of(channels));
        for (Window w : axes) {
            long reach = (long) w.dilation * (w.kernel - 1) + 1;
            long room = x.dim(extents.size()) + 2L * w.pad - reach;
            if (room < 0) {
                String dilated = w.dilation > 1 ? " with dilation " + w.dilation : "";
                throw error(
                        path, "kernel " + w.kernel + dilated + " exceeds its input " + x + " with padding " + w.pad);
            }
            extents.add(Math.toIntExact(room / w.stride + 1));
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
