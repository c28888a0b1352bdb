package io.basin.bench;

import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Node;

/** What one unit of a contest costs whoever computes it, in the terms of its ceiling: additions and multiplications, or bytes. */
final class Work {
    private Work() {}

    /** Of one training image (forward, and both backwards where there are two), of one update, or of one sample of a cell: a forward. */
    static double of(Contest contest) {
        if (contest.bytes() > 0) return (double) contest.bytes() * TorchStep.PARAMETERS;
        int size = Nets.size(contest.net());
        Graph net = io.basin.nn.Nets.build(
                contest.basinNet(), Shape.of(Nets.channels(contest.net()), size, size), TorchTraining.CLASSES);
        double sum = 0;
        for (Node node : net.nodes()) {
            boolean first = node.inputs().get(0) == net.input();
            int passes = contest.isPlane() ? 1 : first ? 2 : 3;
            sum += products(node, node.inputs().get(0).shape()) * passes;
        }
        return sum;
    }

    /** Of what {@link Peak} or {@link Triad} does in one operation. */
    static double ofCeiling(Contest contest) {
        return contest.bytes() > 0 ? 16.0 * TorchStep.PARAMETERS : 2 * Math.pow(Peak.SIZE, 3);
    }

    /** Places of the kernel along one axis, summed over all outputs: nobody multiplies by padding. */
    static long taps(Layer.Window w, long in, long out) {
        long sum = 0;
        for (long o = 0; o < out; o++) {
            for (long k = 0; k < w.kernel(); k++) {
                long at = o * w.stride() - w.pad() + k * w.dilation();
                if (at >= 0 && at < in) sum++;
            }
        }
        return sum;
    }

    private static double products(Node node, Shape x) {
        if (node.layer() instanceof Layer.Conv c) {
            long taps = taps(c.vertical(), x.dim(1), node.output().shape().dim(1))
                    * taps(c.horizontal(), x.dim(2), node.output().shape().dim(2));
            return 2.0 * node.output().shape().dim(0) * x.dim(0) / c.groups() * taps;
        }
        return node.layer() instanceof Layer.Dense d ? 2.0 * x.elements() * d.out() : 0;
    }
}
