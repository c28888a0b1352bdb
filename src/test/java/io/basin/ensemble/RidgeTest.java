package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;

class RidgeTest {
    private static final double[] LAMBDAS = {1e-5, 1e-3, 1e-1, 10};

    @Test
    void weightsEqualAGaussianSolutionOfTheWholeProblem() {
        Sample sample = Sample.random(1, 3, 60, 4);
        Ridge ridge = Ridge.fit(new HeldOut("val", sample), p -> {}, 3, 0.02);
        double[][] w = solve(sample, 0.02, i -> true);
        for (int m = 0; m < 3; m++) {
            for (int from = 0; from < 4; from++) {
                for (int to = 0; to < 4; to++) {
                    assertEquals(w[m * 4 + from][to], ridge.weight(m, from, to), 1e-10);
                }
            }
        }
    }

    @Test
    void lambdaIsTheOneWithTheLeastCrossValidatedError() {
        for (int seed = 0; seed < 4; seed++) {
            Sample sample = Sample.random(seed, 2, 30 + 200 * seed, 3);
            double best = Double.NaN;
            double least = Double.POSITIVE_INFINITY;
            for (double lambda : LAMBDAS) {
                double error = 0;
                for (int fold = 0; fold < 5; fold++) {
                    int out = fold;
                    double[][] w = solve(sample, lambda, i -> i % 5 != out);
                    for (int i = fold; i < sample.samples(); i += 5) {
                        error += squared(w, sample, i);
                    }
                }
                if (error < least) {
                    least = error;
                    best = lambda;
                }
            }
            assertEquals(
                    best,
                    Ridge.fit(new HeldOut("val", sample), p -> {}, 5, LAMBDAS).lambda());
        }
    }

    @Test
    void metricsEqualThoseOfClippedAndRenormalisedScores() {
        Sample held = Sample.random(1, 3, 80, 4);
        Sample test = Sample.random(2, 3, 50, 4);
        double[][] w = solve(held, 0.01, i -> true);
        Metrics expected = new Metrics(4);
        boolean clipped = false;
        for (int i = 0; i < 50; i++) {
            double[] scores = scores(w, test.features(i));
            double sum = 0;
            for (int c = 0; c < 4; c++) {
                clipped |= scores[c] < 0;
                scores[c] = Math.max(0, scores[c]);
                sum += scores[c];
            }
            for (int c = 0; c < 4; c++) {
                scores[c] /= sum;
            }
            expected.add(scores, test.labels()[i]);
        }
        assertTrue(clipped, "the case under test");
        StreamingEnsemble alongside = StreamingEnsemble.equal(test);
        Metrics actual =
                Ridge.fit(new HeldOut("val", held), p -> {}, 4, 0.01).evaluate(new TestSet("test", test), alongside);
        assertEquals(expected.accuracy(), actual.accuracy());
        assertEquals(expected.nll(), actual.nll(), 1e-9);
        assertEquals(expected.ece(), actual.ece(), 1e-9);
        assertEquals(50, alongside.mean().get(2).count());
    }

    @Test
    void scoresWithNothingPositiveBecomeUniform() {
        double[] scores = {-1, 0, -3, 0};
        Ridge.toProbabilities(scores);
        assertArrayEquals(new double[] {0.25, 0.25, 0.25, 0.25}, scores);
        double[] some = {-1, 3, 1};
        Ridge.toProbabilities(some);
        assertArrayEquals(new double[] {0, 0.75, 0.25}, some);
    }

    @Test
    void aMemberThatIsAlwaysWrongTheSameWayIsTurnedRound() {
        Ridge ridge = fit(wrong(Sample.random(1, 1, 400, 2)));
        Sample test = wrong(Sample.random(2, 1, 400, 2));
        StreamingEnsemble alone = StreamingEnsemble.equal(test);
        Metrics stacked = ridge.evaluate(new TestSet("test", test), alone);
        double before = alone.mean().get(0).accuracy();
        assertTrue(before < 0.4, "the member is worse than chance, " + before);
        assertTrue(stacked.accuracy() > 0.6, stacked.toString());
    }

    @Test
    void equalAndConstantMembersAreNoObstacle() {
        Sample one = Sample.random(1, 1, 100, 3);
        double[][] constant = new double[100][3];
        for (double[] row : constant) {
            row[1] = 1;
        }
        Sample sample = new Sample(new double[][][] {one.p()[0], one.p()[0], constant}, one.labels());
        Ridge ridge = fit(sample);
        assertEquals(ridge.weight(0, 2, 1), ridge.weight(1, 2, 1), 1e-6); // equal members share equally
        assertEquals(0, ridge.weight(2, 0, 0), 1e-12); // a class that is never predicted
    }

    @Test
    void aNanAnywhereEndsTheFit() {
        Sample sample = Sample.random(1, 2, 40, 3);
        sample.p()[1][17][0] = Double.NaN;
        String message =
                assertThrows(IllegalArgumentException.class, () -> fit(sample)).getMessage();
        assertTrue(message.contains("member 1"), message);
    }

    @Test
    void whatWasFittedOnIsNoTestSetUnderAnyNameOrOrder() {
        Sample sample = Sample.random(1, 2, 40, 3);
        Ridge ridge = fit(sample);
        assertThrows(IllegalArgumentException.class, () -> measured(ridge, sample));
        Sample other = Sample.random(2, 2, 40, 3);
        assertThrows(IllegalArgumentException.class, () -> ridge.evaluate(new TestSet("val", other), p -> {}));
        double[][][] reversed = new double[2][40][];
        int[] labels = new int[40];
        for (int i = 0; i < 40; i++) {
            labels[i] = sample.labels()[39 - i];
            reversed[0][i] = sample.p()[0][39 - i];
            reversed[1][i] = sample.p()[1][39 - i];
        }
        Sample mirror = new Sample(reversed, labels);
        assertThrows(IllegalArgumentException.class, () -> measured(ridge, mirror));
        assertEquals(40, measured(ridge, other).count());
    }

    @Test
    void optionsAndSizesAreChecked() {
        HeldOut data = new HeldOut("val", Sample.random(1, 2, 40, 3));
        assertThrows(IllegalArgumentException.class, () -> Ridge.fit(data, p -> {}, 1, 0.1));
        assertThrows(IllegalArgumentException.class, () -> Ridge.fit(data, p -> {}, 21, 0.1));
        assertThrows(IllegalArgumentException.class, () -> Ridge.fit(data, p -> {}, 4));
        assertThrows(IllegalArgumentException.class, () -> Ridge.fit(data, p -> {}, 4, 0));
        assertThrows(IllegalArgumentException.class, () -> Ridge.fit(data, p -> {}, 4, Double.NaN));
        HeldOut wide = new HeldOut("val", Sample.random(1, 60, 1, 100));
        assertThrows(IllegalArgumentException.class, () -> Ridge.fit(wide, p -> {}));
        Ridge ridge = Ridge.fit(data, p -> {});
        TestSet other = new TestSet("test", Sample.random(3, 3, 10, 3));
        assertThrows(IllegalArgumentException.class, () -> ridge.evaluate(other, p -> {}));
    }

    private static Ridge fit(Sample sample) {
        return Ridge.fit(new HeldOut("val", sample), p -> {});
    }

    private static Metrics measured(Ridge ridge, Sample sample) {
        return ridge.evaluate(new TestSet("test", sample), p -> {});
    }

    /** Swaps the two classes' probabilities. */
    private static Sample wrong(Sample sample) {
        for (double[] row : sample.p()[0]) {
            double first = row[0];
            row[0] = row[1];
            row[1] = first;
        }
        return sample;
    }

    private static double squared(double[][] w, Sample sample, int i) {
        double[] scores = scores(w, sample.features(i));
        double error = 0;
        for (int c = 0; c < scores.length; c++) {
            double difference = scores[c] - (sample.labels()[i] == c ? 1 : 0);
            error += difference * difference;
        }
        return error;
    }

    private static double[] scores(double[][] w, double[] x) {
        double[] scores = new double[w[0].length];
        for (int c = 0; c < scores.length; c++) {
            for (int j = 0; j < x.length; j++) {
                scores[c] += w[j][c] * x[j];
            }
        }
        return scores;
    }

    /** (X'X + n lambda I) W = X'Y by elimination with pivots, over the samples that {@code in} names. */
    private static double[][] solve(Sample sample, double lambda, IntPredicate in) {
        int d = sample.members() * sample.classes();
        int classes = sample.classes();
        double[][] a = new double[d][d + classes];
        int n = 0;
        for (int i = 0; i < sample.samples(); i++) {
            if (in.test(i)) {
                double[] x = sample.features(i);
                n++;
                for (int j = 0; j < d; j++) {
                    for (int k = 0; k < d; k++) {
                        a[j][k] += x[j] * x[k];
                    }
                    a[j][d + sample.labels()[i]] += x[j];
                }
            }
        }
        for (int j = 0; j < d; j++) {
            a[j][j] += n * lambda;
        }
        return eliminate(a, d, classes);
    }

    private static double[][] eliminate(double[][] a, int d, int classes) {
        for (int p = 0; p < d; p++) {
            int pivot = p;
            for (int i = p; i < d; i++) {
                pivot = Math.abs(a[i][p]) > Math.abs(a[pivot][p]) ? i : pivot;
            }
            double[] swap = a[p];
            a[p] = a[pivot];
            a[pivot] = swap;
            for (int i = 0; i < d; i++) {
                double factor = i == p ? 0 : a[i][p] / a[p][p];
                for (int j = p; j < d + classes; j++) {
                    a[i][j] -= factor * a[p][j];
                }
            }
        }
        double[][] w = new double[d][classes];
        for (int i = 0; i < d; i++) {
            for (int c = 0; c < classes; c++) {
                w[i][c] = a[i][d + c] / a[i][i];
            }
        }
        return w;
    }
}
