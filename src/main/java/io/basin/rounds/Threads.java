package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.text.Require;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

/** Threads of this process, each with a device of its own. */
@Api
public final class Threads implements Carrier {
    private final RoundFolder folder;
    private final Workshop workshop;
    private final List<ExecutorService> threads = new ArrayList<>();
    private final @Nullable Workshop.Bench[] benches;

    /**
     * @param folder of the job
     * @param count threads; a worker's shares are always computed by the same one
     */
    public Threads(Path folder, Workshop workshop, int count) {
        this.folder = new RoundFolder(folder);
        this.workshop = workshop;
        Require.atLeast("slots", count, 1);
        benches = new Workshop.Bench[count];
        for (int i = 0; i < count; i++) {
            int number = i;
            threads.add(Executors.newSingleThreadExecutor(work -> {
                Thread made = new Thread(work, "worker thread " + number);
                made.setDaemon(true);
                return made;
            }));
        }
    }

    @Override
    public String describe() {
        return threads.size() == 1 ? "one thread" : threads.size() + " threads of one process";
    }

    @Override
    public void run(int round) {
        AtomicBoolean stop = new AtomicBoolean();
        ModelState weights = ModelState.read(folder.weights(round));
        List<Future<?>> shares = new ArrayList<>();
        for (int w = 0; w < workshop.plan().rounds().get(round).shares().size(); w++) {
            int worker = w;
            if (folder.has(round, worker)) continue;
            int thread = worker % threads.size();
            shares.add(threads.get(thread).submit(() -> compute(round, worker, thread, weights, stop)));
        }
        RuntimeException failure = null;
        for (Future<?> share : shares) {
            try {
                share.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                stop.set(true);
                throw new IllegalStateException("interrupted amid a round", e);
            } catch (CancellationException | ExecutionException e) {
                stop.set(true);
                if (failure == null
                        && e.getCause() instanceof RuntimeException r
                        && !(r instanceof ShareRunner.Stopped)) failure = r;
                else if (failure == null && e.getCause() instanceof Error error) throw error;
            }
        }
        if (failure != null) throw failure;
    }

    private void compute(int round, int worker, int thread, ModelState weights, AtomicBoolean stop) {
        if (stop.get()) throw new ShareRunner.Stopped();
        Workshop.Bench bench = benches[thread];
        if (bench == null) benches[thread] = bench = workshop.open();
        int before = workshop.plan().before(round, worker);
        ModelState moments = before < 0 ? null : ModelState.read(folder.share(round - 1, before));
        folder.hand(round, worker, bench.runner().run(round, worker, weights, moments, stop::get), "thread " + thread);
    }

    @Override
    public void close() {
        for (int i = 0; i < threads.size(); i++) {
            int number = i;
            threads.get(i).execute(() -> {
                Workshop.Bench bench = benches[number];
                if (bench != null) bench.close();
            });
            threads.get(i).shutdown();
        }
        try {
            for (ExecutorService t : threads) t.awaitTermination(1, java.util.concurrent.TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
