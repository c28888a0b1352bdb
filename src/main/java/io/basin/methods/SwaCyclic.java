package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Stochastic weight averaging with a cyclic rate: {@link Schedule#swaCyclic}, and the equal mean of the models at the ends of
 * cycles.
 *
 * @param start fraction of the budget after which cycles begin, usually 0.75
 * @param high highest rate of a cycle, usually 0.01
 * @param low lowest rate, where models are collected, usually 0.001
 * @param cycle epochs of one cycle; must divide what follows the start, 0 for a tenth of it
 */
@Api
public record SwaCyclic(double start, double high, double low, double cycle) implements MethodSettings {
    public SwaCyclic {
        Require.fraction("swa-cyclic.start", start);
        Require.descending("swa-cyclic.high", high, "swa-cyclic.low", low);
        Require.notNegative("swa-cyclic.cycle", cycle);
    }

    @Override
    public int models(Budget budget) {
        return cycle == 0 ? 10 : (int) Math.round(budget.after(start) / cycle);
    }

    /** Whole cycles up to the budget's end; where steps are too few for them, one a step. */
    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        int cycles = cycle == 0 ? 10 : span.parts("swa-cyclic.cycle", cycle, start, 1, "swa-cyclic.start");
        int room = span.room("swa-cyclic.start", start, 1);
        int begin = span.start(start);
        double cycleSteps = (double) room / Math.min(cycles, room);
        int all = span.end() - begin;
        // Whole ones to the last product too.
        if (span.end() > span.first()) cycleSteps = all / (double) Math.max(1, Math.round(all / cycleSteps));
        Schedule cyclic = span.warmed(Schedule.swaCyclic(span.end(), budget.lr(), high, low, begin, cycleSteps));
        Averaging mean = Averaging.swa(cyclic.steps(), cyclic.collections());
        return new Method(this, budget, stepsPerEpoch, cyclic, mean, Product.AVERAGE);
    }
}
