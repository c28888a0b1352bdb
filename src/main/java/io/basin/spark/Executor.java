package io.basin.spark;

import io.basin.device.DeviceException;
import io.basin.rounds.ShareWorker;
import io.basin.rounds.Shares;
import io.basin.train.DivergedException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.SparkEnv;

/** An executor's state between tasks: data once, and a device for each task that runs at the same time. */
final class Executor {
    private static final Map<SharesSource, Shares> SHARES = new HashMap<>();
    private static final Map<Place, Deque<ShareWorker>> IDLE = new HashMap<>();

    /** @param device as of {@link TaskDevice}: a worker stays on the one where it was opened */
    private record Place(SharesSource source, String device) {}

    private Executor() {}

    /** @param wanted what the worker's job must be; empty where any will do */
    static SparkCarrier.Done compute(SharesSource source, SparkCarrier.Task task, byte[] begin, String wanted) {
        Place place = new Place(source, TaskDevice.name());
        ShareWorker worker = take(place);
        try {
            if (!wanted.isEmpty() && !worker.job().equals(wanted)) {
                throw new DeviceException("executor " + name() + " would compute something else: it has " + worker.job()
                        + ", and the job asks for " + wanted);
            }
            byte[] share = worker.compute(task.round(), task.share(), begin, task.before(), "executor " + name());
            return new SparkCarrier.Done(task.share(), share, null);
        } catch (DivergedException e) {
            return new SparkCarrier.Done(task.share(), null, e.getMessage());
        } finally {
            give(place, worker);
        }
    }

    private static String name() {
        SparkEnv env = SparkEnv.get();
        return env == null ? "none" : env.executorId();
    }

    private static synchronized ShareWorker take(Place place) {
        ShareWorker idle = IDLE.computeIfAbsent(place, p -> new ArrayDeque<>()).poll();
        return idle != null ? idle : new ShareWorker(SHARES.computeIfAbsent(place.source(), SharesSource::make));
    }

    private static synchronized void give(Place place, ShareWorker worker) {
        IDLE.computeIfAbsent(place, p -> new ArrayDeque<>()).push(worker);
    }
}
