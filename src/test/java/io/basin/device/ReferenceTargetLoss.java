package io.basin.device;

/** Squared error and binary cross-entropy by their definitions, over float targets (N, K). */
final class ReferenceTargetLoss extends ReferenceOp {
    private final Loss spec;
    private final Tensor x;
    private final Slot targets;
    private final RunState control;
    private final int rows;
    private final int outputs;

    ReferenceTargetLoss(PlanContext scope, Loss spec, Tensor x, Slot targets, RunState control) {
        super(scope);
        this.spec = spec;
        this.x = x;
        this.targets = targets;
        this.control = control;
        rows = x.shape().dim(0);
        outputs = x.shape().dim(1);
        output(x.shape());
        forward(this::compute);
        backward(this::gradient);
    }

    private boolean binary() {
        return spec instanceof Loss.BinaryCrossEntropy;
    }

    private void compute() {
        double loss = 0;
        int hits = 0;
        int seen = 0;
        for (int n = 0; n < rows; n++) {
            boolean hit = binary();
            double sum = 0;
            for (int k = 0; k < outputs; k++) {
                int at = n * outputs + k;
                double logit = value(x).get(at);
                double y = view(targets).get(at);
                double p = 1 / (1 + Math.exp(-logit));
                value(output()).set(at, binary() ? p : logit);
                sum += binary() ? -y * Math.log(p) - (1 - y) * Math.log(1 - p) : (logit - y) * (logit - y);
                hit &= logit > 0 == y > 0.5;
            }
            if (Double.isNaN(view(targets).get(n * outputs))) continue;
            loss += sum / outputs;
            hits += hit ? 1 : 0;
            seen++;
        }
        ReferenceLoss.add(control, loss, hits, seen);
    }

    private void gradient() {
        for (int n = 0; n < rows; n++) {
            boolean absent = Double.isNaN(view(targets).get(n * outputs));
            for (int k = 0; k < outputs; k++) {
                int at = n * outputs + k;
                double difference = value(output()).get(at) - view(targets).get(at);
                grad(x).set(at, absent ? 0 : (binary() ? 1 : 2) * difference / rows / outputs);
            }
        }
    }
}
