package io.basin.io;

import io.basin.Nullable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The right to write into a folder and everything below it, which one thread of one process has at a time.
 *
 * <p>Where the file system has locks, the right is the system's lock on a hidden file, and ends with the process, however that
 * ends. The file says who has it. It stays when the lock is released, as deleting it would give two processes locks on two files
 * of one name. Where the file system refuses locks or keeps them to one host, an {@link OwnerFolder} takes its place: an owner
 * that has ended is recognised on its own host; from another host, the owner's folder must be removed by hand.
 *
 * <p>The thread that holds a folder may take it and folders below it again. Close each lock in the thread that took it.
 */
public final class FolderLock implements AutoCloseable {
    /** How the names of all files begin that locks need: they are not results. */
    static final String PREFIX = ".basin.";

    private static final int PATIENCE = 300;
    /** Options of mounts that keep locks to one host. */
    private static final Set<String> LOCAL =
            Set.of("nolock", "local_lock=all", "local_lock=posix", "nobrl", "localflock");

    private static final Map<Path, Holder> HELD = new HashMap<>();

    private record Holder(Thread thread, LockOwner owner) {}

    /** Another process or thread has the folder. */
    static final class Held extends RuntimeException {
        private static final long serialVersionUID = 1;

        private final String after;

        /**
         * @param owner null if unknown
         * @param removable what to remove if the owner has ended, which cannot be seen from here; null if it lives
         */
        Held(@Nullable LockOwner owner, @Nullable Path removable) {
            super("in use by " + (owner == null ? "another process" : owner) + ": wait until it has ended or stop it");
            after = removable == null ? "" : "; if it has ended already, remove " + removable;
        }

        /** @param instead the caller's words for an alternative */
        String said(String instead) {
            return getMessage() + ", or " + instead + after;
        }
    }

    private final Path folder;
    private final @Nullable AutoCloseable lock;

    /** @param lock null where the thread has the folder or one above already */
    private FolderLock(Path folder, @Nullable AutoCloseable lock) {
        this.folder = folder;
        this.lock = lock;
    }

    /** @param folder existing */
    public static FolderLock take(Path folder) {
        return take(folder, "choose another folder with `out`");
    }

    /** @param instead what to do where the folder is in use, beside waiting */
    public static FolderLock take(Path folder, String instead) {
        try {
            Path real = folder.toRealPath();
            if (!enter(real)) return new FolderLock(real, null);
            AutoCloseable lock = null;
            try {
                lock = acquire(real);
                return new FolderLock(real, lock);
            } finally {
                if (lock == null) leave(real);
            }
        } catch (Held e) {
            throw new UncheckedIOException(folder + ": " + e.said(instead), new IOException(e));
        } catch (IOException e) {
            throw AtomicFile.failure(folder.resolve(PREFIX + "lock"), e);
        }
    }

    /** Does {@code work} while it alone writes into {@code folder}; errors as in {@link #take}. */
    public static <T> T holding(Path folder, Supplier<T> work) {
        FolderLock lock = take(folder);
        try {
            return work.get();
        } finally {
            lock.close();
        }
    }

    /** Whether {@code file} is one that locks need, and no result. */
    public static boolean isMark(Path file) {
        return file.getFileName().toString().startsWith(PREFIX);
    }

    /** Whether a process holds {@code folder} or has ever held it. */
    public static boolean wasTaken(Path folder) {
        return Files.exists(folder.resolve(PREFIX + "lock"));
    }

    /** False if this thread is in already; closing a file drops all locks of this process on it, so it is never open twice. */
    private static boolean enter(Path real) {
        synchronized (HELD) {
            for (Path at = real; at != null; at = at.getParent()) {
                Holder holder = HELD.get(at);
                if (holder == null) continue;
                if (holder.thread() == Thread.currentThread()) return false;
                throw new Held(holder.owner(), null);
            }
            HELD.put(real, new Holder(Thread.currentThread(), LockOwner.current()));
            return true;
        }
    }

    private static void leave(Path real) {
        synchronized (HELD) {
            HELD.remove(real);
        }
    }

    private static AutoCloseable acquire(Path folder) throws IOException {
        FileChannel channel = FileChannel.open(
                folder.resolve(PREFIX + "lock"),
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.CREATE);
        boolean kept = false;
        try {
            FileLock lock = staysLocal(folder) ? null : tryLock(channel);
            if (lock == null) return OwnerFolder.take(folder);
            channel.truncate(0);
            AtomicFile.writeFully(
                    channel, ByteBuffer.wrap(LockOwner.current().text().getBytes(StandardCharsets.UTF_8)));
            kept = true;
            return () -> {
                channel.truncate(0);
                channel.close();
            };
        } finally {
            if (!kept) channel.close();
        }
    }

    /** Null where the file system has no locks. */
    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            throw new Held(LockOwner.current(), null);
        } catch (IOException unsupported) {
            return null;
        }
        if (lock == null) throw new Held(owner(channel), null);
        return lock;
    }

    /** Of a lock just taken, which its owner may be about to sign; null where it never does. */
    private static @Nullable LockOwner owner(FileChannel channel) throws IOException {
        for (int i = 0; i < PATIENCE; i++) {
            ByteBuffer text = ByteBuffer.allocate(1000);
            channel.read(text, 0);
            LockOwner owner = LockOwner.parse(new String(text.array(), 0, text.position(), StandardCharsets.UTF_8));
            if (owner != null) return owner;
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return null;
            }
        }
        return null;
    }

    /** Whether another host would not see the lock: FUSE without locks of its own, NFS and CIFS mounted so. */
    private static boolean staysLocal(Path folder) {
        try {
            return staysLocal(Files.readAllLines(Path.of("/proc/self/mounts")), folder);
        } catch (IOException noLinux) {
            return false;
        }
    }

    /** The longest mount point above {@code folder} counts, of equal ones the last. */
    static boolean staysLocal(List<String> mounts, Path folder) {
        int longest = -1;
        boolean local = false;
        for (String mount : mounts) {
            String[] fields = mount.split(" ");
            if (fields.length < 4) continue;
            Path point = Path.of(fields[1].replace("\\040", " "));
            if (!folder.startsWith(point) || point.getNameCount() < longest) continue;
            longest = point.getNameCount();
            local = fields[2].startsWith("fuse")
                    || fields[2].equals("beegfs")
                    || List.of(fields[3].split(",")).stream().anyMatch(LOCAL::contains);
        }
        return local;
    }

    @Override
    public void close() {
        if (lock == null) return;
        try {
            lock.close();
        } catch (Exception e) {
            throw new UncheckedIOException("cannot release " + folder + ": " + e.getMessage(), new IOException(e));
        } finally {
            leave(folder);
        }
    }
}
