package io.basin.device;

import java.util.ArrayList;
import java.util.List;

/** Shape rules of layers that read windows of an image or several inputs. */
final class LayerShapes {
    private LayerShapes() {}

    static Shape conv(String path, Layer.Conv c, List<Shape> inputs) {
        Shape x = image(path, inputs);
        require(
                c.out() > 0 && c.groups() > 0 && isSound(c.vertical()) && isSound(c.horizontal()),
                path,
                "channels, kernel, stride, dilation and groups must be positive, padding not negative: " + c);
        require(
                x.dim(0) % c.groups() == 0 && c.out() % c.groups() == 0,
                path,
                c.groups() + " groups do not divide " + x.dim(0) + " input and " + c.out() + " output channels");
        return windows(path, x, c.out(), c.vertical(), c.horizontal());
    }

    static Shape pool(String path, Layer.Pool pool, List<Shape> inputs) {
        Shape x = image(path, inputs);
        for (Layer.Window w : List.of(pool.vertical(), pool.horizontal())) {
            require(
                    isSound(w) && w.dilation() == 1 && w.pad() <= w.kernel() / 2,
                    path,
                    "kernel and stride must be positive, padding at most half the kernel, dilation 1: " + pool);
        }
        return windows(path, x, x.dim(0), pool.vertical(), pool.horizontal());
    }

    static Shape concat(String path, List<Shape> inputs) {
        Shape first = inputs.get(0);
        int channels = 0;
        for (Shape x : inputs) {
            require(
                    rest(x).equals(rest(first)),
                    path,
                    "cannot put " + first + " and " + x + " together: more than channels differ");
            channels = Math.addExact(channels, x.dim(0));
        }
        List<Integer> extents = new ArrayList<>(first.dims());
        extents.set(0, channels);
        return new Shape(extents);
    }

    private static List<Integer> rest(Shape x) {
        return x.dims().subList(1, x.rank());
    }

    private static Shape image(String path, List<Shape> inputs) {
        Shape x = inputs.get(0);
        require(x.rank() == 3, path, "needs an input (channels, height, width), got " + x);
        return x;
    }

    private static boolean isSound(Layer.Window w) {
        return w.kernel() > 0 && w.stride() > 0 && w.pad() >= 0 && w.dilation() > 0;
    }

    private static Shape windows(String path, Shape x, int channels, Layer.Window... axes) {
        List<Integer> extents = new ArrayList<>(List.of(channels));
        for (Layer.Window w : axes) {
            long reach = (long) w.dilation() * (w.kernel() - 1) + 1;
            long room = x.dim(extents.size()) + 2L * w.pad() - reach;
            String kernel = "kernel " + w.kernel() + (w.dilation() > 1 ? " with dilation " + w.dilation() : "");
            require(room >= 0, path, kernel + " exceeds its input " + x + " with padding " + w.pad());
            extents.add(Math.toIntExact(room / w.stride() + 1));
        }
        return new Shape(extents);
    }

    static void require(boolean holds, String path, String message) {
        if (!holds) throw new IllegalArgumentException(path + ": " + message);
    }
}
