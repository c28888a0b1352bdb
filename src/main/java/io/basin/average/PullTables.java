package io.basin.average;

import io.basin.Api;
import io.basin.text.Require;
import java.util.function.IntToDoubleFunction;

/**
 * How far each step moves the average toward the weights, and then the weights toward the average: methods that train on from their
 * average, as tables for {@link FusedStepBuilder#tables}. Steps count from 0.
 *
 * @param alpha a = a + alpha[t] (w - a)
 * @param pull w = w + pull[t] (a - w), afterwards
 */
@Api
public record PullTables(double[] alpha, double[] pull) {
    /**
     * Switch EMA (Li et al. 2024, arXiv 2402.09240): a = d a + (1 - d) w in every step, the first copies; w = a at the end of each
     * epoch.
     *
     * @param decay d
     * @param epoch steps of an epoch
     */
    public static PullTables switchEma(int steps, double decay, int epoch) {
        Require.belowOne("decay", decay);
        return of(steps, epoch, t -> t == 0 ? 1 : 1 - decay);
    }

    /**
     * Periodic SWA (Guo, Jin and Liu 2022, arXiv 2201.00519): a is the equal mean of a period's weights; w = a at its end, and the next
     * period's mean begins anew.
     *
     * @param period in steps
     */
    public static PullTables pswa(int steps, int period) {
        return of(steps, period, t -> 1.0 / (t % period + 1));
    }

    /**
     * Lookahead (Zhang et al. 2019, arXiv 1907.08610): after every k-th step the slow weights move, a = a + rate (w - a), and w = a.
     * The slow weights begin as the weights: fill {@code a} with them.
     *
     * @param every k, the paper's 5
     * @param rate the paper's alpha, 0.5
     */
    public static PullTables lookahead(int steps, int every, double rate) {
        if (!(rate > 0 && rate <= 1)) throw new IllegalArgumentException("`rate` must lie in (0, 1], got " + rate);
        return of(steps, every, t -> (t + 1) % every == 0 ? rate : 0);
    }

    private static PullTables of(int steps, int every, IntToDoubleFunction alpha) {
        Require.atLeast("steps", steps, 1);
        Require.atLeast("every", every, 1);
        double[] alphas = new double[steps];
        double[] pulls = new double[steps];
        for (int t = 0; t < steps; t++) {
            alphas[t] = alpha.applyAsDouble(t);
            if ((t + 1) % every == 0) pulls[t] = 1;
        }
        return new PullTables(alphas, pulls);
    }
}
