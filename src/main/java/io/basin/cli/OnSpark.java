package io.basin.cli;

import io.basin.rounds.Carrier;
import io.basin.rounds.RoundPlan;
import io.basin.rounds.Workshop;
import io.basin.spark.SparkCarrier;
import io.basin.spark.WorkshopSource;
import io.basin.text.Printable;
import io.basin.text.Reason;
import java.nio.file.Path;
import java.util.List;

/** A job on Spark's executors. Apart, since Spark need not be there. */
final class OnSpark {
    /** Of Spark: the master that spark-submit names. */
    private static final String SUBMIT = "submit";

    private OnSpark() {}

    /** What made the job, which an executor reads as a worker does. */
    private record Words(List<String> words) implements WorkshopSource {
        private static final long serialVersionUID = 1;

        @Override
        public Workshop make() {
            return WorkerCommand.job(words).workshop();
        }
    }

    static Carrier carrier(Path folder, RoundPlan plan, List<String> words, String master) {
        try {
            return new SparkCarrier(folder, plan, new Words(List.copyOf(words)), master.equals(SUBMIT) ? "" : master);
        } catch (Exception e) {
            // Spark throws what it does not declare.
            throw new IllegalArgumentException(
                    "--spark " + Printable.of(master) + ": Spark does not start there (" + Reason.of(e)
                            + "): name a master such as local[2] or spark://host:7077",
                    e);
        }
    }
}
