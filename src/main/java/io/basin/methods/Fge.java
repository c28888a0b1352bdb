package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Fast geometric ensembling (Garipov et al. 2018, arXiv 1802.10026): conventional training, {@link Schedule#triangles}, and the mean of the probabilities of the
 * models in the middle of triangles.
 *
 * @param start fraction of the budget after which triangles begin, usually 0.8
 * @param high highest rate, the paper's a1; usually 0.02
 * @param low lowest rate, the paper's a2; usually 0.0005
 * @param cycle epochs of one triangle; halves of it must fill what follows the start, 0 for 2/7 of that: the fourth model ends the run
 */
@Api
public record Fge(double start, double high, double low, double cycle) implements MethodSettings {
    private static final int USUAL_HALVES = 7;

    public Fge {
        Require.fraction("fge.start", start);
        Require.descending("fge.high", high, "fge.low", low);
        Require.notNegative("fge.cycle", cycle);
    }

    /** The cycle where none is named: four models, of which the last ends the run. */
    public static double usualCycle(Budget budget, double start) {
        return 2 * budget.after(start) / USUAL_HALVES;
    }

    @Override
    public int models(Budget budget) {
        long halves = cycle == 0 ? USUAL_HALVES : Math.round(2 * budget.after(start) / cycle);
        return (int) ((halves + 1) / 2);
    }

    /**
     * Triangles up to the budget's end, which comes with the last model where that is half a triangle after a whole one. Where
     * steps are too few for them, fewer: half a triangle takes two steps, for in one its model would be made at the highest rate.
     */
    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        int halves = cycle == 0 ? USUAL_HALVES : span.parts("fge.cycle", cycle, start, 2, "fge.start");
        int room = span.room("fge.start", start, 2);
        if (halves > room / 2) halves = room / 2 - 1 | 1;
        int begin = span.start(start);
        Schedule triangles = Schedule.triangles(span.end() - begin, high, low, 2.0 * room / halves);
        Schedule all = span.warmed(
                span.annealed(Math.max(span.rest(), begin)).first(begin).then(triangles));
        return new Method(this, budget, stepsPerEpoch, all, Averaging.none(all.steps()), Product.MEMBERS);
    }
}
