package io.basin.train;

import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.device.Sets;
import io.basin.device.Sgd;
import io.basin.nn.Graph;

/** A small training run, the same on every device: net, data, rates, seed. Immutable; {@code with...} changes a copy. */
public record Setup(
        Graph graph,
        BatchReader batch,
        int count,
        Loss loss,
        Sgd step,
        double[] lr,
        double[] alpha,
        Precision precision,
        boolean decayEverything,
        long seed) {
    /** Momentum 0.9, decay, a rate that changes each step, an average that takes up every second model. */
    public static Setup of(Graph graph, int batch) {
        double[] lr = new double[300];
        double[] alpha = new double[lr.length];
        for (int t = 0; t < lr.length; t++) {
            lr[t] = 0.02 / (1 + t % 7);
            alpha[t] = t % 2 == 1 ? 2.0 / (t + 1) : 0;
        }
        int channels = graph.input().shape().dim(0);
        return new Setup(
                graph,
                Sets.shuffled(batch, channels, 11),
                4 * batch + 1,
                Loss.crossEntropy(0.1),
                new Sgd(0.9, 1e-2, false),
                lr,
                alpha,
                Precision.STRICT,
                true,
                5);
    }

    public Setup withStep(Sgd other) {
        return new Setup(graph, batch, count, loss, other, lr, alpha, precision, decayEverything, seed);
    }

    public Setup withRates(double[] rates, double[] averaging) {
        return new Setup(graph, batch, count, loss, step, rates, averaging, precision, decayEverything, seed);
    }

    public Setup with(Precision other) {
        return new Setup(graph, batch, count, loss, step, lr, alpha, other, decayEverything, seed);
    }

    public Setup sparingVectors() {
        return new Setup(graph, batch, count, loss, step, lr, alpha, precision, false, seed);
    }

    public Setup withSeed(long other) {
        BatchReader b = batch;
        BatchReader reseeded = new BatchReader(b.batch(), b.augmentation(), other, b.shuffled());
        return new Setup(graph, reseeded, count, loss, step, lr, alpha, precision, decayEverything, other);
    }

    public Run on(Device device) {
        return new Run(device, this);
    }
}
