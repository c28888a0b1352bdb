package io.basin.data;

import io.basin.Nullable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to write a part: one process has it, and one thread of that.
 *
 * <p>A lock of the operating system on a file beside the part, which ends with its process however that ends. The file holds
 * the owner's process id, for processes that wait. Where the file system has no locks, they do not wait; the check of the whole
 * file then finds damage by two writers.
 */
final class PartLock implements AutoCloseable {
    /** A process's locks on a file end when it closes any channel on it, so a second thread does not even open it. */
    private static final Set<Path> HERE = ConcurrentHashMap.newKeySet();

    private static final long POLL_MILLIS = 100;

    private final Path file;
    private final FileChannel channel;

    private PartLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** @param part the file to write; its folder exists */
    static PartLock acquire(Path part, Progress progress) throws IOException {
        Path file = part.resolveSibling("." + part.getFileName() + ".lock").toAbsolutePath();
        PartLock lock = tryAcquire(file);
        if (lock != null) return lock;
        String task = owner(file) + " is downloading " + part.getFileName() + "; waiting";
        try (Progress.Counter counter = progress.start(task, -1, "polls")) {
            while (lock == null) {
                Thread.sleep(POLL_MILLIS);
                counter.step(1);
                lock = tryAcquire(file);
            }
            return lock;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DataException("waiting for another download was interrupted; run the command again", e);
        }
    }

    private static @Nullable PartLock tryAcquire(Path file) throws IOException {
        if (!HERE.add(file)) return null;
        FileChannel channel = null;
        boolean kept = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            Object before = key(file);
            // Its last owner may have removed the file between our opening and locking it.
            kept = tryLock(channel) && before != null && before.equals(key(file));
            if (!kept) return null;
            channel.truncate(0);
            String pid = Long.toString(ProcessHandle.current().pid());
            channel.write(ByteBuffer.wrap(pid.getBytes(StandardCharsets.UTF_8)));
            return new PartLock(file, channel);
        } finally {
            if (!kept) {
                if (channel != null) channel.close();
                HERE.remove(file);
            }
        }
    }

    private static boolean tryLock(FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (IOException e) {
            // No locks on this file system.
            return true;
        }
    }

    private static @Nullable Object key(Path file) throws IOException {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        } catch (NoSuchFileException e) {
            return null;
        }
    }

    private static String owner(Path file) {
        if (HERE.contains(file)) return "another thread of this process";
        try {
            String pid = Files.readString(file);
            return pid.matches("\\d{1,10}") ? "another process (" + pid + ")" : "another process";
        } catch (IOException e) {
            return "another process";
        }
    }

    @Override
    public void close() throws IOException {
        try (channel) {
            Files.deleteIfExists(file);
        } finally {
            HERE.remove(file);
        }
    }
}
