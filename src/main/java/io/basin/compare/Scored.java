package io.basin.compare;

import io.basin.data.Dataset;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.report.Extras;
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
    public static Scored of(Evaluator evaluator, Weights weights, Dataset set) {
        Probabilities said = Probabilities.mean(evaluator, List.of(weights));
        return new Scored(said.metrics(set.labels()), said.hits(set.labels()));
    }

    /** Its confidences and how often they are right. */
    public Extras.Reliability reliability(String name) {
        return new Extras.Reliability(name, "", MethodScore.bins(metrics));
    }

    /** Samples that this model has right and {@code other} wrong. */
    public int onlyHere(Scored other) {
        BitSet here = (BitSet) hits.clone();
        here.andNot(other.hits);
        return here.cardinality();
    }
}
