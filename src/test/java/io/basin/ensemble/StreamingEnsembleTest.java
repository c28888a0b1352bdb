package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

class StreamingEnsembleTest {
    private static final double[] WEIGHTS = {3, 0.5, 1, 2, 0.25};

    @Test
    void everyPrefixOfTheMeanEqualsTheMeanOfItsMembers() {
        Sample sample = Sample.random(1, 5, 100, 4);
        StreamingEnsemble ensemble = new StreamingEnsemble(4, WEIGHTS);
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
        StreamingEnsemble ensemble = new StreamingEnsemble(6, 3);
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
        StreamingEnsemble ensemble = new StreamingEnsemble(2, 2);
        ensemble.begin(new int[] {1}, 1);
        ensemble.member(new double[] {0.6, 0.4});
        ensemble.member(new double[] {0.1, 0.9});
        ensemble.end();
        assertEquals(0, ensemble.vote().get(0).accuracy());
        assertEquals(1, ensemble.vote().get(1).accuracy());
        assertEquals(Math.log(2), ensemble.vote().get(1).nll(), 1e-15);
    }

    @Test
    void aSingleMemberIsItsOwnEnsemble() {
        Sample sample = Sample.random(4, 1, 50, 3);
        StreamingEnsemble ensemble = new StreamingEnsemble(3, new double[] {17});
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
        StreamingEnsemble ensemble = new StreamingEnsemble(4, 3);
        four.stream(ensemble);
        for (Metrics prefix : ensemble.mean()) {
            assertSame(ensemble.members().get(0), prefix);
        }
    }

    @Test
    void probabilitiesAreAveragedNotLogits() {
        // Member 1 is nearly certain: a mean of logits follows it, the mean of probabilities does not.
        StreamingEnsemble ensemble = new StreamingEnsemble(3, 2);
        double[][] members = {{0.9, 0.1}, {1e-6, 1 - 1e-6}, {0.9, 0.1}};
        double logits = 0;
        ensemble.begin(new int[] {0}, 1);
        for (double[] p : members) {
            ensemble.member(p);
            logits += Math.log(p[0]) - Math.log(p[1]);
        }
        ensemble.end();
        assertTrue(logits < 0);
        assertEquals(1, ensemble.mean().get(2).accuracy());
        assertEquals(-Math.log((0.9 + 1e-6 + 0.9) / 3), ensemble.mean().get(2).nll(), 1e-15);
    }

    @Test
    void aMemberThatIsNoProbabilityIsRefusedByNameAndChangesNothing() {
        StreamingEnsemble ensemble = new StreamingEnsemble(2, 2);
        ensemble.begin(new int[] {0, 1}, 2);
        ensemble.member(new double[] {0.5, 0.5, 0.5, 0.5});
        double[][] bad = {
            {0.5, 0.5, Double.NaN, 0.5},
            {0.5, 0.5, Double.POSITIVE_INFINITY, 0},
            {0.5, 0.5, 1.5, -0.5},
            {0.5, 0.5, 0.5, 0.4},
            {0.5, 0.5, 0, 0}
        };
        for (double[] p : bad) {
            String message = assertThrows(IllegalArgumentException.class, () -> ensemble.member(p))
                    .getMessage();
            assertTrue(message.startsWith("member 1, sample 1"), message);
        }
        assertEquals(0, ensemble.mean().get(1).count());
        ensemble.member(new double[] {0.5, 0.5, 0.5, 0.5});
        ensemble.end();
        assertEquals(2, ensemble.mean().get(1).count());
    }

    @Test
    void callsOutOfOrderAreRefused() {
        StreamingEnsemble ensemble = new StreamingEnsemble(2, 2);
        double[] p = {0.5, 0.5};
        assertThrows(IllegalStateException.class, () -> ensemble.member(p));
        assertThrows(IllegalStateException.class, ensemble::end);
        assertThrows(IllegalArgumentException.class, () -> ensemble.begin(new int[] {2}, 1));
        assertThrows(IllegalArgumentException.class, () -> ensemble.begin(new int[] {1}, 2));
        assertThrows(IllegalArgumentException.class, () -> ensemble.begin(new int[] {}, 0));
        ensemble.begin(new int[] {1}, 1);
        assertThrows(IllegalStateException.class, () -> ensemble.begin(new int[] {1}, 1));
        ensemble.member(p);
        assertThrows(IllegalStateException.class, ensemble::end);
        assertThrows(IllegalArgumentException.class, () -> ensemble.member(new double[1]));
        ensemble.member(p);
        assertThrows(IllegalStateException.class, () -> ensemble.member(p));
        ensemble.end();
    }

    @Test
    void weightsMembersAndClassesAreChecked() {
        for (double weight : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> new StreamingEnsemble(2, new double[] {1, weight}));
        }
        assertThrows(IllegalArgumentException.class, () -> new StreamingEnsemble(0, 2));
        assertThrows(IllegalArgumentException.class, () -> new StreamingEnsemble(1, 1));
        assertNotEquals(0, new StreamingEnsemble(1, 2).mean().size());
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
