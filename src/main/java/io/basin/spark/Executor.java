package io.basin.spark;

import io.basin.rounds.ShareWorker;
import io.basin.rounds.Workshop;
import io.basin.train.DivergedException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkEnv;

/** What an executor keeps between tasks: data once, and a device for each task that runs at the same time. */
final class Executor {
    private static final Map<WorkshopSource, Workshop> SHOPS = new HashMap<>();
    private static final Map<WorkshopSource, Deque<ShareWorker>> IDLE = new HashMap<>();

    private Executor() {}

    /** @param wanted what the worker's job must be; empty where any will do */
    static SparkCarrier.Done compute(WorkshopSource source, SparkCarrier.Task task, byte[] weights, String wanted) {
        ShareWorker worker = take(source);
        try {
            if (!wanted.isEmpty() && !worker.job().equals(wanted)) {
                throw new IllegalStateException("executor " + name() + " would compute something else: it has "
                        + worker.job() + ", and the job asks for " + wanted);
            }
            byte[] share = worker.compute(task.round(), task.worker(), weights, task.moments(), "executor " + name());
            return new SparkCarrier.Done(task.worker(), share, null);
        } catch (DivergedException e) {
            return new SparkCarrier.Done(task.worker(), null, e.getMessage());
        } finally {
            give(source, worker);
        }
    }

    private static String name() {
        SparkEnv env = SparkEnv.get();
        return env == null ? "none" : env.executorId();
    }

    private static synchronized ShareWorker take(WorkshopSource source) {
        ShareWorker idle = IDLE.computeIfAbsent(source, s -> new ArrayDeque<>()).poll();
        return idle != null ? idle : new ShareWorker(SHOPS.computeIfAbsent(source, WorkshopSource::make));
    }

    private static synchronized void give(WorkshopSource source, ShareWorker worker) {
        IDLE.computeIfAbsent(source, s -> new ArrayDeque<>()).push(worker);
    }
}
