package io.basin.io;

import io.basin.Nullable;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes a whole file or nothing: a temporary file in the same folder, fsync, rename.
 *
 * <p>The same folder, because a rename is atomic only within one file system. The folder is fsynced after the rename, without
 * which a power cut may forget the new name; where the file system cannot do that, the file is kept all the same. If anything fails, the temporary file is deleted and the old file, if there was
 * one, is untouched.
 */
public final class AtomicFile {
    /** The writer follows the random part: its process and its host's name as a hash. */
    private static final Pattern TEMPORARY =
            Pattern.compile("\\..+\\.[0-9a-f]{1,16}(?:-([0-9]{1,18})-([0-9a-f]{1,8}))?\\.tmp");

    private static final String HOST = Integer.toHexString(LockOwner.HOST.hashCode());
    private static final String WRITER = "-" + ProcessHandle.current().pid() + "-" + HOST;
    /** Of the file's own name, as systems limit the length of names. */
    private static final int SHOWN = 40;

    /** Files that must not be there when they are written. */
    private static final Set<Path> NEW = ConcurrentHashMap.newKeySet();

    /** Files that this process is writing. */
    private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

    private AtomicFile() {}

    /** Writes the content, given an empty channel at position 0. */
    @FunctionalInterface
    public interface Body {
        void writeTo(FileChannel channel) throws IOException;
    }

    /**
     * Makes the next write of {@code file} fail where there is a file by then, as another process may have made one since the check.
     */
    public static void expectNew(Path file) {
        NEW.add(destination(file));
    }

    public static void write(Path file, String text) {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    public static void write(Path file, byte[] bytes) {
        write(file, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    /**
     * Writes what {@code body} puts into the channel; the file appears under its name only once all of it is on the disk. What
     * {@link #isDevice} calls a device is written as it is.
     */
    public static void write(Path file, Body body) {
        if (isDevice(file)) {
            writeThrough(file, body);
            return;
        }
        Path target = destination(file);
        Path folder = target.getParent();
        if (folder == null) {
            throw new IllegalArgumentException("cannot write " + file + ": it is a root folder, not a file name");
        }
        Path temporary = folder.resolve(temporary(target.getFileName().toString()));
        OPEN.add(temporary);
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
                body.writeTo(channel);
                force(channel);
            }
            if (NEW.remove(target)) publish(temporary, target);
            else Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceFolder(folder);
        } catch (IOException e) {
            delete(temporary, e);
            throw failure(file, e);
        } catch (RuntimeException | Error e) {
            delete(temporary, e);
            throw e;
        } finally {
            OPEN.remove(temporary);
        }
    }

    /** A link, unlike a rename, replaces nothing; file systems without links have a moment between the look and the rename. */
    private static void publish(Path temporary, Path target) throws IOException {
        try {
            Files.createLink(target, temporary);
            Files.delete(temporary);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (UnsupportedOperationException | IOException e) {
            if (Files.exists(target)) throw new FileAlreadyExistsException(target.toString());
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Whether {@code file} is a device, a pipe or another name of a descriptor, which a rename would replace. */
    public static boolean isDevice(Path file) {
        Path absolute = file.toAbsolutePath();
        boolean descriptor =
                Files.isSymbolicLink(absolute) && (absolute.startsWith("/dev") || absolute.startsWith("/proc"));
        return descriptor || Files.exists(absolute) && !Files.isRegularFile(absolute) && !Files.isDirectory(absolute);
    }

    private static void writeThrough(Path file, Body body) {
        onDisk(file, () -> {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
                body.writeTo(channel);
                return file;
            }
        });
    }

    /** A link stays, and what it leads to is written. */
    private static Path destination(Path file) {
        try {
            return Files.isSymbolicLink(file) ? file.toRealPath() : file.toAbsolutePath();
        } catch (IOException leadsNowhere) {
            return file.toAbsolutePath();
        }
    }

    private static String temporary(String name) {
        int shown = name.offsetByCodePoints(0, Math.min(SHOWN, name.codePointCount(0, name.length())));
        return "." + name.substring(0, shown) + "."
                + Long.toHexString(ThreadLocalRandom.current().nextLong()) + WRITER + ".tmp";
    }

    /** Whether {@code file} has the name of a writer's temporary file. */
    public static boolean isTemporary(Path file) {
        return TEMPORARY.matcher(file.getFileName().toString()).matches();
    }

    /**
     * Deletes temporary files that killed writers left in {@code folder}. Files of writers that live, in this process or another,
     * stay, and so do those from other hosts, as their processes are unknown.
     */
    public static void sweep(Path folder) {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, AtomicFile::isAbandoned)) {
            for (Path file : left) Files.deleteIfExists(file);
        } catch (IOException e) {
            throw failure(folder.resolve("left-over"), e);
        }
    }

    private static boolean isAbandoned(Path file) {
        Matcher name = TEMPORARY.matcher(file.getFileName().toString());
        if (!name.matches() || Files.isDirectory(file)) return false;
        if (name.group(1) == null) return true;
        if (!name.group(2).equals(HOST)) return false;
        long writer = Long.parseLong(name.group(1));
        if (writer == ProcessHandle.current().pid()) return !OPEN.contains(file.toAbsolutePath());
        return !LockOwner.lives(writer);
    }

    /**
     * Waits until the content is on the disk. A file system without such a call is not a failure: nothing better can be had
     * there. A disk that is full or broken is one, and may show only here.
     */
    public static void force(FileChannel channel) throws IOException {
        try {
            channel.force(true);
        } catch (IOException e) {
            if (!isUnsupported(e)) throw e;
        }
    }

    /** Java has no type for EINVAL, ENOTSUP and ENOSYS, only the system's words. */
    private static boolean isUnsupported(IOException e) {
        String said = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return said.contains("invalid argument") || said.contains("not supported") || said.contains("not implemented");
    }

    /**
     * Writes all that remains of {@code bytes}: a channel may take less than it is offered. In pieces: for a heap buffer the channel
     * keeps a direct copy as large as one write, per thread, for ever.
     */
    public static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        int end = bytes.limit();
        while (bytes.position() < end) {
            bytes.limit(Math.min(end, bytes.position() + (1 << 20)));
            while (bytes.hasRemaining()) channel.write(bytes);
            bytes.limit(end);
        }
    }

    /** Closes what was opened before {@code reason}, if it was. */
    static void close(@Nullable FileChannel channel, Exception reason) {
        try {
            if (channel != null) channel.close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    /** Does {@code work} on {@code file}, whose failure is {@link #failure}. */
    public static <T> T onDisk(Path file, Disk.Work<T> work) {
        try {
            return work.run();
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    /** The error that a user can act on: path, reason, remedy. */
    static UncheckedIOException failure(Path file, IOException cause) {
        Path folder = Objects.requireNonNullElse(file.toAbsolutePath().getParent(), file);
        return new UncheckedIOException("cannot write " + file + ": " + reason(folder, cause), cause);
    }

    private static String reason(Path folder, IOException cause) {
        String said = Reason.of(cause);
        String lower = said.toLowerCase(Locale.ROOT);
        if (cause instanceof FileAlreadyExistsException) {
            return "another process has written it meanwhile, and it is left as it is; name another file";
        }
        if (lower.contains("no space left") || lower.contains("disk quota")) {
            return "the disk is full (" + said + "); free space or choose a folder on another disk";
        }
        if (!Files.exists(folder)) return "the folder " + folder + " does not exist; create it or choose another";
        if (!Files.isDirectory(folder)) return folder + " is a file, not a folder; choose another";
        if (cause instanceof AccessDeniedException || lower.contains("read-only") || lower.contains("not permitted")) {
            return "the folder " + folder
                    + " may not be written by this user; change its permissions or choose another";
        }
        if (cause instanceof NoSuchFileException) return "the folder " + folder + " takes no new files; choose another";
        if (lower.contains("is a directory")) {
            return "a folder of that name is in the way; remove it or choose another name";
        }
        return said + "; check the folder " + folder;
    }

    /**
     * The file stands under its name already, so nothing that happens here makes the write a failure: many file systems (CIFS,
     * FUSE, some overlays) have no fsync of a folder, and a folder may be writable but not readable.
     */
    private static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException leftToTheSystem) {
            return;
        }
    }

    private static void delete(Path temporary, Throwable reason) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }
}
