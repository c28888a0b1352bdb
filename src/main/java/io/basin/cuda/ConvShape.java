package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.*;

import io.basin.Nullable;
import io.basin.device.DeviceException;
import io.basin.device.Layer;
import io.basin.device.Memory;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnConvolutionBwdDataAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** A convolution as cuDNN knows it: its descriptors, and the search for the algorithm of each direction. */
final class ConvShape {
    enum Direction {
        FORWARD("Forward", 8),
        DATA("BackwardData", 6),
        FILTER("BackwardFilter", 7);

        /** As it stands in the names of cuDNN's calls. */
        final String call;
        /** How many algorithms cuDNN numbers. */
        final int algorithms;

        Direction(String call, int algorithms) {
            this.call = call;
            this.algorithms = algorithms;
        }
    }

    /** More than this no algorithm may ask for: what it would gain is not worth the batch it costs. */
    private static final long MOST_WORKSPACE = 256L << 20;

    /** From here on statuses of cuDNN 9 mean bad parameters, then what is not supported; then failures begin. */
    private static final int BAD_PARAMETER = 2000;

    private static final int INTERNAL_ERROR = 4000;

    private final cudnnTensorDescriptor x;
    private final cudnnFilterDescriptor w;
    private final cudnnConvolutionDescriptor conv;
    private final cudnnTensorDescriptor y;
    private final CudaDevice device;
    private final int math;
    private final boolean narrow;
    private final Shape[] shapes;
    private final String key;

    ConvShape(
            CudaDevice device, Closer undo, Layer.Conv spec, Precision precision, Tensor in, Shape filter, Tensor out) {
        this.device = device;
        x = Descriptors.tensor(undo, in);
        narrow = precision == Precision.BF16;
        w = Descriptors.filter(undo, filter, narrow);
        math = Descriptors.math(precision);
        conv = Descriptors.convolution(undo, spec, math);
        y = Descriptors.tensor(undo, out);
        shapes = new Shape[] {in.shape(), filter, out.shape()};
        key = in.shape() + " " + filter + " stride " + spec.stride() + " pad " + spec.pad() + " groups " + spec.groups()
                + " "
                + (precision == Precision.FP32 ? "strict" : precision.name().toLowerCase(Locale.ROOT));
    }

    Algorithms.Choice choose(Direction direction) {
        return device.algorithms.choose(new Algorithms.Problem(
                direction.name().toLowerCase(Locale.ROOT) + " " + key,
                most -> search(direction, most),
                algorithm -> workspace(direction, algorithm)));
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

    /** What the hungriest algorithm asks for that may be considered. */
    private long largestWorkspace(Direction direction) {
        long largest = 1;
        for (int algorithm = 0; algorithm < direction.algorithms; algorithm++) {
            long bytes = workspace(direction, algorithm);
            if (bytes <= MOST_WORKSPACE) largest = Math.max(largest, bytes);
        }
        return largest;
    }

    /** Runs every algorithm on zeros; null where there is no memory for them, so that the plan can still say what it needs. */
    private @Nullable List<Algorithms.Candidate> search(Direction direction, int most) {
        long free = device.context.memory()[0];
        long workspace = largestWorkspace(direction);
        long needed = workspace;
        for (Shape s : shapes) needed += bytes(s);
        if (needed > free) return null;
        List<Memory> memory = new ArrayList<>();
        try {
            for (Shape s : shapes) memory.add(device.allocate(bytes(s)));
            memory.add(device.allocate(workspace));
            DevicePointer[] at =
                    memory.stream().map(m -> CudaMemory.at(m, 0, m.bytes())).toArray(DevicePointer[]::new);
            return find(direction, most, at, workspace);
        } catch (ArrayIndexOutOfBoundsException e) {
            // JCuda reads the count of results even where the call failed and wrote none.
            String call = "cudnnFindConvolution" + direction.call + "AlgorithmEx";
            throw new DeviceException(call + " failed: JCuda does not say with which CUDNN_STATUS_", e);
        } finally {
            memory.forEach(Memory::close);
        }
    }

    private long bytes(Shape s) {
        return CudaLayout.of(s, narrow).bytes();
    }

    private List<Algorithms.Candidate> find(Direction direction, int most, DevicePointer[] at, long space) {
        cudnnHandle cudnn = device.context.cudnn;
        int[] n = {0};
        var forward = new cudnnConvolutionFwdAlgoPerf[most];
        var data = new cudnnConvolutionBwdDataAlgoPerf[most];
        var filter = new cudnnConvolutionBwdFilterAlgoPerf[most];
        int status = switch (direction) {
            case FORWARD ->
                cudnnFindConvolutionForwardAlgorithmEx(
                        cudnn, x, at[0], w, at[1], conv, y, at[2], most, n, forward, at[3], space);
            case DATA ->
                cudnnFindConvolutionBackwardDataAlgorithmEx(
                        cudnn, w, at[1], y, at[2], conv, x, at[0], most, n, data, at[3], space);
            case FILTER ->
                cudnnFindConvolutionBackwardFilterAlgorithmEx(
                        cudnn, x, at[0], y, at[2], conv, w, at[1], most, n, filter, at[3], space);
        };
        Check.cudnn(status, "cudnnFindConvolution" + direction.call + "AlgorithmEx");
        return IntStream.range(0, n[0])
                .mapToObj(i -> switch (direction) {
                    case FORWARD -> candidate(forward[i].algo, forward[i].status, forward[i].determinism, true);
                    case DATA -> candidate(data[i].algo, data[i].status, data[i].determinism, true);
                    case FILTER ->
                        candidate(filter[i].algo, filter[i].status, filter[i].determinism, filter[i].mathType == math);
                })
                .toList();
    }

    private static Algorithms.Candidate candidate(int algorithm, int status, int determinism, boolean asked) {
        return new Algorithms.Candidate(algorithm, status, determinism == 1, asked);
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
