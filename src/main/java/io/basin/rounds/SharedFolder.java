package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.Notices;
import io.basin.train.DivergedException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Workers of other processes, which find the job in its folder: on this machine or any that sees the folder. There is no server; a
 * worker is started with {@link #work} and may come, die and return.
 */
@Api
public final class SharedFolder implements Carrier {
    /** Seconds without a sign of life after which a worker on another machine is given up. */
    public static final double PATIENCE = 30;

    /** The name under which the process that began a job computes shares. */
    private static final String DRIVER = "driver";

    private static final long LOOK_MS = 20;
    private static final long ALONE_MS = 60_000;

    private final RoundFolder folder;
    private final Shares shares;
    private final Shares.@Nullable Maker maker;
    private final @Nullable FolderWorker own;

    /**
     * @param works whether this process computes shares too
     */
    public SharedFolder(Path folder, Shares shares, boolean works) {
        this.folder = new RoundFolder(folder);
        this.folder.requireTrusted();
        this.shares = shares;
        maker = works ? shares.open() : null;
        own = maker == null ? null : new FolderWorker(this.folder, shares, maker, DRIVER, PATIENCE);
    }

    @Override
    public String describe() {
        return "workers of the folder " + folder.path();
    }

    @Override
    public void run(int round, Runnable handed) {
        await(folder, shares, round, handed, () -> own != null && own.step() != null);
    }

    /** Until all shares of the round are there; {@code help} returns whether it computed something itself. */
    static void await(RoundFolder folder, Shares shares, int round, Runnable handed, BooleanSupplier help) {
        int all = folder.count(shares, round);
        long last = System.nanoTime();
        long had = folder.done(round, all);
        while (true) {
            folder.requireThere();
            Optional<String> failure = folder.failure(round, all);
            if (failure.isPresent()) throw new DivergedException(failure.get());
            long done = folder.done(round, all);
            for (long i = had; i < done; i++) handed.run();
            if (done == all) return;
            boolean claimed = IntStream.range(0, all).anyMatch(w -> Claim.read(folder.claim(round, w)) != null);
            if (done != had || claimed) last = System.nanoTime();
            had = done;
            if (help.getAsBoolean()) continue;
            if (System.nanoTime() - last > ALONE_MS * 1_000_000) {
                Notices.note("round " + (round + 1) + " waits: no worker is at it; start one with 'basin worker "
                        + folder.path() + "'");
                last = System.nanoTime();
            }
            FolderWorker.pause(LOOK_MS);
        }
    }

    /**
     * Works on the job in a folder until it ends; returns why it did.
     *
     * @param id which no other worker of the job may have, nor the process that began it: not {@value #DRIVER}
     * @param told a line for each share that was computed
     * @throws IllegalArgumentException where this worker would compute something else than the job asks for
     */
    public static String work(Path folder, Shares shares, String id, Consumer<String> told) {
        return work(folder, shares, id, told, Processes.orphaned(System.getenv(Processes.DRIVER)));
    }

    /** @param left whether nobody wants the work any more */
    static String work(Path folder, Shares shares, String id, Consumer<String> told, BooleanSupplier left) {
        // Its folder's lock would be free: the process that began the job holds the folder above.
        if (id.equals(DRIVER)) {
            throw new IllegalArgumentException(
                    "`id`: '" + DRIVER + "' is the process that began the job: choose another name for this worker");
        }
        RoundFolder files = new RoundFolder(folder);
        files.requireThere();
        files.requireTrusted();
        try (Shares.Maker maker = shares.open()) {
            Optional<RoundFolder.Job> job;
            while ((job = files.job()).isEmpty()) {
                files.requireThere();
                if (left.getAsBoolean()) return FolderWorker.LEFT;
                FolderWorker.pause(10 * LOOK_MS);
            }
            job.get().requireSame(RoundFolder.Job.of(maker.identity(), maker.splits(), false), files.jobFile());
            try (FolderWorker worker = new FolderWorker(files, shares, maker, id, PATIENCE)) {
                return worker.work(told, left);
            }
        }
    }

    @Override
    public void close() {
        if (own != null) own.close();
        if (maker != null) maker.close();
    }
}
