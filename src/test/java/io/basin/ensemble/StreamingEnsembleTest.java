package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class StreamingEnsembleTest {
    private static final double[] WEIGHTS = {3, 0.5, 1, 2, 0.25};

    @Test
    void everyPrefixOfTheMeanEqualsTheMeanOfItsMembers() {
        Sample sample = Sample.random(1, 5, 100, 4);
        StreamingEnsemble ensemble = new StreamingEnsemble(sample, WEIGHTS);
        sample.stream(ensemble);
        for (int k = 1; k <= 5; k++) {
            int prefix = k;
            double total = 0;
            for (int m = 0; m < k; m++) {
                total += WEIGHTS[m];
            }
            double scale = total;
            assertSame(
                    naive(sample, i -> average(sample, i, prefix, false, prefix)),
                    ensemble.mean().get(k - 1));
            assertSame(
                    naive(sample, i -> average(sample, i, prefix, true, scale)),
                    ensemble.weighted().get(k - 1));
            assertSame(
                    naive(sample, i -> sample.p()[prefix - 1][i]),
                    ensemble.members().get(k - 1));
        }
    }

    @Test
    void everyPrefixOfTheVoteEqualsCountingAndTiesGoToTheLargerSum() {
        Sample sample = Sample.random(2, 6, 300, 3);
        StreamingEnsemble ensemble = StreamingEnsemble.equal(sample);
        sample.stream(ensemble);
        for (int k = 1; k <= 6; k++) {
            int hits = 0;
            double nll = 0;
            for (int i = 0; i < 300; i++) {
                double[] votes = new double[3];
                for (int m = 0; m < k; m++) {
                    double[] p = sample.p()[m][i];
                    votes[p[0] >= p[1] && p[0] >= p[2] ? 0 : p[1] >= p[2] ? 1 : 2]++;
                }
                double[] sums = average(sample, i, k, false, 1);
                // Sums stay below 7: votes decide, sums break ties.
                double[] ranked = {10 * votes[0] + sums[0], 10 * votes[1] + sums[1], 10 * votes[2] + sums[2]};
                double top = Math.max(ranked[0], Math.max(ranked[1], ranked[2]));
                hits += ranked[sample.labels()[i]] == top ? 1 : 0;
                nll -= Math.log(Math.max(1e-12, votes[sample.labels()[i]] / k));
            }
            assertEquals(hits / 300.0, ensemble.vote().get(k - 1).accuracy(), 1e-15);
            assertEquals(nll / 300, ensemble.vote().get(k - 1).nll(), 1e-12);
        }
    }

    @Test
    void aTiedVoteGoesToTheClassOfTheSurerMember() {
        Sample sample = Sample.one(1, new double[] {0.6, 0.4}, new double[] {0.1, 0.9});
        StreamingEnsemble ensemble = StreamingEnsemble.equal(sample);
        sample.stream(ensemble);
        assertEquals(0, ensemble.vote().get(0).accuracy());
        assertEquals(1, ensemble.vote().get(1).accuracy());
        assertEquals(Math.log(2), ensemble.vote().get(1).nll(), 1e-15);
    }

    @Test
    void aSingleMemberIsItsOwnEnsemble() {
        Sample sample = Sample.random(4, 1, 50, 3);
        StreamingEnsemble ensemble = new StreamingEnsemble(sample, 17);
        sample.stream(ensemble);
        assertSame(ensemble.members().get(0), ensemble.mean().get(0));
        assertSame(ensemble.members().get(0), ensemble.weighted().get(0));
        assertEquals(
                ensemble.members().get(0).accuracy(), ensemble.vote().get(0).accuracy());
    }

    @Test
    void equalMembersChangeNothing() {
        Sample one = Sample.random(5, 1, 50, 3);
        Sample four = new Sample(new double[][][] {one.p()[0], one.p()[0], one.p()[0], one.p()[0]}, one.labels());
        StreamingEnsemble ensemble = StreamingEnsemble.equal(four);
        four.stream(ensemble);
        for (Metrics prefix : ensemble.mean()) {
            assertSame(ensemble.members().get(0), prefix);
        }
    }

    @Test
    void probabilitiesAreAveragedNotLogits() {
        // Member 1 is nearly certain: a mean of logits follows it, the mean of probabilities does not.
        double[][] members = {{0.9, 0.1}, {1e-6, 1 - 1e-6}, {0.9, 0.1}};
        Sample sample = Sample.one(0, members);
        StreamingEnsemble ensemble = StreamingEnsemble.equal(sample);
        sample.stream(ensemble);
        double logits = 0;
        for (double[] p : members) logits += Math.log(p[0]) - Math.log(p[1]);
        assertTrue(logits < 0);
        assertEquals(1, ensemble.mean().get(2).accuracy());
        assertEquals(-Math.log((0.9 + 1e-6 + 0.9) / 3), ensemble.mean().get(2).nll(), 1e-15);
    }

    @Test
    void aMemberThatIsNoProbabilityIsRefusedByNameAndChangesNothing() {
        StreamingEnsemble ensemble = StreamingEnsemble.equal(Sample.random(1, 2, 2, 2));
        ensemble.accept(new double[] {0.5, 0.5, 0.5, 0.5});
        double[][] bad = {
            {0.5, 0.5, Double.NaN, 0.5},
            {0.5, 0.5, Double.POSITIVE_INFINITY, 0},
            {0.5, 0.5, 1.5, -0.5},
            {0.5, 0.5, 0.5, 0.4},
            {0.5, 0.5, 0, 0}
        };
        for (double[] p : bad) {
            String message = assertThrows(IllegalArgumentException.class, () -> ensemble.accept(p))
                    .getMessage();
            assertTrue(message.startsWith("member 1, sample 1"), message);
        }
        assertEquals(1, ensemble.mean().size());
        ensemble.accept(new double[] {0.5, 0.5, 0.5, 0.5});
        assertEquals(2, ensemble.mean().get(1).count());
    }

    @Test
    void aMemberTooManyAndSamplesTooFewAreRefused() {
        StreamingEnsemble ensemble = StreamingEnsemble.equal(Sample.random(1, 2, 1, 2));
        double[] p = {0.5, 0.5};
        ensemble.accept(p);
        assertThrows(IllegalArgumentException.class, () -> ensemble.accept(new double[1]));
        assertThrows(IllegalArgumentException.class, () -> ensemble.accept(new double[4]));
        ensemble.accept(p);
        assertThrows(IllegalStateException.class, () -> ensemble.accept(p));
    }

    @Test
    void weightsMembersLabelsAndClassesAreChecked() {
        Sample two = Sample.random(1, 2, 5, 2);
        for (double weight : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> new StreamingEnsemble(two, 1, weight));
        }
        assertThrows(IllegalArgumentException.class, () -> new StreamingEnsemble(two, 1));
        Sample one = Sample.one(0, new double[] {1});
        assertThrows(IllegalArgumentException.class, () -> StreamingEnsemble.equal(one));
        Sample strange = Sample.one(2, new double[] {1, 0});
        assertThrows(IllegalArgumentException.class, () -> StreamingEnsemble.equal(strange));
        Sample none = new Sample(new double[0][][], new int[0]);
        assertThrows(IllegalArgumentException.class, () -> StreamingEnsemble.equal(none));
    }

    private static double[] average(Sample sample, int i, int k, boolean weighted, double divisor) {
        double[] result = new double[sample.classes()];
        for (int c = 0; c < result.length; c++) {
            for (int m = 0; m < k; m++) {
                result[c] += (weighted ? WEIGHTS[m] : 1) * sample.p()[m][i][c] / divisor;
            }
        }
        return result;
    }

    private static Metrics naive(Sample sample, IntFunction<double[]> prediction) {
        Metrics metrics = new Metrics(sample.classes());
        for (int i = 0; i < sample.samples(); i++) {
            metrics.add(prediction.apply(i), sample.labels()[i]);
        }
        return metrics;
    }

    private static void assertSame(Metrics expected, Metrics actual) {
        assertEquals(expected.count(), actual.count());
        assertEquals(expected.accuracy(), actual.accuracy());
        assertEquals(expected.nll(), actual.nll(), 1e-12);
        assertEquals(expected.ece(), actual.ece(), 1e-12);
    }
}
