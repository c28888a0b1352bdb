package io.basin.compare;

import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.train.Evaluator;
import java.util.List;

/**
 * The mean of several models' probabilities on one image set.
 *
 * @param p (samples, classes)
 */
public record Probabilities(double[] p, int classes) {
    /** One pass over the evaluator's images. */
    public static Probabilities mean(Evaluator evaluator, List<Weights> models, int samples, int classes) {
        double[] p = new double[samples * classes];
        evaluator.predict(models, (member, first, rows, batch) -> {
            for (int i = 0; i < rows * classes; i++) p[first * classes + i] += (double) batch[i] / models.size();
        });
        return new Probabilities(p, classes);
    }

    /** Figures against the true labels, (samples). */
    public Metrics metrics(int[] labels) {
        Metrics metrics = new Metrics(classes);
        double[] row = new double[classes];
        for (int i = 0; i < labels.length; i++) {
            System.arraycopy(p, i * classes, row, 0, classes);
            metrics.add(row, labels[i]);
        }
        return metrics;
    }

    /** The largest probability of each sample, (samples). */
    public double[] confidences() {
        double[] c = new double[p.length / classes];
        for (int i = 0; i < c.length; i++) {
            for (int k = 0; k < classes; k++) c[i] = Math.max(c[i], p[i * classes + k]);
        }
        return c;
    }
}
