package io.basin.train;

import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.List;

/** The work of an operation's two passes; {@link StepTimes.Row} has the units. */
record Cost(long forward, long backward, long forwardOperations, long backwardOperations) {
    /** Passes over one tensor, and no products. */
    static Cost moving(Tensor t, long forward, long backward) {
        return new Cost(forward * t.layout().bytes(), backward * t.layout().bytes(), 0, 0);
    }

    static Cost of(Layer layer, List<Tensor> inputs, Tensor out) {
        Tensor first = inputs.get(0);
        long x = first.layout().bytes();
        long y = out.layout().bytes();
        long read = inputs.stream().mapToLong(t -> t.layout().bytes()).sum();
        long gradients = inputs.stream()
                .filter(t -> t.grad() != null)
                .mapToLong(t -> t.layout().bytes())
                .sum();
        if (layer instanceof Layer.BatchNorm norm) {
            // The statistics are summed before anything can be computed from them. A residual's ReLU shows in y alone.
            boolean masked = norm.relu() && inputs.size() > 1;
            return new Cost(x + read + y, 2 * (x + y) + (first.grad() == null ? 0 : x) + (masked ? 2 * y : 0), 0, 0);
        }
        if (!(layer instanceof Layer.Linear linear)) return new Cost(read + y, read + y + gradients, 0, 0);
        Shape weight = linear.weight(first.shape().sample()).shape();
        // Products read and leave weights in the type of their values.
        long w = weight.elements() * y / out.shape().elements();
        long products = 2 * out.shape().elements() * (weight.elements() / linear.out());
        int passes = first.grad() == null ? 1 : 2;
        return new Cost(read + y + w, x + y + gradients + passes * w, products, passes * products);
    }
}
