package io.basin.rounds;

import io.basin.Nullable;
import io.basin.device.DeviceException;
import io.basin.io.FolderLock;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.train.DivergedException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Computes shares of a job that lies in a folder, one after the other, until the job ends. Any number of these may work on one folder,
 * come, die and return.
 */
final class FolderWorker implements AutoCloseable {
    static final String LEFT = "the process that started this worker has ended";

    private static final long LOOK_MS = 20;
    private static final long LOOK_LATER_MS = 500;

    private final RoundFolder folder;
    private final Shares shares;
    private final Shares.Maker maker;
    private final String name;
    private BooleanSupplier left = () -> false;
    private final Claim.Watch watch;
    private final FolderLock lock;
    private int counted = -1;
    private int count;

    /**
     * @param maker the caller's
     * @param name which no other worker of this job may have
     * @param patienceSeconds after which a worker on another machine that shows no sign of life is given up
     */
    FolderWorker(RoundFolder folder, Shares shares, Shares.Maker maker, String name, double patienceSeconds) {
        this.folder = folder;
        this.shares = shares;
        this.maker = maker;
        this.name = name;
        watch = new Claim.Watch(patienceSeconds);
        lock = FolderLock.take(Folders.make(folder.path().resolve("workers").resolve(name)), "choose another `id`");
    }

    /** Works until the job ends, or nobody wants the work any more; returns why it did. */
    String work(Consumer<String> told, BooleanSupplier left) {
        this.left = left;
        long wait = LOOK_MS;
        while (true) {
            folder.requireThere();
            var ended = folder.ended();
            if (ended.isPresent()) return ended.get();
            if (left.getAsBoolean()) return LEFT;
            String done = step();
            if (done != null) {
                told.accept(done);
                wait = LOOK_MS;
                continue;
            }
            pause(wait);
            wait = Math.min(LOOK_LATER_MS, wait * 2);
        }
    }

    static void pause(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for other workers", e);
        }
    }

    /** Computes one share that no other worker has taken; null where there is none. */
    @Nullable
    String step() {
        int round = folder.newest();
        int all = round < 0 ? 0 : count(round);
        if (all == 0 || folder.failure(round, all).isPresent()) return null;
        // Each begins elsewhere, so that they seldom meet.
        int first = Math.floorMod(name.hashCode() + round, all);
        for (int i = 0; i < all; i++) {
            int worker = (first + i) % all;
            if (folder.has(round, worker)) continue;
            Path file = folder.claim(round, worker);
            if (Files.exists(file)) watch.release(file);
            try (Claim claim = Claim.take(file, name)) {
                if (claim == null || folder.has(round, worker)) continue;
                return compute(round, worker) ? "round " + (round + 1) + ", share " + worker : null;
            }
        }
        return null;
    }

    private int count(int round) {
        if (counted == round) return count;
        try {
            count = folder.count(shares, round);
            counted = round;
            return count;
        } catch (UncheckedIOException | FormatException e) {
            if (gone(round)) return 0;
            throw e;
        }
    }

    /** False where it was no longer needed. */
    private boolean compute(int round, int worker) {
        try {
            Shares.Made made = maker.make(
                    folder.task(shares, round, worker),
                    () -> folder.has(round, worker) || gone(round) || left.getAsBoolean());
            if (folder.has(round, worker)) requireSame(round, worker, made);
            else made.write(folder.share(round, worker), name);
            return true;
        } catch (Shares.Stopped another) {
            return false;
        } catch (DivergedException e) {
            folder.fail(round, worker, String.valueOf(e.getMessage()));
            return false;
        } catch (UncheckedIOException | FormatException e) {
            if (gone(round)) return false;
            throw e;
        }
    }

    /** Whether the job has gone on to the next round without this one. */
    private boolean gone(int round) {
        folder.requireThere();
        return folder.newest() != round;
    }

    /** For where another was faster. @throws DeviceException where the two differ in bits, which only another device or a fault can cause */
    private void requireSame(int round, int worker, Shares.Made own) {
        if (folder.job().map(RoundFolder.Job::anyDevice).orElse(false)) return;
        own.difference(folder.share(round, worker)).ifPresent(what -> {
            throw new DeviceException("round " + (round + 1) + ", share " + worker + ": this worker has other bits in "
                    + what + " than " + folder.share(round, worker)
                    + ": one of the two machines computes wrongly or differently");
        });
    }

    @Override
    public void close() {
        lock.close();
    }
}
