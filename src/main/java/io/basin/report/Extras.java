package io.basin.report;

import io.basin.Api;
import io.basin.text.Printable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A comparison's results beside its table, as data.
 *
 * @param tests of single nets against SGD's, where there is one seed
 * @param reliability pooled over seeds
 * @param growth of ensembles, member by member
 * @param checks what the run checked of itself
 */
@Api
public record Extras(
        List<Versus> tests,
        List<Reliability> reliability,
        List<Growth> growth,
        List<Corrupted> corrupted,
        List<Outside> outside,
        List<Check> checks) {
    /** Nothing but the table. */
    public static final Extras NONE = new Extras(List.of(), List.of(), List.of(), List.of(), List.of(), List.of());

    /** A list that is null is empty. */
    public Extras {
        tests = tests == null ? List.of() : List.copyOf(tests);
        reliability = reliability == null ? List.of() : List.copyOf(reliability);
        growth = growth == null ? List.of() : List.copyOf(growth);
        corrupted = corrupted == null ? List.of() : List.copyOf(corrupted);
        outside = outside == null ? List.of() : List.copyOf(outside);
        checks = checks == null ? List.of() : List.copyOf(checks);
    }

    /** How much better the mean of an ensemble's probabilities gets: test accuracies of its first 1, 2, ... members, the oldest first. */
    public record Growth(String method, long seed, List<Double> accuracy) {
        public Growth {
            method = shown(method);
            accuracy = accuracy == null ? List.of() : List.copyOf(accuracy);
        }
    }

    /** Nothing but how ensembles grow. */
    public static Extras of(Growth growth) {
        return new Extras(List.of(), List.of(), List.of(growth), List.of(), List.of(), List.of());
    }

    /** Nothing but checks. */
    public static Extras of(Check... checks) {
        return new Extras(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(checks));
    }

    /**
     * McNemar's test of one net against SGD's on the same test samples.
     *
     * @param onlySgd samples that only SGD's net has right
     * @param p chance of counts at least as uneven if both nets erred equally often
     * @param holm p corrected for the number of nets tested
     */
    public record Versus(String method, long seed, int onlySgd, int onlyMethod, double p, double holm) {}

    /** One bin of predictions by their confidence: how many, how many right, and the sum of their confidences. */
    public record Bin(long count, long hits, double confidence) {}

    /** How confident a method's predictions are and how often right, in equal bins of confidence. */
    public record Reliability(String method, String combiner, List<Bin> bins) {
        /** Expected calibration error of the pooled predictions, in [0, 1]. */
        public double ece() {
            double sum = 0;
            long count = 0;
            for (Bin b : bins) {
                sum += Math.abs(b.hits() - b.confidence());
                count += b.count();
            }
            return sum / count;
        }
    }

    /** Figures on test images that were made worse. {@code strength} 0: as they are. */
    public record Corrupted(
            String method, long seed, String kind, int strength, double accuracy, double nll, double ece) {
        public Corrupted {
            method = shown(method);
            kind = shown(kind);
        }
    }

    /**
     * Test images told from images of no class by the confidence of the prediction.
     *
     * @param auroc chance that a test image gets more confidence than one of {@code set}
     */
    public record Outside(
            String method, long seed, String set, double auroc, double confidenceInside, double confidenceOutside) {
        public Outside {
            method = shown(method);
            set = shown(set);
        }
    }

    /**
     * One self-check.
     *
     * @param verdict {@link #PASSED}, {@link #FAILED} or {@link #NOT_COVERED}
     * @param detail what was measured, or why nothing was
     */
    public record Check(String what, String where, String verdict, String detail) {
        public static final String PASSED = "passed";
        public static final String FAILED = "FAILED";
        public static final String NOT_COVERED = "not covered";
        private static final Set<String> VERDICTS = Set.of(PASSED, FAILED, NOT_COVERED);

        public Check {
            if (verdict == null || !VERDICTS.contains(verdict))
                throw new IllegalArgumentException("the verdict is not one of " + VERDICTS);
            what = shown(what);
            where = shown(where);
            detail = shown(detail);
        }

        public static Check of(String what, String where, boolean passed, String detail) {
            return new Check(what, where, passed ? PASSED : FAILED, detail);
        }

        public static Check notCovered(String what, String where, String why) {
            return new Check(what, where, NOT_COVERED, why);
        }
    }

    /** Fit for a terminal and a page: such records are also read from files, and anybody may have changed them. */
    private static String shown(String text) {
        if (text == null) throw new IllegalArgumentException("a text is missing");
        return Printable.of(text, 1000);
    }

    /** Both together. */
    public Extras and(Extras other) {
        return new Extras(
                joined(tests, other.tests),
                joined(reliability, other.reliability),
                joined(growth, other.growth),
                joined(corrupted, other.corrupted),
                joined(outside, other.outside),
                joined(checks, other.checks));
    }

    private static <T> List<T> joined(List<T> a, List<T> b) {
        List<T> all = new ArrayList<>(a);
        all.addAll(b);
        return all;
    }
}
