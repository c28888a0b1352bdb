package io.basin.methods;

import io.basin.Api;
import java.util.Locale;

/**
 * What one decides about a method: a record of its own for each. Planned for a budget, it is a {@link Method}. Constructors throw
 * {@link IllegalArgumentException} naming the parameter, such as {@code swa.lr}.
 */
@Api
public interface MethodSettings {
    /** As it is chosen: {@code swa-cyclic} of {@link SwaCyclic}. */
    default String name() {
        return getClass().getSimpleName().replaceAll("\\B[A-Z]", "-$0").toLowerCase(Locale.ROOT);
    }

    /**
     * Its tables at a budget.
     *
     * @param stepsPerEpoch whole batches in an epoch
     */
    Method plan(Budget budget, int stepsPerEpoch);

    /** Models that it is to collect at a budget; 0 where it names no number. */
    default int models(Budget budget) {
        return 0;
    }

    /** Whether the rate restarts after each collected model, so that no two of them may be averaged. */
    default boolean restarts() {
        return false;
    }
}
