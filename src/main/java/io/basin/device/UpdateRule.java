package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;

/**
 * A caller's own optimizer in one class: the update of a weight as a Java loop and as CUDA statements, which the device fuses with
 * the running average into one pass over all weights.
 *
 * <p>Both compute in float32 and round every product and sum by itself, so a rule without transcendental functions (a square root is
 * not one) has the same bits on every device. A rule is called by several threads at a time and keeps no state of its own.
 */
@Api
public non-sealed interface UpdateRule extends Optimizer {
    /** For messages and files, such as {@code adamw}. */
    String name();

    /**
     * Numbers that depend on the step alone, such as Adam's bias corrections: computed once on the host for every step.
     *
     * @param step counted from 0
     */
    default double[] scalars(long step) {
        return new double[0];
    }

    /** Factor of weight decay; parameters that decay spares are given 0 instead. */
    default double weightDecay() {
        return 0;
    }

    /**
     * Moves {@code n} weights.
     *
     * @param w weights, read and written
     * @param g gradients
     * @param m and v state, read and written; empty beyond {@link #moments}
     * @param lr rate of this step
     * @param wd weight decay of these weights
     * @param c {@link #scalars} of this step
     */
    void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c);

    /**
     * The same for one weight: C statements over the variables {@code float w, g, m, v}, of which w, m and v are assigned to, and
     * {@code const float lr, wd, c[]}; null where the rule runs on the CPU alone.
     */
    default @Nullable String cuda() {
        return null;
    }
}
