package io.basin.device;

/** Fully connected layer by its definition: y = relu(W x + b), x flattened in logical order. */
final class ReferenceDense extends ReferenceOp {
    private final Layer.Dense spec;
    private final Tensor x;
    private final Parameter w;
    private final Parameter b;
    private final int rows;
    private final int in;

    ReferenceDense(PlanContext scope, Layer.Dense spec, Tensor x) {
        super(scope);
        this.spec = spec;
        this.x = x;
        rows = x.shape().dim(0);
        in = size(x) / rows;
        Shape sample = x.shape().sample();
        w = scope.parameter(spec.weight(sample), new ReferenceDevice.Plain((long) spec.out() * in));
        b = spec.bias() ? scope.parameter(spec.bias(sample), new ReferenceDevice.Plain(spec.out())) : null;
        output(Shape.of(rows, spec.out()));
        forward(this::compute);
        backward(this::gradient);
    }

    private void compute() {
        View xs = value(x);
        View ws = weight(w);
        View ys = value(output());
        for (int n = 0; n < rows; n++) {
            for (int o = 0; o < spec.out(); o++) {
                double sum = b == null ? 0 : weight(b).get(o);
                for (int i = 0; i < in; i++) sum += ws.get(o * in + i) * xs.get(n * in + i);
                ys.set(n * spec.out() + o, spec.relu() ? Math.max(0, sum) : sum);
            }
        }
    }

    private void gradient() {
        View xs = value(x);
        View ws = weight(w);
        View ys = value(output());
        View dys = grad(output());
        double[] dx = new double[size(x)];
        double[] dw = new double[spec.out() * in];
        double[] db = new double[spec.out()];
        for (int n = 0; n < rows; n++) {
            for (int o = 0; o < spec.out(); o++) {
                int at = n * spec.out() + o;
                double dy = spec.relu() && ys.get(at) <= 0 ? 0 : dys.get(at);
                db[o] += dy;
                for (int i = 0; i < in; i++) {
                    dx[n * in + i] += dy * ws.get(o * in + i);
                    dw[o * in + i] += dy * xs.get(n * in + i);
                }
            }
        }
        ReferencePointwise.put(dx, grad(x));
        ReferencePointwise.put(dw, weightGrad(w));
        if (b != null) ReferencePointwise.put(db, weightGrad(b));
    }
}
