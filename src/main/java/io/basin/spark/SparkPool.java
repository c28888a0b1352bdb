package io.basin.spark;

import io.basin.Api;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;

/** A Spark application: starts one, or joins the one that {@code spark-submit} started. Tasks are pure functions, one stage at a time. */
@Api
public final class SparkPool implements AutoCloseable {
    private final JavaSparkContext spark;

    /** @param master such as {@code local[2]} or {@code spark://host:7077}; empty for the one that spark-submit names */
    public SparkPool(String master) {
        spark = new JavaSparkContext(conf(master));
    }

    /** Of the system properties, which spark-submit sets; secrets and resources pass through. */
    private static SparkConf conf(String master) {
        SparkConf conf = new SparkConf(true);
        if (!master.isEmpty()) conf.setMaster(master);
        conf.setIfMissing("spark.app.name", "basin");
        conf.setIfMissing("spark.ui.enabled", "false");
        String[] jar = JavaSparkContext.jarOfClass(SparkPool.class);
        if (jar.length > 0) conf.setIfMissing("spark.jars", jar[0]);
        return conf;
    }

    JavaSparkContext context() {
        return spark;
    }

    /** In words. */
    public String describe() {
        return "Spark " + spark.version() + " on " + spark.master();
    }

    /**
     * Calls {@code work} with each of {@code tasks}, each in a task of its own.
     *
     * @param <T> of what travels to an executor, serializable
     * @param <R> of what comes back
     * @param what the work, for the error
     * @param ended called after each task that succeeded, by a thread of Spark's
     * @throws UncheckedIOException where Spark gave up, saying why the last of its tasks failed
     */
    public <T, R> List<R> map(String what, List<T> tasks, Function<T, R> work, Runnable ended) {
        if (tasks.isEmpty()) return List.of();
        SparkListener listener = new SparkListener() {
            @Override
            public void onTaskEnd(SparkListenerTaskEnd task) {
                if (task.taskInfo().successful()) ended.run();
            }
        };
        spark.sc().addSparkListener(listener);
        try {
            return spark.parallelize(tasks, tasks.size()).map(work).collect();
        } catch (Exception e) {
            // Spark throws what it does not declare.
            Throwable first = e;
            while (first.getCause() != null) first = first.getCause();
            throw new UncheckedIOException(
                    "Spark could not compute " + what + ": " + Reason.of(first), new IOException(e));
        } finally {
            spark.sc().removeSparkListener(listener);
        }
    }

    @Override
    public void close() {
        spark.close();
    }
}
