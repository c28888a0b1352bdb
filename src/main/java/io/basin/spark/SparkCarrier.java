package io.basin.spark;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.rounds.Carrier;
import io.basin.rounds.ShareFiles;
import io.basin.rounds.Shares;
import io.basin.train.DivergedException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.broadcast.Broadcast;

/** Executors of a Spark application: the round's file is broadcast once, each share is a task of one stage, data load once an executor. */
@Api
public final class SparkCarrier implements Carrier {
    /** The message to an executor. */
    record Task(int round, int share, byte @Nullable [] before) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    /** What comes back: a share, or why there is none. */
    record Done(
            int number, byte @Nullable [] share, @Nullable String failure) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    private final ShareFiles files;
    private final SharesSource source;
    private final SparkPool pool;

    /**
     * @param folder of the job, on the driver
     * @param shares the driver's
     * @param source makes the same on an executor
     * @param master as of {@link SparkPool}, which this closes
     */
    public SparkCarrier(Path folder, Shares shares, SharesSource source, String master) {
        files = new ShareFiles(folder, shares);
        this.source = source;
        pool = new SparkPool(master);
    }

    @Override
    public String describe() {
        return pool.describe();
    }

    @Override
    public void run(int round, Runnable handed) {
        List<Task> tasks = files.missing(round).stream()
                .map(w -> new Task(round, w, files.before(round, w)))
                .toList();
        Broadcast<byte[]> begin = pool.context().broadcast(files.begin(round));
        String wanted = files.anyDevice() ? "" : files.job();
        SharesSource own = source;
        try {
            for (Done done : pool.map(
                    "round " + (round + 1),
                    tasks,
                    task -> Executor.compute(own, task, begin.value(), wanted),
                    handed)) {
                if (done.failure() != null) throw new DivergedException(done.failure());
                if (done.share() != null) files.hand(round, done.number(), done.share());
            }
        } finally {
            begin.destroy();
        }
    }

    @Override
    public void close() {
        pool.close();
    }
}
