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
    private final Shares shares;
    private final List<ExecutorService> threads = new ArrayList<>();
    private final Shares.@Nullable Maker[] makers;

    /**
     * @param folder of the job
     * @param count threads; a worker's shares are always computed by the same one
     */
    public Threads(Path folder, Shares shares, int count) {
        this.folder = new RoundFolder(folder);
        this.shares = shares;
        Require.atLeast("slots", count, 1);
        makers = new Shares.Maker[count];
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
    public void run(int round, Runnable handed) {
        AtomicBoolean stop = new AtomicBoolean();
        List<Future<?>> begun = new ArrayList<>();
        int all = folder.count(shares, round);
        for (int w = 0; w < all; w++) {
            int worker = w;
            if (folder.has(round, worker)) continue;
            int thread = worker % threads.size();
            begun.add(threads.get(thread).submit(() -> {
                compute(round, worker, thread, stop);
                handed.run();
            }));
        }
        RuntimeException failure = null;
        for (Future<?> share : begun) {
            try {
                share.get();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                stop.set(true);
                throw new IllegalStateException("interrupted within a round", e);
            } catch (CancellationException | ExecutionException e) {
                stop.set(true);
                if (failure == null && e.getCause() instanceof RuntimeException r && !(r instanceof Shares.Stopped))
                    failure = r;
                else if (failure == null && e.getCause() instanceof Error error) throw error;
            }
        }
        if (failure == null) return;
        folder.requireThere();
        throw failure;
    }

    private void compute(int round, int worker, int thread, AtomicBoolean stop) {
        if (stop.get()) throw new Shares.Stopped();
        Shares.Maker maker = makers[thread];
        if (maker == null) makers[thread] = maker = shares.open();
        maker.make(folder.task(shares, round, worker), stop::get)
                .write(folder.share(round, worker), "thread " + thread);
    }

    @Override
    public void close() {
        for (int i = 0; i < threads.size(); i++) {
            int number = i;
            threads.get(i).execute(() -> {
                Shares.Maker maker = makers[number];
                if (maker != null) maker.close();
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
