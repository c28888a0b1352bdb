package io.basin.methods;

import io.basin.Api;
import java.util.Locale;

/**
 * A method's settings: a record of its own for each method. Planned for a budget, they make a {@link Method}. Constructors throw
 * {@link IllegalArgumentException} naming the parameter, such as {@code swa.lr}.
 */
@Api
public interface MethodSettings {
    /** The name by which it is chosen: {@code swa-cyclic} for {@link SwaCyclic}. */
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
