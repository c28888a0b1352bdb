package io.basin.report;

import java.util.List;
import java.util.Map;

/**
 * Everything a finished comparison has to say, as data: the console table, the Markdown table and the HTML report are views
 * of it, and {@code results.json} is its JSON.
 *
 * @param title such as {@code fashion-mnist, mlp}
 * @param facts what a reader must know to judge or repeat it: command, device, versions, samples, seeds; in order
 */
public record Summary(
        String title,
        Map<String, String> facts,
        List<Row> rows,
        List<Curve> curves,
        List<Plotted> schedules,
        Evidence evidence) {
    /** With nothing but the table to show. */
    public Summary(
            String title, Map<String, String> facts, List<Row> rows, List<Curve> curves, List<Plotted> schedules) {
        this(title, facts, rows, curves, schedules, Evidence.NONE);
    }

    /** The same with more to show. */
    public Summary and(Evidence more) {
        return new Summary(title, facts, rows, curves, schedules, evidence.and(more));
    }

    /**
     * Test-set figures of one trained method.
     *
     * @param accuracy in [0, 1]
     * @param nll mean negative log-likelihood, nats; null where what predicts gives no probabilities
     * @param ece expected calibration error, in [0, 1]; null likewise
     */
    public record Score(long seed, double accuracy, Double nll, Double ece) {}

    /**
     * One line of the table.
     *
     * @param combiner how members were combined, empty for a single model
     * @param epochs of training spent
     * @param passes forward passes per prediction
     */
    public record Row(String method, String combiner, double epochs, int passes, List<Score> scores) {}

    /** How one run went: loss and accuracy on training and validation data after each epoch. */
    public record Curve(String run, long seed, List<Point> points) {}

    /** Validation figures are those of the weights in training, not of an average. */
    public record Point(double epoch, double loss, double accuracy, double validationLoss, double validationAccuracy) {}

    /**
     * A method's tables.
     *
     * @param lr and alpha per step
     * @param collections steps after which a model is collected
     */
    public record Plotted(String method, double[] lr, double[] alpha, int[] collections, int stepsPerEpoch) {}
}
