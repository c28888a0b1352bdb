package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.*;
import static jcuda.jcudnn.cudnnTensorFormat.CUDNN_TENSOR_NCHW;
import static jcuda.jcudnn.cudnnTensorFormat.CUDNN_TENSOR_NHWC;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.Memory;
import io.basin.device.MemoryEstimate;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** A convolution as cuDNN knows it: its descriptors, and how long its algorithms take. */
final class ConvShape {
    enum Direction {
        FORWARD("Forward", 8, 0, 0, 1, 2),
        DATA("BackwardData", 6, 0b1, 1, 2, 0),
        FILTER("BackwardFilter", 7, 0b1001, 0, 2, 1);

        /** As it stands in the names of cuDNN's calls. */
        final String call;
        /** How many algorithms cuDNN numbers. */
        final int algorithms;
        /** Bits of those that NVIDIA says are not deterministic. */
        private final int random;
        /** The ones of x, w and y that are read, and the one that is written. */
        private final int a;

        private final int b;
        private final int to;

        Direction(String call, int algorithms, int random, int a, int b, int to) {
            this.call = call;
            this.algorithms = algorithms;
            this.random = random;
            this.a = a;
            this.b = b;
            this.to = to;
        }
    }

    /** Descriptors of x, w and y in one order, w also as a tensor. */
    private record Form(List<cudnnTensorDescriptor> all, cudnnFilterDescriptor w) {
        static Form of(Closer undo, Shape[] shapes, boolean narrow, int format) {
            return new Form(
                    Arrays.stream(shapes)
                            .map(s -> Descriptors.tensor(undo, s, narrow, format))
                            .toList(),
                    Descriptors.filter(undo, shapes[1], narrow, format));
        }

        cudnnTensorDescriptor x() {
            return all.get(0);
        }

        cudnnTensorDescriptor y() {
            return all.get(2);
        }
    }

    /** Timed after one run that is not; a layer that takes long is timed less often. */
    private static final int RUNS = 3;

    private static final double LONG = 30;

    /** From here on statuses of cuDNN 9 mean bad parameters, then what is not supported; then failures begin. */
    private static final int BAD_PARAMETER = 2000;

    private static final int INTERNAL_ERROR = 4000;

    private static final long ALIGNMENT = 256;

    /** As everything lies, channels last. */
    private final Form last;
    /** Of copies with channels first. */
    private final Form first;

    private final Map<Direction, Boolean> copied = new EnumMap<>(Direction.class);

    private final cudnnConvolutionDescriptor conv;
    private final CudaDevice device;
    private final boolean narrow;
    private final boolean strict;
    private final Shape[] shapes;
    private final String key;

    ConvShape(
            CudaDevice device, Closer undo, Layer.Conv spec, Precision precision, Tensor in, Shape filter, Tensor out) {
        this.device = device;
        narrow = precision == Precision.BF16;
        strict = precision == Precision.STRICT;
        shapes = new Shape[] {in.shape(), filter, out.shape()};
        last = Form.of(undo, shapes, narrow, CUDNN_TENSOR_NHWC);
        first = Form.of(undo, shapes, narrow, CUDNN_TENSOR_NCHW);
        conv = Descriptors.convolution(undo, spec, Descriptors.math(precision));
        Layer.Window v = spec.vertical();
        Layer.Window h = spec.horizontal();
        String dilation = v.dilation() * h.dilation() == 1 ? "" : " dilation " + sides(v.dilation(), h.dilation());
        key = in.shape() + " " + filter + " stride " + sides(v.stride(), h.stride()) + " pad " + sides(v.pad(), h.pad())
                + dilation + " groups " + spec.groups()
                + (narrow ? " bf16" : strict ? " strict" : " tf32");
    }

    private static String sides(int vertical, int horizontal) {
        return vertical == horizontal ? "" + vertical : vertical + "x" + horizontal;
    }

    /** Rather than failed. */
    private static boolean refused(int status) {
        return status >= BAD_PARAMETER && status < INTERNAL_ERROR;
    }

    Algorithms.Choice choose(Direction direction) {
        return device.algorithms.choose(problem(direction));
    }

    /** Copies grow with the batch, and count where they are tried: the fastest algorithm changes with it. */
    MemoryEstimate.Scratch scratch(Direction direction, Algorithms.Choice choice) {
        long copies = copies(direction) ? place(shapes.length) : 0;
        boolean chosen = choice.algorithm() >= direction.algorithms;
        return new MemoryEstimate.Scratch(choice.workspace() - (chosen ? copies : 0), copies);
    }

    private String key(Direction direction) {
        return direction.name().toLowerCase(Locale.ROOT) + " " + key;
    }

    private Algorithms.Problem problem(Direction d) {
        return new Algorithms.Problem(key(d), d.algorithms, d.random, a -> workspace(d, a), c -> times(d, c));
    }

    /** Bytes, with the copies'; -1 where the algorithm does not do this layer. */
    private long workspace(Direction direction, int algorithm) {
        if (algorithm < direction.algorithms) return workspace(direction, last, algorithm);
        if (!copies(direction)) return -1;
        long bytes = workspace(direction, first, algorithm - direction.algorithms);
        return bytes < 0 ? bytes : bytes + place(shapes.length);
    }

    /**
     * Whether copies with channels first are tried: for products of float32, since cuDNN's modern kernels with channels last are all
     * for tensor cores; and where no deterministic algorithm takes channels last.
     */
    private boolean copies(Direction direction) {
        if (narrow || strict) return strict;
        // Asked of cuDNN once, not for each of its algorithms.
        return copied.computeIfAbsent(
                direction,
                d -> IntStream.range(0, d.algorithms)
                        .noneMatch(a -> (d.random >> a & 1) == 0 && workspace(d, last, a) >= 0));
    }

    private long workspace(Direction direction, Form form, int algorithm) {
        long[] bytes = {0};
        int status = query(direction, form, algorithm, bytes);
        if (refused(status)) return -1;
        Check.cudnn(status, "cudnnGetConvolution" + direction.call + "WorkspaceSize");
        return bytes[0];
    }

    private int query(Direction direction, Form f, int algorithm, long[] bytes) {
        cudnnHandle cudnn = device.context.cudnn;
        return switch (direction) {
            case FORWARD -> cudnnGetConvolutionForwardWorkspaceSize(cudnn, f.x(), f.w, conv, f.y(), algorithm, bytes);
            case DATA -> cudnnGetConvolutionBackwardDataWorkspaceSize(cudnn, f.w, f.y(), conv, f.x(), algorithm, bytes);
            case FILTER ->
                cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnn, f.x(), f.y(), conv, f.w, algorithm, bytes);
        };
    }

    /** The offset of the copy of x, w or y in the workspace, or the end of them all. */
    private long place(int copy) {
        return Arrays.stream(shapes, 0, copy)
                .mapToLong(s -> (bytes(s) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)
                .sum();
    }

    private long bytes(Shape s) {
        return CudaLayout.of(s, narrow).bytes();
    }

    /** On random numbers: zeros would let a card run faster than it does. */
    private double @Nullable [] times(Direction direction, List<Algorithms.Choice> candidates) {
        long workspace = candidates.stream()
                .mapToLong(Algorithms.Choice::workspace)
                .max()
                .orElse(0);
        long needed = workspace;
        for (Shape s : shapes) needed += bytes(s);
        if (needed > device.context.memory()[0]) return null;
        List<Memory> memory = new ArrayList<>();
        try {
            DevicePointer[] at = new DevicePointer[shapes.length];
            for (int i = 0; i < at.length; i++) {
                memory.add(device.allocate(bytes(shapes[i])));
                at[i] = CudaMemory.at(memory.get(i), 0, bytes(shapes[i]));
                int n = Math.toIntExact(shapes[i].elements());
                String noise = narrow ? "noiseBf16" : "noise";
                device.kernels
                        .launch("pointwise.cu", noise, (n + 3) / 4)
                        .args(at[i], n, (long) i)
                        .run();
            }
            memory.add(device.allocate(Math.max(1, workspace)));
            DevicePointer space = CudaMemory.at(memory.get(at.length), 0, workspace);
            return candidates.stream()
                    .mapToDouble(c -> time(direction, c, at, space))
                    .toArray();
        } finally {
            memory.forEach(Memory::close);
        }
    }

    /** The shortest of a few runs. */
    private double time(Direction d, Algorithms.Choice how, DevicePointer[] at, DevicePointer space) {
        int[] status = {0};
        Runnable work = () -> status[0] = run(d, how, at[d.a], at[d.b], at[d.to], space);
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= RUNS; i++) {
            double time = device.context.milliseconds(work);
            if (refused(status[0])) return Double.POSITIVE_INFINITY;
            Check.cudnn(status[0], "cudnnConvolution" + d.call);
            if (i > 0) best = Math.min(best, time);
            if (i > 0 && time > LONG) break;
        }
        return best;
    }

    /**
     * Runs one direction.
     *
     * @param a and b what is read: x and w, w and dy, x and dy
     * @param to what is written: y, dx, dw
     * @return cuDNN's status
     */
    int run(Direction d, Algorithms.Choice how, Pointer a, Pointer b, Pointer to, DevicePointer space) {
        int algorithm = how.algorithm();
        if (algorithm < d.algorithms) return run(d, last, algorithm, how.workspace(), a, b, to, space);
        long end = place(shapes.length);
        DevicePointer left = space.plus(place(d.a));
        DevicePointer right = space.plus(place(d.b));
        DevicePointer out = space.plus(place(d.to));
        int status = copy(last, a, first, left, d.a);
        if (status == 0) status = copy(last, b, first, right, d.b);
        if (status == 0) {
            long bytes = how.workspace() - end;
            status = run(d, first, algorithm - d.algorithms, bytes, left, right, out, space.plus(end));
        }
        return status == 0 ? copy(first, out, last, to, d.to) : status;
    }

    private int copy(Form from, Pointer source, Form to, Pointer target, int which) {
        CudaContext c = device.context;
        int status =
                cudnnTransformTensor(c.cudnn, c.one, from.all.get(which), source, c.zero, to.all.get(which), target);
        if (!refused(status)) Check.cudnn(status, "cudnnTransformTensor");
        return status;
    }

    private int run(
            Direction d, Form f, int algorithm, long bytes, Pointer a, Pointer b, Pointer to, DevicePointer space) {
        CudaContext c = device.context;
        return switch (d) {
            case FORWARD ->
                cudnnConvolutionForward(
                        c.cudnn, c.one, f.x(), a, f.w, b, conv, algorithm, space, bytes, c.zero, f.y(), to);
            case DATA ->
                cudnnConvolutionBackwardData(
                        c.cudnn, c.one, f.w, a, f.y(), b, conv, algorithm, space, bytes, c.zero, f.x(), to);
            case FILTER ->
                cudnnConvolutionBackwardFilter(
                        c.cudnn, c.one, f.x(), a, f.y(), b, conv, algorithm, space, bytes, c.zero, f.w, to);
        };
    }
}
