package io.basin.device;

/** Pooling by its definition; a maximum's gradient goes to the first of equal maxima, averages do not count padding. */
final class ReferencePool extends ReferenceOp {
    private final Layer.Pool spec;
    private final Tensor x;
    private final int height;
    private final int width;

    ReferencePool(PlanContext scope, Layer.Pool spec, Tensor x) {
        super(scope);
        this.spec = spec;
        this.x = x;
        height = x.shape().dim(2);
        width = x.shape().dim(3);
        Layer.Window v = spec.vertical();
        Layer.Window z = spec.horizontal();
        int h = (height + 2 * v.pad() - v.kernel()) / v.stride() + 1;
        int w = (width + 2 * z.pad() - z.kernel()) / z.stride() + 1;
        output(Shape.of(x.shape().dim(0), x.shape().dim(1), h, w));
        forward(() -> windows(this::pool));
        backward(() -> {
            ReferencePointwise.put(new double[size(x)], grad(x));
            windows(this::spread);
        });
    }

    /** An output element with the window it sees: rows [top, bottom), columns [left, right) of one plane. */
    private record Window(int index, int plane, int top, int bottom, int left, int right) {
        int count() {
            return (bottom - top) * (right - left);
        }
    }

    private void windows(java.util.function.Consumer<Window> action) {
        Shape y = output().shape();
        int index = 0;
        for (int plane = 0; plane < y.dim(0) * y.dim(1); plane++) {
            for (int i = 0; i < y.dim(2); i++) {
                for (int j = 0; j < y.dim(3); j++) {
                    int top = i * spec.vertical().stride() - spec.vertical().pad();
                    int left =
                            j * spec.horizontal().stride() - spec.horizontal().pad();
                    action.accept(new Window(
                            index++,
                            plane,
                            Math.max(0, top),
                            Math.min(height, top + spec.vertical().kernel()),
                            Math.max(0, left),
                            Math.min(width, left + spec.horizontal().kernel())));
                }
            }
        }
    }

    private void inside(Window w, java.util.function.IntConsumer action) {
        for (int i = w.top; i < w.bottom; i++)
            for (int j = w.left; j < w.right; j++) action.accept((w.plane * height + i) * width + j);
    }

    private int winner(Window w) {
        int[] best = {-1};
        View xs = value(x);
        inside(w, i -> {
            if (best[0] < 0 || xs.get(i) > xs.get(best[0])) best[0] = i;
        });
        return best[0];
    }

    private void pool(Window w) {
        View xs = value(x);
        if (spec.kind() == Layer.PoolKind.MAX) {
            value(output()).set(w.index, xs.get(winner(w)));
            return;
        }
        double[] sum = new double[1];
        inside(w, i -> sum[0] += xs.get(i));
        value(output()).set(w.index, sum[0] / w.count());
    }

    private void spread(Window w) {
        double dy = grad(output()).get(w.index);
        View dxs = grad(x);
        if (spec.kind() == Layer.PoolKind.MAX) {
            int i = winner(w);
            dxs.set(i, dxs.get(i) + dy);
        } else {
            inside(w, i -> dxs.set(i, dxs.get(i) + dy / w.count()));
        }
    }
}
