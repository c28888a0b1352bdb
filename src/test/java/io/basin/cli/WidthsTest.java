package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.geometry.Rays;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is concluded from widths, and where nothing is. */
class WidthsTest {
    private static List<Widths.Width> widths(Rays.Kind kind, double[] sgd, double[] swa) {
        List<Widths.Width> all = new ArrayList<>();
        for (int i = 0; i < sgd.length; i++) all.add(new Widths.Width(kind, "sgd", "" + (i + 1), sgd[i]));
        for (int i = 0; i < swa.length; i++) all.add(new Widths.Width(kind, "swa", "" + (i + 1), swa[i]));
        return all;
    }

    private static String only(List<Widths.Width> widths) {
        List<String> all = Widths.conclusions(widths, 0.1);
        assertEquals(1, all.size());
        return all.get(0);
    }

    /** Differences 0.10, 0.12, 0.08: mean 0.1, s 0.02, t = 0.1 / (0.02 / sqrt 3) = 8.66, p = 0.0131 with 2 degrees of freedom. */
    @Test
    void aSteadyGainIsWiderAndASteadyLossNarrower() {
        double[] sgd = {0.50, 0.60, 0.40};
        double[] swa = {0.60, 0.72, 0.48};
        String wider = only(widths(Rays.Kind.FILTER, sgd, swa));
        assertTrue(wider.contains("sgd 0.500, swa 0.600, difference over 3 seeds 0.100"), wider);
        assertTrue(wider.contains("95 % interval [0.050, 0.150]"), wider);
        assertTrue(wider.endsWith("p (Holm) 0.0131: swa is wider."), wider);
        String narrower = only(widths(Rays.Kind.FILTER, swa, sgd));
        assertTrue(narrower.endsWith("p (Holm) 0.0131: swa is narrower."), narrower);
    }

    /** Holm's correction: the smaller of two p values is doubled, and no longer significant where it was only just. */
    @Test
    void twoKindsOfRaysAreTwoTests() {
        double[] sgd = {0.50, 0.60, 0.40};
        List<Widths.Width> both = widths(Rays.Kind.RAW, sgd, new double[] {0.60, 0.72, 0.48});
        both.addAll(widths(Rays.Kind.FILTER, sgd, new double[] {0.40, 0.70, 0.45}));
        List<String> all = Widths.conclusions(both, 0.1);
        assertTrue(all.get(0).endsWith("p (Holm) 0.0261: swa is wider."), all.get(0));
        assertTrue(all.get(1).endsWith(": 3 seeds cannot tell which is wider."), all.get(1));
    }

    @Test
    void netsWiderThanTheRaysForbidATest() {
        String said =
                only(widths(Rays.Kind.RAW, new double[] {0.5, 0.6, 0.4}, new double[] {0.45, Double.NaN, Double.NaN}));
        assertTrue(said.contains("2 of the 6 nets of sgd and swa are wider than the rays"), said);
        assertTrue(said.contains("--distance"), said);
        assertFalse(said.contains("narrower."), said);
    }

    @Test
    void oneSeedSaysNothingAboutChance() {
        String said = only(widths(Rays.Kind.FILTER, new double[] {0.5}, new double[] {0.9}));
        assertTrue(said.endsWith("sgd 0.500, swa 0.900; one seed, so nothing can be said about chance."), said);
    }

    @Test
    void seedsOfOneMethodOnlyMakeNoPairs() {
        List<Widths.Width> apart = List.of(
                new Widths.Width(Rays.Kind.FILTER, "sgd", "1", 0.5),
                new Widths.Width(Rays.Kind.FILTER, "swa", "2", 0.6));
        assertTrue(only(apart).endsWith("no seed has nets of both sgd and swa."));
    }

    /** Two files of one seed, or files that name none, as soups of several seeds. */
    @Test
    void severalNetsOfOneSeedAreNotPaired() {
        for (String seed : List.of("1", "")) {
            List<Widths.Width> twins = List.of(
                    new Widths.Width(Rays.Kind.FILTER, "sgd", seed, 0.5),
                    new Widths.Width(Rays.Kind.FILTER, "sgd", seed, 0.7),
                    new Widths.Width(Rays.Kind.FILTER, "swa", seed, 0.6));
            assertTrue(only(twins).contains("name one file of each method and seed"), only(twins));
        }
    }
}
