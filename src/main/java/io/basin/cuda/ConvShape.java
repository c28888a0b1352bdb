package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.*;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.Memory;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** A convolution as cuDNN knows it: its descriptors, and how long its algorithms take. */
final class ConvShape {
    enum Direction {
        FORWARD("Forward", 8, 0),
        DATA("BackwardData", 6, 0b1),
        FILTER("BackwardFilter", 7, 0b1001);

        /** As it stands in the names of cuDNN's calls. */
        final String call;
        /** How many algorithms cuDNN numbers. */
        final int algorithms;
        /** Bits of those that NVIDIA says are not deterministic. */
        private final int random;

        Direction(String call, int algorithms, int random) {
            this.call = call;
            this.algorithms = algorithms;
            this.random = random;
        }
    }

    /** Timed after one run that is not; a layer that takes long is timed less often. */
    private static final int RUNS = 3;

    private static final double LONG = 30;

    /** From here on statuses of cuDNN 9 mean bad parameters, then what is not supported; then failures begin. */
    private static final int BAD_PARAMETER = 2000;

    private static final int INTERNAL_ERROR = 4000;

    private final cudnnTensorDescriptor x;
    private final cudnnFilterDescriptor w;
    private final cudnnConvolutionDescriptor conv;
    private final cudnnTensorDescriptor y;
    private final CudaDevice device;
    private final boolean narrow;
    private final Shape[] shapes;
    private final String key;

    ConvShape(
            CudaDevice device, Closer undo, Layer.Conv spec, Precision precision, Tensor in, Shape filter, Tensor out) {
        this.device = device;
        x = Descriptors.tensor(undo, in);
        narrow = precision == Precision.BF16;
        w = Descriptors.filter(undo, filter, narrow);
        conv = Descriptors.convolution(undo, spec, Descriptors.math(precision));
        y = Descriptors.tensor(undo, out);
        shapes = new Shape[] {in.shape(), filter, out.shape()};
        key = in.shape() + " " + filter + " stride " + spec.stride() + " pad " + spec.pad() + " groups " + spec.groups()
                + (narrow ? " bf16" : precision == Precision.STRICT ? " strict" : " tf32");
    }

    Algorithms.Choice choose(Direction direction) {
        return device.algorithms.choose(problem(direction));
    }

    Algorithms.Problem problem(Direction direction) {
        return new Algorithms.Problem() {
            @Override
            public String key() {
                return direction.name().toLowerCase(Locale.ROOT) + " " + key;
            }

            @Override
            public int algorithms() {
                return direction.algorithms;
            }

            @Override
            public boolean isDeterministic(int algorithm) {
                return (direction.random >> algorithm & 1) == 0;
            }

            @Override
            public long workspace(int algorithm) {
                return ConvShape.this.workspace(direction, algorithm);
            }

            @Override
            public double @Nullable [] times(List<Algorithms.Choice> candidates) {
                return ConvShape.this.times(direction, candidates);
            }
        };
    }

    /** Bytes; -1 where the algorithm does not do this layer. */
    private long workspace(Direction direction, int algorithm) {
        long[] bytes = {0};
        int status = query(direction, algorithm, bytes);
        if (status >= BAD_PARAMETER && status < INTERNAL_ERROR) return -1;
        Check.cudnn(status, "cudnnGetConvolution" + direction.call + "WorkspaceSize");
        return bytes[0];
    }

    private int query(Direction direction, int algorithm, long[] bytes) {
        cudnnHandle cudnn = device.context.cudnn;
        return switch (direction) {
            case FORWARD -> cudnnGetConvolutionForwardWorkspaceSize(cudnn, x, w, conv, y, algorithm, bytes);
            case DATA -> cudnnGetConvolutionBackwardDataWorkspaceSize(cudnn, w, y, conv, x, algorithm, bytes);
            case FILTER -> cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnn, x, y, conv, w, algorithm, bytes);
        };
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
    private double time(Direction direction, Algorithms.Choice how, DevicePointer[] at, Pointer space) {
        int[] status = {0};
        Runnable work = () -> {
            status[0] = switch (direction) {
                case FORWARD -> run(direction, how, at[0], at[1], at[2], space);
                case DATA -> run(direction, how, at[1], at[2], at[0], space);
                case FILTER -> run(direction, how, at[0], at[2], at[1], space);
            };
        };
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= RUNS; i++) {
            double time = device.context.milliseconds(work);
            if (status[0] >= BAD_PARAMETER && status[0] < INTERNAL_ERROR) return Double.POSITIVE_INFINITY;
            Check.cudnn(status[0], "cudnnConvolution" + direction.call);
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
    int run(Direction direction, Algorithms.Choice how, Pointer a, Pointer b, Pointer to, Pointer space) {
        CudaContext c = device.context;
        int algorithm = how.algorithm();
        long bytes = how.workspace();
        return switch (direction) {
            case FORWARD ->
                cudnnConvolutionForward(c.cudnn, c.one, x, a, w, b, conv, algorithm, space, bytes, c.zero, y, to);
            case DATA ->
                cudnnConvolutionBackwardData(c.cudnn, c.one, w, a, y, b, conv, algorithm, space, bytes, c.zero, x, to);
            case FILTER ->
                cudnnConvolutionBackwardFilter(
                        c.cudnn, c.one, x, a, y, b, conv, algorithm, space, bytes, c.zero, w, to);
        };
    }
}
