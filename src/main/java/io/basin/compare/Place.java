package io.basin.compare;

import io.basin.Nullable;
import io.basin.nn.Graph;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * The folder and settings of a group's run.
 *
 * @param start from which training goes on; null for first weights
 * @param folder existing; holds all that the group writes
 * @param events folder of what TensorBoard shows; null to write nothing for it
 */
record Place(
        Splits splits,
        Settings settings,
        Supplier<Graph> net,
        @Nullable Start start,
        long seed,
        Path folder,
        @Nullable Path events,
        Options options,
        Monitor monitor) {
    /** Measures on the held-out part; null where there is none. */
    @Nullable
    Evaluator validation(Model model) {
        return splits.holdsOut() ? model.evaluator(splits.validation(), splits.plainBatch()) : null;
    }
}
