package io.basin.rounds;

import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.LockOwner;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Says that a worker computes a share, so that others take another one. It saves work and decides nothing: a share that two compute has
 * the same bits.
 *
 * <p>The holder counts up in the file. A waiting worker checks by its own clock whether the count still moves: the clocks of two
 * machines are never compared.
 */
final class Claim implements AutoCloseable {
    /** The content of a claim's file. */
    record Content(String worker, LockOwner owner, long beat) {}

    private static final AtomicLong BEATS = new AtomicLong();

    private final Path file;
    private final Content first;
    private final Thread beating;

    private Claim(Path file, Content first) {
        this.file = file;
        this.first = first;
        beating = new Thread(this::beat, "claim of " + file.getFileName());
        beating.setDaemon(true);
        beating.start();
    }

    /** Null where another worker has it. */
    static @Nullable Claim take(Path file, String worker) {
        Content content = new Content(worker, LockOwner.current(), BEATS.incrementAndGet());
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
            AtomicFile.writeFully(channel, ByteBuffer.wrap(Json.line(content).getBytes(StandardCharsets.UTF_8)));
        } catch (FileAlreadyExistsException taken) {
            return null;
        } catch (IOException e) {
            // The round has ended and its folder is gone; or the disk fails, which writing the share will say.
            return null;
        }
        return new Claim(file, content);
    }

    static final long PERIOD_MS = 1000;

    private void beat() {
        try {
            while (true) {
                Thread.sleep(PERIOD_MS);
                Content now = read(file);
                if (now == null || !now.worker().equals(first.worker())) return;
                AtomicFile.write(file, Json.line(new Content(first.worker(), first.owner(), BEATS.incrementAndGet())));
            }
        } catch (InterruptedException released) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException unwritable) {
            // A claim that stands still is taken by another; the share is handed over all the same.
            return;
        }
    }

    /** Null where there is none, or half of one. */
    static @Nullable Content read(Path file) {
        try {
            Content read = Json.as(Json.parse(Files.readString(file), file.toString()), Content.class);
            return read == null || read.worker() == null || read.owner() == null ? null : read;
        } catch (IOException | FormatException | IllegalArgumentException e) {
            return null;
        }
    }

    @Override
    public void close() {
        beating.interrupt();
        try {
            beating.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Content now = read(file);
        if (now != null && now.worker().equals(first.worker())) RoundFolder.delete(file);
    }

    /** Watches claims of others, by this process's clock. */
    static final class Watch {
        private record Seen(long beat, long since) {}

        private final Map<Path, Seen> seen = new HashMap<>();
        private final long patienceNanos;

        Watch(double patienceSeconds) {
            patienceNanos = (long) (patienceSeconds * 1e9);
        }

        /** Removes the claim where its holder has ended on this host, or its count has stood still for too long. */
        void release(Path file) {
            Content now = read(file);
            long beat = now == null ? -1 : now.beat();
            Seen before = seen.get(file);
            if (before == null || before.beat() != beat) {
                seen.put(file, new Seen(beat, System.nanoTime()));
                before = null;
            }
            boolean ended = now != null && now.owner().here() && !now.owner().lives();
            boolean still = before != null && System.nanoTime() - before.since() > patienceNanos;
            if (!ended && !still) return;
            seen.remove(file);
            RoundFolder.delete(file);
        }
    }
}
