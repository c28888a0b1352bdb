package io.basin.ensemble;

import io.basin.text.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.SpecializedOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * Stacking by ridge regression: one-hot labels on the members' concatenated probabilities.
 *
 * <p>Minimises {@code (1/n) |X W - Y|^2 + lambda |W|^2}, X (n, members x classes), Y (n, classes), W (members x classes,
 * classes). No intercept: each member's probabilities sum to 1, so it is in their span already. Lambda is per sample, so that a
 * value chosen on part of the data fits the whole.
 *
 * <p>One pass gives the Gram matrices X'X and X'Y of {@code folds} parts of the held-out data (sample i belongs to part i mod
 * folds): the weights of all parts but one come from the sum less that part's. The lambda of the least total squared error wins, the larger of equals, and W is then solved on all parts by Cholesky.
 * Memory: folds x (members x classes)^2 doubles, and the members' predictions of the held-out samples while they are fitted.
 *
 * <p>The fit's outputs are scores, not probabilities. A prediction is the largest score; for the likelihood and the calibration
 * negative scores are set to 0 and the rest is divided by its sum (uniform, if nothing is positive).
 */
public final class Ridge {
    /** Parts in which the held-out data is cross-validated. */
    public static final int FOLDS = 4;

    private static final double[] LAMBDAS = {1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1};
    private static final long MOST_BYTES = 1L << 30;

    private final int members;
    private final int classes;
    private final double lambda;
    private final DMatrixRMaj weights; // (members * classes, classes)
    private final String fittedOn;
    private final long fingerprint;

    private Ridge(int members, int classes, double lambda, DMatrixRMaj weights, String fittedOn, long fingerprint) {
        this.members = members;
        this.classes = classes;
        this.lambda = lambda;
        this.weights = weights;
        this.fittedOn = fittedOn;
        this.fingerprint = fingerprint;
    }

    /** Fits in {@link #FOLDS} parts with the powers of ten from 1e-7 to 1, in one pass which {@code alongside} sees too. */
    public static Ridge fit(HeldOut data, Consumer<double[]> alongside) {
        return fit(data, alongside, FOLDS, LAMBDAS);
    }

    /**
     * Fits weights and lambda on held-out data, in one pass.
     *
     * @param folds at least 2, at most half of the samples
     * @param lambdas candidates, positive and finite
     */
    static Ridge fit(HeldOut data, Consumer<double[]> alongside, int folds, double... lambdas) {
        MemberSource source = data.source();
        int members = source.members();
        int classes = source.classes();
        int[] labels = source.labels();
        checkOptions(members, classes, folds, lambdas);
        if (labels.length < 2L * folds) {
            throw new IllegalArgumentException("'" + data.name() + "' has " + labels.length
                    + " samples, ridge stacking in " + folds + " parts needs at least " + 2 * folds);
        }
        List<Part> parts = new ArrayList<>();
        for (int f = 0; f < folds; f++) {
            int n = (labels.length - f + folds - 1) / folds;
            parts.add(new Part(new DMatrixRMaj(n, members * classes), new DMatrixRMaj(n, classes)));
        }
        for (int i = 0; i < labels.length; i++) parts.get(i % folds).y.set(i / folds, labels[i], 1);
        Pass pass = new Pass(source, (p, m) -> {
            for (int i = 0; i < labels.length; i++) {
                DMatrixRMaj x = parts.get(i % folds).x;
                System.arraycopy(p, i * classes, x.data, x.getIndex(i / folds, m * classes), classes);
            }
        });
        source.stream(pass.andThen(alongside));
        List<Gram> grams = parts.stream().map(Part::gram).toList();
        Gram all = grams.stream().reduce(Gram::plus).orElseThrow();
        double best = lambdas[0];
        double least = Double.POSITIVE_INFINITY;
        for (double candidate : lambdas) {
            double error = 0;
            for (int f = 0; f < folds; f++) {
                error += parts.get(f).squaredError(all.minus(grams.get(f)).solve(candidate));
            }
            if (error < least || (error == least && candidate > best)) {
                best = candidate;
                least = error;
            }
        }
        return new Ridge(members, classes, best, all.solve(best), data.name(), pass.fingerprint);
    }

    /** Samples: the members' concatenated probabilities (n, members x classes) and one-hot labels (n, classes). */
    private record Part(DMatrixRMaj x, DMatrixRMaj y) {
        Gram gram() {
            DMatrixRMaj g = CommonOps_DDRM.multInner(x, null);
            return new Gram(g, CommonOps_DDRM.multTransA(x, y, null), y.numRows);
        }

        double squaredError(DMatrixRMaj w) {
            DMatrixRMaj error = CommonOps_DDRM.mult(x, w, null);
            CommonOps_DDRM.subtractEquals(error, y);
            return SpecializedOps_DDRM.elementSumSq(error);
        }
    }

    /** The sums over {@code n} samples that least squares needs: G = X'X and B = X'Y. */
    private record Gram(DMatrixRMaj g, DMatrixRMaj b, int n) {
        Gram plus(Gram other) {
            return new Gram(CommonOps_DDRM.add(g, other.g, null), CommonOps_DDRM.add(b, other.b, null), n + other.n);
        }

        Gram minus(Gram part) {
            DMatrixRMaj rest = CommonOps_DDRM.subtract(g, part.g, null);
            return new Gram(rest, CommonOps_DDRM.subtract(b, part.b, null), n - part.n);
        }

        /** W of {@code (G/n + lambda I) W = B/n}, (width, classes). */
        DMatrixRMaj solve(double lambda) {
            DMatrixRMaj a = g.copy();
            CommonOps_DDRM.divide(a, (double) n);
            for (int i = 0; i < a.numRows; i++) a.add(i, i, lambda);
            DMatrixRMaj right = b.copy();
            CommonOps_DDRM.divide(right, (double) n);
            DMatrixRMaj w = new DMatrixRMaj(b.numRows, b.numCols);
            LinearSolverDense<DMatrixRMaj> cholesky = LinearSolverFactory_DDRM.symmPosDef(a.numRows);
            if (!cholesky.setA(a)) {
                throw new IllegalArgumentException("ridge: the members are so alike that lambda " + lambda
                        + " cannot tell them apart; use a larger one");
            }
            cholesky.solve(right, w);
            return w;
        }
    }

    /** Checks each member's probabilities, and sums up hashes of all: sets of equal samples, in any order, agree. */
    private static final class Pass implements Consumer<double[]> {
        private final int classes;
        private final int[] labels;
        private final ObjIntConsumer<double[]> sink;
        private int seen;
        private long fingerprint;

        Pass(MemberSource source, ObjIntConsumer<double[]> sink) {
            StreamingEnsemble.requireSizes(source);
            classes = source.classes();
            labels = source.labels();
            this.sink = sink;
            fingerprint = labels.length;
        }

        @Override
        public void accept(double[] p) {
            StreamingEnsemble.requireProbabilities(p, labels.length, classes, seen);
            for (int i = 0; i < labels.length; i++) fingerprint += hash(p, i);
            sink.accept(p, seen++);
        }

        /** Mixing as in SplitMix64, over all bits of the row. */
        private long hash(double[] p, int sample) {
            long h = 31L * seen + labels[sample];
            for (int c = 0; c < classes; c++) {
                h = (h ^ Double.doubleToLongBits(p[sample * classes + c])) * 0xbf58476d1ce4e5b9L;
                h ^= h >>> 31;
            }
            return h;
        }
    }

    /** The lambda that was chosen. */
    public double lambda() {
        return lambda;
    }

    /** The weight from member {@code member}'s probability of class {@code from} to the score of class {@code to}. */
    public double weight(int member, int from, int to) {
        return weights.get(member * classes + from, to);
    }

    /** Metrics on test data, in one pass which {@code alongside} sees too. */
    public Metrics evaluate(TestSet data, Consumer<double[]> alongside) {
        MemberSource source = data.source();
        if (source.members() != members || source.classes() != classes) {
            throw new IllegalArgumentException("ridge was fitted on " + members + " members and " + classes
                    + " classes, '" + data.name() + "' has " + source.members() + " and " + source.classes());
        }
        if (data.name().equals(fittedOn)) throw fittedOnTest(data);
        int[] labels = source.labels();
        double[][] scores = new double[labels.length][classes];
        Pass pass = new Pass(source, (p, m) -> {
            for (int i = 0; i < labels.length; i++) addScores(p, m, i, scores[i]);
        });
        source.stream(pass.andThen(alongside));
        if (pass.fingerprint == fingerprint) throw fittedOnTest(data);
        Metrics metrics = new Metrics(classes);
        for (int i = 0; i < labels.length; i++) {
            int prediction = Metrics.argmax(scores[i], 0, classes);
            toProbabilities(scores[i]);
            metrics.add(scores[i], 0, prediction, labels[i]);
        }
        return metrics;
    }

    private IllegalArgumentException fittedOnTest(TestSet data) {
        return new IllegalArgumentException("ridge weights were fitted on '" + fittedOn
                + "', which holds the same samples as '" + data.name() + "': such a result would mean nothing");
    }

    @Override
    public String toString() {
        return Format.of("ridge of %d members, lambda %.0e, fitted on %s", members, lambda, fittedOn);
    }

    /** Member {@code m}'s part of W'x for one sample. */
    private void addScores(double[] p, int m, int sample, double[] scores) {
        for (int j = 0; j < classes; j++) {
            for (int c = 0; c < classes; c++) {
                scores[c] += p[sample * classes + j] * weights.data[(m * classes + j) * classes + c];
            }
        }
    }

    /** Clips at 0 and divides by the sum; uniform if nothing is left. */
    static void toProbabilities(double[] scores) {
        double sum = 0;
        for (int c = 0; c < scores.length; c++) {
            scores[c] = Math.max(0, scores[c]);
            sum += scores[c];
        }
        for (int c = 0; c < scores.length; c++) scores[c] = sum > 0 ? scores[c] / sum : 1.0 / scores.length;
    }

    private static void checkOptions(int members, int classes, int folds, double[] lambdas) {
        if (folds < 2) throw new IllegalArgumentException("ridge stacking needs at least 2 folds, got " + folds);
        double width = (double) members * classes;
        double bytes = (folds + 3) * width * width * Double.BYTES;
        if (bytes > MOST_BYTES) {
            throw new IllegalArgumentException(Format.of(
                    "ridge stacking of %d members and %d classes in %d folds would take %.1f GB: use fewer members",
                    members, classes, folds, bytes / MOST_BYTES));
        }
        if (lambdas.length == 0) throw new IllegalArgumentException("ridge stacking needs at least one lambda");
        for (double lambda : lambdas) {
            if (!(lambda > 0 && lambda < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("a ridge lambda must be positive and finite, got " + lambda);
            }
        }
    }
}
