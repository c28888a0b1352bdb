package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.EpochMetrics;
import io.basin.train.DivergedException;
import java.util.LinkedHashMap;
import java.util.Map;

/** Computes shares for a {@link Carrier} of one's own, which brings bytes to workers and back. One thread at a time uses it. */
@Api
public final class ShareWorker implements AutoCloseable {
    private final Workshop.Bench bench;
    private final RoundFolder.Job job;

    /** Opens a device and takes the data there. */
    public ShareWorker(Workshop workshop) {
        bench = workshop.open();
        job = workshop.job(bench.splits(), false);
    }

    /** What {@link RoundRun} wrote as {@code job.json}: a worker for which this differs would compute something else. */
    public String job() {
        return io.basin.io.Json.line(job);
    }

    /**
     * One share, a pure function of its arguments.
     *
     * @param weights the round's, as {@link ShareFiles#weights} has them
     * @param moments as {@link ShareFiles#moments} has them; null where a lane begins
     * @param by who computes it, for people
     * @return what {@link ShareFiles#hand} takes
     * @throws DivergedException where the loss or a weight is no longer finite, naming worker and round
     */
    public byte[] compute(int round, int worker, byte[] weights, byte @Nullable [] moments, String by) {
        ShareRunner.Result result = bench.runner()
                .run(
                        round,
                        worker,
                        ModelState.of(weights),
                        moments == null ? null : ModelState.of(moments),
                        () -> false);
        return result.state().bytes(header(round, worker, result.metrics(), by));
    }

    static Map<String, String> header(int round, int worker, EpochMetrics m, String by) {
        Map<String, String> header = new LinkedHashMap<>();
        header.put("round", Integer.toString(round));
        header.put("worker", Integer.toString(worker));
        header.put("computed_by", by);
        header.put("step", Long.toString(m.step()));
        header.put("loss", Double.toString(m.loss()));
        header.put("hits", Long.toString(m.hits()));
        header.put("seen", Long.toString(m.seen()));
        return header;
    }

    @Override
    public void close() {
        bench.close();
    }
}
