package io.basin.compare;

import io.basin.data.ImageSet;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.report.Evidence;
import io.basin.train.Evaluator;
import java.util.BitSet;
import java.util.List;

/**
 * One model on one labelled set: its figures, and on which samples it was right.
 *
 * @param hits bit i: sample i was classified correctly
 */
public record Scored(Metrics metrics, BitSet hits) {
    /** @param set what the evaluator's images are */
    public static Scored of(Evaluator evaluator, Weights weights, ImageSet set) {
        int classes = set.classes();
        Metrics metrics = new Metrics(classes);
        BitSet hits = new BitSet(set.count());
        double[] row = new double[classes];
        evaluator.predict(List.of(weights), (member, first, rows, p) -> {
            for (int i = 0; i < rows; i++) {
                int best = 0;
                for (int k = 0; k < classes; k++) {
                    row[k] = p[i * classes + k];
                    if (row[k] > row[best]) best = k;
                }
                int label = set.labels()[first + i];
                metrics.add(row, label);
                hits.set(first + i, best == label);
            }
        });
        return new Scored(metrics, hits);
    }

    /** Its confidences and how often they are right. */
    public Evidence.Reliability reliability(String name) {
        return new Evidence.Reliability(name, "", Result.bins(metrics));
    }

    /** Samples that this model has right and {@code other} wrong. */
    public int onlyHere(Scored other) {
        BitSet here = (BitSet) hits.clone();
        here.andNot(other.hits);
        return here.cardinality();
    }
}
