package io.basin.spark;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.rounds.Carrier;
import io.basin.rounds.RoundPlan;
import io.basin.rounds.ShareFiles;
import io.basin.text.Reason;
import io.basin.train.DivergedException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** Executors of a Spark application: the round's weights are broadcast once, each share is a task of one stage, data load once an executor. */
@Api
public final class SparkCarrier implements Carrier {
    /** What travels to an executor. */
    record Task(int round, int worker, byte @Nullable [] moments) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    /** What comes back: a share, or why there is none. */
    record Done(int worker, byte @Nullable [] share, @Nullable String failure) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    private final ShareFiles files;
    private final WorkshopSource source;
    private final JavaSparkContext spark;

    /**
     * Starts a Spark application, or joins the one that {@code spark-submit} started.
     *
     * @param folder of the job, on the driver
     * @param source makes the workshop on an executor
     * @param master such as {@code local[2]} or {@code spark://host:7077}; empty for the one that spark-submit names
     */
    public SparkCarrier(Path folder, RoundPlan plan, WorkshopSource source, String master) {
        files = new ShareFiles(folder, plan);
        this.source = source;
        spark = new JavaSparkContext(conf(master));
    }

    /** Of the system properties, which spark-submit sets; secrets and resources pass through. */
    private static SparkConf conf(String master) {
        SparkConf conf = new SparkConf(true);
        if (!master.isEmpty()) conf.setMaster(master);
        conf.setIfMissing("spark.app.name", "basin");
        conf.setIfMissing("spark.ui.enabled", "false");
        String[] jar = JavaSparkContext.jarOfClass(SparkCarrier.class);
        if (jar.length > 0) conf.setIfMissing("spark.jars", jar[0]);
        return conf;
    }

    @Override
    public String describe() {
        return "Spark " + spark.version() + " on " + spark.master();
    }

    @Override
    public void run(int round) {
        List<Task> tasks = new ArrayList<>();
        for (int w : files.missing(round)) tasks.add(new Task(round, w, files.moments(round, w)));
        if (tasks.isEmpty()) return;
        Broadcast<byte[]> weights = spark.broadcast(files.weights(round));
        String wanted = files.anyDevice() ? "" : files.job();
        WorkshopSource shop = source;
        try {
            List<Done> all = spark.parallelize(tasks, tasks.size())
                    .map(task -> Executor.compute(shop, task, weights.value(), wanted))
                    .collect();
            for (Done done : all) {
                if (done.failure() != null) throw new DivergedException(done.failure());
                if (done.share() != null) files.hand(round, done.worker(), done.share());
            }
        } catch (DivergedException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new IllegalStateException("Spark could not compute round " + (round + 1) + ": " + Reason.of(e), e);
        } finally {
            weights.destroy();
        }
    }

    @Override
    public void close() {
        spark.close();
    }
}
