package io.basin.compare;

import io.basin.Api;
import io.basin.data.Dataset;
import io.basin.device.BatchReader;
import io.basin.device.Images;
import io.basin.device.PredictionSum;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.report.Extras;
import io.basin.train.DivergedException;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.NetMemory;
import java.util.BitSet;
import java.util.List;

/**
 * The mean of several models' probabilities on one image set, and what it predicts.
 *
 * @param p (samples, classes)
 * @param choices (samples), the likeliest class of each
 */
@Api
public record Probabilities(double[] p, int[] choices, int classes) {
    /** One pass of each model over the evaluator's images; the host reads their mean and not their answers. */
    public static Probabilities mean(Evaluator evaluator, List<Weights> models) {
        try (PredictionSum sum = evaluator.predictionSum()) {
            for (Weights model : models) evaluator.accumulate(model, 1.0 / models.size(), sum);
            return new Probabilities(requireNumbers(sum.sums()), sum.likeliest(), evaluator.classes());
        }
    }

    /** Of a model as it stands, on samples that it reads as it reads its own. */
    public static Probabilities of(Model model, Dataset set) {
        BatchReader reader = model.reader(Math.min(Model.BATCH, set.count()));
        return of(model, List.of(model.weights()), set, reader);
    }

    /** Of several weights of a model's net. */
    static Probabilities of(NetMemory model, List<Weights> models, Dataset set, BatchReader reader) {
        try (Images images = set.upload(model.device());
                Evaluator evaluator = new Evaluator(model, images, reader)) {
            return mean(evaluator, models);
        }
    }

    /** Finite weights may be so large that the values between them are not. */
    static double[] requireNumbers(double[] p) {
        for (double x : p) if (Double.isNaN(x)) throw new DivergedException("the net's predictions are not numbers");
        return p;
    }

    /** Figures against the true labels, (samples). */
    public Metrics metrics(int[] labels) {
        Metrics metrics = new Metrics(classes);
        for (int i = 0; i < labels.length; i++) metrics.add(p, i * classes, choices[i], labels[i]);
        return metrics;
    }

    /** Bit i: sample i is classified as its label says, (samples). */
    public BitSet hits(int[] labels) {
        BitSet hits = new BitSet(labels.length);
        for (int i = 0; i < labels.length; i++) hits.set(i, choices[i] == labels[i]);
        return hits;
    }

    /** Samples that these predictions have right and {@code other} wrong. */
    public int onlyHere(Probabilities other, int[] labels) {
        BitSet here = hits(labels);
        here.andNot(other.hits(labels));
        return here.cardinality();
    }

    /** Confidences and how often they are right. */
    public Extras.Reliability reliability(String name, int[] labels) {
        return new Extras.Reliability(name, "", MethodScore.bins(metrics(labels)));
    }

    /** The largest probability of each sample, (samples). */
    public double[] confidences() {
        double[] c = new double[choices.length];
        for (int i = 0; i < c.length; i++) c[i] = p[i * classes + choices[i]];
        return c;
    }
}
