package io.basin.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A line on every column of the tables and on every method. */
final class Glossary {
    private static final Map<String, String> COLUMNS = new LinkedHashMap<>();
    private static final Map<String, String> METHODS = new LinkedHashMap<>();

    static {
        column("method", "How the weights came about; each has a line below.");
        column("epochs", "Training spent, in passes over the training images; the same budget for every method.");
        column(
                "BN passes",
                "Forward passes over the training images for batch norm's statistics, beside the epochs; three cost about"
                        + " as much as one epoch.");
        column(
                "nets",
                "Forward passes that one prediction takes: 1 for an average, the number of members for an ensemble.");
        column("accuracy %", "Share of the test images that are classified right; more is better.");
        column("NLL", "Mean negative log-likelihood of the right class on the test set, nats; less is better.");
        column(
                "NLL at T",
                "The same after one temperature, fitted on the validation part, has scaled all confidences; less is better.");
        column(
                "ECE %",
                "Expected calibration error: how far confidence and share of right answers lie apart, over 15 bins of"
                        + " confidence; the mean over seeds of each seed's own; less is better.");
        column("vs SGD, points", "Difference of accuracy to SGD's, paired by seed; more is better.");
        column("bootstrap 95 %", "Percentile bootstrap interval of that difference, from ten seeds on.");
        column(
                "p (Holm)",
                "Of the paired t-test that the difference is 0, corrected by Holm for the number of methods compared;"
                        + " * below 0.05.");
        column("\u00b1, [ ]", "Half-width or ends of the 95 % t-interval over seeds, cut to what is possible.");
    }

    static {
        method("sgd", "Stochastic gradient descent with a falling rate: the baseline.");
        method("swa", "Stochastic weight averaging: the mean of weights collected at a constant or cyclical rate.");
        method("swa-cyclic", "SWA of the weights at the ends of cycles of the rate.");
        method("ema", "Exponential moving average of SGD's weights.");
        method("switch-ema", "SGD that goes on from its exponential moving average at the end of every epoch.");
        method("pswa", "SGD that goes on from the mean of its weights at the end of every period.");
        method("lookahead", "SGD that goes on from slow weights, which follow half-way every few steps.");
        method("wsm", "A constant rate, and a weighted mean of the last checkpoints in place of its decay.");
        method(
                "posthoc-ema",
                "An average of SGD's weights whose width was chosen after training, on the validation part.");
        method("lawa", "Latest weight averaging: the mean of the last few epochs' weights.");
        method("tail", "The mean of all weights from some step on, at a constant rate.");
        method("swag", "SWA-Gaussian: predictions averaged over weights drawn around SWA's mean.");
        method("swap", "Stochastic weight averaging in parallel: the mean of workers that refine one net.");
        method("snapshot", "Snapshot ensemble: predictions of nets at the ends of cosine cycles, averaged.");
        method("fge", "Fast geometric ensemble: predictions of nets collected along short cycles, averaged.");
        method("independent", "An ensemble of nets of their own initialisations, each with its share of the budget.");
    }

    private Glossary() {}

    private static void column(String name, String text) {
        COLUMNS.put(name, text);
    }

    private static void method(String name, String text) {
        METHODS.put(name, text);
    }

    static Set<String> columns() {
        return COLUMNS.keySet();
    }

    /** Of the columns of a table and of the methods named; what is not known has none. */
    static Map<String, String> of(List<String> header, List<String> methods) {
        Map<String, String> all = new LinkedHashMap<>();
        List<String> columns = new ArrayList<>(header);
        columns.add("\u00b1, [ ]");
        COLUMNS.forEach((name, text) -> {
            if (columns.contains(name)) all.put(name, text);
        });
        METHODS.forEach((name, text) -> {
            if (methods.contains(name)) all.put(name, text);
        });
        return all;
    }
}
