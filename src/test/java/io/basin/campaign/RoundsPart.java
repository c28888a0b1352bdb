package io.basin.campaign;

import io.basin.rounds.RoundKills;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** Jobs of several worker processes, which are killed and join at random moments. */
final class RoundsPart implements Part {
    private static final int SCHEDULES = 1000;
    private static final int STREAMS = 2;

    @Override
    public String name() {
        return "rounds";
    }

    /** Two jobs at a time, of workers of their own: a job waits for its workers more than it computes. */
    @Override
    public Counts run(Path place, long seed, Instant deadline) throws Exception {
        Counts counts = new Counts();
        AtomicInteger begun = new AtomicInteger();
        List<Callable<Void>> streams = IntStream.range(0, STREAMS)
                .<Callable<Void>>mapToObj(i -> () -> {
                    schedules(Files.createDirectory(place.resolve("stream-" + i)), seed + i, deadline, begun, counts);
                    return null;
                })
                .toList();
        ExecutorService pool = Executors.newFixedThreadPool(STREAMS);
        try {
            for (Future<Void> stream : pool.invokeAll(streams)) stream.get();
        } finally {
            pool.shutdownNow();
        }
        return counts;
    }

    private static void schedules(Path place, long seed, Instant deadline, AtomicInteger begun, Counts counts)
            throws Exception {
        try (RoundKills kills = new RoundKills(place, seed)) {
            while (Instant.now().isBefore(deadline)) {
                int schedule = begun.getAndIncrement();
                if (schedule >= SCHEDULES) break;
                counts.attempt("schedule " + schedule, kills::schedule);
            }
            counts.note(
                    "seed " + seed + ": " + kills.kills() + " workers killed amid a job, " + kills.joins() + " joined");
        }
    }
}
