package io.basin.nn;

import io.basin.device.Layer;
import io.basin.device.Shape;

/** The shape rules: what each spec makes of its input, or a message that names the layer and both sizes. */
final class Shapes {
    private Shapes() {}

    static Shape conv(String path, Layer.Conv s, Shape x) {
        requireImage(path, x);
        if (s.out() < 1 || s.kernel() < 1 || s.stride() < 1 || s.pad() < 0 || s.groups() < 1) {
            throw error(path, "channels, kernel, stride and groups must be positive and padding not negative: " + s);
        }
        if (x.dim(0) % s.groups() != 0 || s.out() % s.groups() != 0) {
            throw error(
                    path,
                    s.groups() + " groups do not divide " + x.dim(0) + " input and " + s.out() + " output channels");
        }
        return Shape.of(
                s.out(),
                extent(path, x, x.dim(1), s.kernel(), s.stride(), s.pad()),
                extent(path, x, x.dim(2), s.kernel(), s.stride(), s.pad()));
    }

    static Shape pool(String path, Layer.Pool s, Shape x) {
        requireImage(path, x);
        if (s.kernel() < 1 || s.stride() < 1 || s.pad() < 0 || 2 * s.pad() > s.kernel()) {
            throw error(path, "kernel and stride must be positive and padding at most half the kernel: " + s);
        }
        return Shape.of(
                x.dim(0),
                extent(path, x, x.dim(1), s.kernel(), s.stride(), s.pad()),
                extent(path, x, x.dim(2), s.kernel(), s.stride(), s.pad()));
    }

    static Shape dense(String path, Layer.Dense s) {
        if (s.out() < 1) throw error(path, "a dense layer needs at least one output, got " + s.out());
        return Shape.of(s.out());
    }

    static Shape norm(String path, Layer.BatchNorm s, Shape x) {
        if (!(s.eps() > 0) || !(s.momentum() > 0 && s.momentum() <= 1)) {
            throw error(path, "batch norm needs eps > 0 and 0 < momentum <= 1: " + s);
        }
        return x;
    }

    static Shape dropout(String path, Layer.Dropout s, Shape x) {
        if (!(s.p() >= 0 && s.p() < 1)) throw error(path, "dropout needs 0 <= p < 1, got " + s.p());
        return x;
    }

    static Shape same(String path, Shape a, Shape b) {
        if (!a.equals(b)) throw error(path, "cannot add " + a + " and " + b);
        return a;
    }

    private static int extent(String path, Shape x, int size, int kernel, int stride, int pad) {
        if (kernel > size + 2 * pad)
            throw error(path, "kernel " + kernel + " exceeds its input " + x + " with padding " + pad);
        return (size + 2 * pad - kernel) / stride + 1;
    }

    private static void requireImage(String path, Shape x) {
        if (x.rank() != 3) throw error(path, "needs an input (channels, height, width), got " + x);
    }

    private static IllegalArgumentException error(String path, String message) {
        return new IllegalArgumentException(path + ": " + message);
    }
}
