package io.basin.device;

/**
 * Convolution by its definition.
 *
 * <pre>
 *   y[n,o,i,j] = relu(b[o] + sum_{c,u,v} w[o,c,u,v] x[n,g(o)+c,i s + u d - p,j s' + v d' - p'] + residual[n,o,i,j])
 * </pre>
 */
final class ReferenceConv extends ReferenceOp {
    private final Layer.Conv spec;
    private final Tensor x;
    private final Tensor residual;
    private final Parameter w;
    private final Parameter b;
    private final int batch;
    private final int in;
    private final int height;
    private final int width;
    private final int outHeight;
    private final int outWidth;
    private final int inGroup;

    ReferenceConv(PlanContext scope, Layer.Conv spec, Tensor x, Tensor residual) {
        super(scope);
        this.spec = spec;
        this.x = x;
        this.residual = residual;
        batch = x.shape().dim(0);
        in = x.shape().dim(1);
        height = x.shape().dim(2);
        width = x.shape().dim(3);
        outHeight = outputs(spec.vertical(), height);
        outWidth = outputs(spec.horizontal(), width);
        inGroup = in / spec.groups();
        Shape sample = x.shape().sample();
        w = scope.parameter(
                spec.weight(sample),
                new ReferenceDevice.Plain(spec.weight(sample).shape().elements()));
        b = spec.bias() ? scope.parameter(spec.bias(sample), new ReferenceDevice.Plain(spec.out())) : null;
        output(Shape.of(batch, spec.out(), outHeight, outWidth));
        forward(this::compute);
        backward(this::gradient);
    }

    private static int outputs(Layer.Window w, int in) {
        return (in + 2 * w.pad() - w.dilation() * (w.kernel() - 1) - 1) / w.stride() + 1;
    }

    /** Calls {@code visit} for every product of the sum at output element y of row n, channel o. */
    private interface Visit {
        void at(int xIndex, int wIndex);
    }

    private void window(int n, int o, int i, int j, Visit visit) {
        Layer.Window high = spec.vertical();
        Layer.Window wide = spec.horizontal();
        int first = o / (spec.out() / spec.groups()) * inGroup;
        for (int c = 0; c < inGroup; c++) {
            for (int u = 0; u < high.kernel(); u++) {
                int row = i * high.stride() + u * high.dilation() - high.pad();
                if (row < 0 || row >= height) continue;
                for (int v = 0; v < wide.kernel(); v++) {
                    int col = j * wide.stride() + v * wide.dilation() - wide.pad();
                    if (col < 0 || col >= width) continue;
                    int xIndex = ((n * in + first + c) * height + row) * width + col;
                    visit.at(xIndex, ((o * inGroup + c) * high.kernel() + u) * wide.kernel() + v);
                }
            }
        }
    }

    /** Calls {@code each} with (n, o, i, j) and the flat index of every output element. */
    private interface Each {
        void at(int n, int o, int i, int j, int index);
    }

    private void outputs(Each each) {
        int index = 0;
        for (int n = 0; n < batch; n++)
            for (int o = 0; o < spec.out(); o++)
                for (int i = 0; i < outHeight; i++) for (int j = 0; j < outWidth; j++) each.at(n, o, i, j, index++);
    }

    private void compute() {
        View xs = value(x);
        View ws = weight(w);
        View ys = value(output());
        View rs = residual == null ? null : value(residual);
        double[] sum = new double[1];
        outputs((n, o, i, j, index) -> {
            sum[0] = b == null ? 0 : weight(b).get(o);
            window(n, o, i, j, (xi, wi) -> sum[0] += xs.get(xi) * ws.get(wi));
            if (rs != null) sum[0] += rs.get(index);
            ys.set(index, spec.relu() ? Math.max(0, sum[0]) : sum[0]);
        });
    }

    private void gradient() {
        View xs = value(x);
        View ws = weight(w);
        double[] dx = new double[size(x)];
        double[] dw = new double[(int) w.shape().elements()];
        double[] db = new double[spec.out()];
        View ys = value(output());
        View dys = grad(output());
        double[] before = new double[size(output())];
        outputs((n, o, i, j, index) -> {
            double dy = spec.relu() && ys.get(index) <= 0 ? 0 : dys.get(index);
            before[index] = dy;
            db[o] += dy;
            window(n, o, i, j, (xi, wi) -> {
                dx[xi] += dy * ws.get(wi);
                dw[wi] += dy * xs.get(xi);
            });
        });
        ReferencePointwise.put(dw, weightGrad(w));
        if (b != null) ReferencePointwise.put(db, weightGrad(b));
        ReferencePointwise.put(dx, grad(x));
        if (residual != null) ReferencePointwise.put(before, grad(residual));
    }
}
