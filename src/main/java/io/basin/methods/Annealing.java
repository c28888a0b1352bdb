package io.basin.methods;

import io.basin.Api;
import io.basin.text.Require;
import java.util.Locale;

/**
 * How the learning rate of conventional training falls over its budget of T steps: of the baseline, of the methods that train as
 * it does (EMA, LAWA, independent nets) and of FGE up to its triangles. SWA and its relatives descend to a rate of their own.
 */
@Api
public enum Annealing {
    /** Constant to half of the budget, linear to a hundredth at 0.9, then constant: {@link Schedule#sgdPaper}. */
    SWA_PAPER,
    /** Half a cosine to 0: {@link Schedule#cosine}. */
    COSINE,
    /** A tenth of the rate from 1/2 and a hundredth from 3/4 of the budget on (Huang et al. 2017, section 4.1). */
    STEP,
    /** From lr/25 up to lr at 0.3 of the budget, down to lr/250000 at its end, both cosines: {@link Schedule#oneCycle}. */
    ONE_CYCLE,
    /** In a straight line to 0: lr (1 - s/T) at step s. */
    LINEAR,
    /** The same rate throughout. */
    CONSTANT,
    /** Warm-up, stable, decay (Haegele et al. 2024, arXiv 2405.18392): constant to 0.8 of the budget, then in a line to 0. */
    WSD;

    /**
     * The rates of a budget without warm-up; nothing is collected.
     *
     * @param lr the highest
     * @throws IllegalArgumentException where the steps are too few for its parts
     */
    public Schedule over(int steps, double lr) {
        if (this == STEP || this == ONE_CYCLE) Require.steps("epochs", steps, 4, Schedule.MOST_STEPS);
        return switch (this) {
            case SWA_PAPER -> Schedule.sgdPaper(steps, lr);
            case COSINE -> Schedule.cosine(steps, lr);
            case STEP -> Schedule.stepDecay(steps, lr, 0.1, steps / 2, (int) (3L * steps / 4));
            case ONE_CYCLE -> Schedule.oneCycle(steps, lr, 0.3);
            case LINEAR -> falling(steps, 0, lr);
            case CONSTANT -> Schedule.constant(steps, lr);
            case WSD -> falling(steps, (int) (4L * steps / 5), lr);
        };
    }

    /** As it is chosen: {@code one-cycle}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Constant for {@code from} steps, then linear to 0, which the step after the last would have. */
    private static Schedule falling(int steps, int from, double lr) {
        double[] rates = Schedule.constant(steps, lr).lr();
        for (int s = from; s < steps; s++) rates[s] = lr * (steps - s) / (steps - from);
        return Schedule.of(from == 0 ? "linear" : "wsd", rates);
    }
}
