package io.basin.compare;

import io.basin.Api;
import io.basin.data.Progress;
import io.basin.train.Trainer;

/** Watches a comparison: the command line draws bars, tests and libraries watch nothing. */
@Api
public interface Monitor {
    /** Shows nothing. */
    Monitor NONE = new Monitor() {
        @Override
        public Run run(String label, int steps, int batch, int done) {
            return new Run() {};
        }

        @Override
        public Progress progress() {
            return Progress.NONE;
        }
    };

    /** One training run going by. */
    interface Run extends AutoCloseable {
        /** @param step updates done */
        default void step(int step) {}

        /** Validation figures are NaN where nothing is held out. */
        default void epoch(Trainer.Epoch epoch, double validationLoss, double validationAccuracy) {}

        @Override
        default void close() {}
    }

    /**
     * A run begins.
     *
     * @param steps of the whole run
     * @param batch samples a step
     * @param done steps that a checkpoint has already
     */
    Run run(String label, int steps, int batch, int done);

    /** For everything except training. */
    Progress progress();
}
