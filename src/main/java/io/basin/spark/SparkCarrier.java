package io.basin.spark;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.rounds.Carrier;
import io.basin.rounds.RoundPlan;
import io.basin.rounds.ShareFiles;
import io.basin.train.DivergedException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.broadcast.Broadcast;

/** Executors of a Spark application: the round's weights are broadcast once, each share is a task of one stage, data load once an executor. */
@Api
public final class SparkCarrier implements Carrier {
    /** What travels to an executor. */
    record Task(int round, int worker, byte @Nullable [] moments) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    /** What comes back: a share, or why there is none. */
    record Done(
            int worker, byte @Nullable [] share, @Nullable String failure) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    private final ShareFiles files;
    private final WorkshopSource source;
    private final SparkPool pool;

    /**
     * @param folder of the job, on the driver
     * @param source makes the workshop on an executor
     * @param master as of {@link SparkPool}, which this closes
     */
    public SparkCarrier(Path folder, RoundPlan plan, WorkshopSource source, String master) {
        files = new ShareFiles(folder, plan);
        this.source = source;
        pool = new SparkPool(master);
    }

    @Override
    public String describe() {
        return pool.describe();
    }

    @Override
    public void run(int round) {
        List<Task> tasks = files.missing(round).stream()
                .map(w -> new Task(round, w, files.moments(round, w)))
                .toList();
        Broadcast<byte[]> weights = pool.context().broadcast(files.weights(round));
        String wanted = files.anyDevice() ? "" : files.job();
        WorkshopSource shop = source;
        try {
            for (Done done : pool.map(
                    "round " + (round + 1),
                    tasks,
                    task -> Executor.compute(shop, task, weights.value(), wanted),
                    () -> {})) {
                if (done.failure() != null) throw new DivergedException(done.failure());
                if (done.share() != null) files.hand(round, done.worker(), done.share());
            }
        } finally {
            weights.destroy();
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
