package io.basin.report;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A line on every column of the tables and on every method. */
final class Glossary {
    /** What all tables have. */
    private static final String INTERVAL = "\u00b1, [ ]";

    private static final Map<String, String> LINES = new LinkedHashMap<>();

    static {
        columns();
        methods();
    }

    private Glossary() {}

    private static void columns() {
        line("method", "How the weights came about; each has a line below.");
        line("epochs", "Training spent, in passes over the training images; the same budget for every method.");
        line(
                "BN epochs",
                "What measuring batch norm's statistics cost beside the epochs, in epochs: a forward pass over the training"
                        + " images counts as a third of one.");
        line(
                "nets",
                "Forward passes that one prediction takes: 1 for an average, the number of members for an ensemble.");
        line("accuracy %", "Share of the test images that are classified right; more is better.");
        line("NLL", "Mean negative log-likelihood of the right class on the test set, nats; less is better.");
        line(
                "NLL at T",
                "The same after one temperature, fitted on the validation part, has scaled all confidences; less is better.");
        line(
                "ECE %",
                "Expected calibration error: how far confidence and share of right answers lie apart, over 15 bins of"
                        + " confidence; the mean over seeds of each seed's own; less is better.");
        line("vs SGD, points", "Difference of accuracy to SGD's, paired by seed; more is better.");
        line("bootstrap 95 %", "Percentile bootstrap interval of that difference, from ten seeds on.");
        line(
                "p (Holm)",
                "Of the paired t-test that the difference is 0, corrected by Holm for the number of methods compared;"
                        + " * below 0.05.");
        line(INTERVAL, "Half-width or ends of the 95 % t-interval over seeds, cut to what is possible.");
    }

    private static void methods() {
        line("sgd", "Stochastic gradient descent with a falling rate: the baseline.");
        line(
                new Summary.Row("sgd", Summary.Row.ANEW, 0, 0, 1, List.of()).label(),
                "SGD's net with batch norm's statistics measured as an average's are: what they alone change.");
        line("swa", "Stochastic weight averaging: the mean of weights collected at a constant or cyclical rate.");
        line("swa-cyclic", "SWA of the weights at the ends of cycles of the rate.");
        line("ema", "Exponential moving average of SGD's weights.");
        line("switch-ema", "SGD that goes on from its exponential moving average at the end of every epoch.");
        line("pswa", "SGD that goes on from the mean of its weights at the end of every period.");
        line("lookahead", "SGD that goes on from slow weights, which follow half-way every few steps.");
        line("wsm", "A constant rate, and a weighted mean of the last checkpoints in place of its decay.");
        line(
                "posthoc-ema",
                "An average of SGD's weights whose width was chosen after training, on the validation part.");
        line("lawa", "Latest weight averaging: the mean of the last few epochs' weights.");
        line("tail", "The mean of all weights from some step on, at a constant rate.");
        line("swag", "SWA-Gaussian: predictions averaged over weights drawn around SWA's mean.");
        line("swap", "Stochastic weight averaging in parallel: the mean of workers that refine one net.");
        line("snapshot", "Snapshot ensemble: predictions of nets at the ends of cosine cycles, averaged.");
        line("fge", "Fast geometric ensemble: predictions of nets collected along short cycles, averaged.");
        line("independent", "An ensemble of nets of their own initialisations, each with its share of the budget.");
    }

    private static void line(String name, String text) {
        LINES.put(name, text);
    }

    /** Of the columns of a table and of the methods named; what is not known has none. */
    static Map<String, String> of(List<String> header, List<String> methods) {
        Map<String, String> all = new LinkedHashMap<>(LINES);
        all.keySet().removeIf(name -> !header.contains(name) && !methods.contains(name) && !name.equals(INTERVAL));
        return all;
    }
}
