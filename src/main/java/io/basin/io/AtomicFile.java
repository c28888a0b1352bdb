package io.basin.io;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/**
 * Writes a whole file or nothing: a temporary file in the same folder, fsync, rename.
 *
 * <p>The same folder, because a rename is atomic only within one file system. The folder is fsynced after the rename, without
 * which a power cut may forget the new name. If anything fails, the temporary file is deleted and the old file, if there was
 * one, is untouched.
 */
public final class AtomicFile {
    private static final Pattern TEMPORARY = Pattern.compile("\\..+\\.[0-9a-f]{1,16}\\.tmp");

    private AtomicFile() {}

    /** What is to be written, given an empty channel at position 0. */
    @FunctionalInterface
    public interface Body {
        void writeTo(FileChannel channel) throws IOException;
    }

    /** Writes {@code text} as UTF-8. Errors as in {@link #write(Path, Body)}. */
    public static void write(Path file, String text) {
        write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes {@code bytes}. Errors as in {@link #write(Path, Body)}. */
    public static void write(Path file, byte[] bytes) {
        write(file, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    /**
     * Writes what {@code body} puts into the channel; the file appears under its name only once all of it is on the disk.
     *
     * @throws UncheckedIOException naming the file, the reason and what to do about it (full disk, missing or unwritable folder)
     */
    public static void write(Path file, Body body) {
        Path target = file.toAbsolutePath();
        Path folder = target.getParent();
        if (folder == null) {
            throw new IllegalArgumentException("cannot write " + file + ": it is a root folder, not a file name");
        }
        Path temporary = folder.resolve("." + target.getFileName() + "."
                + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW)) {
                body.writeTo(channel);
                channel.force(true);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forceFolder(folder);
        } catch (IOException e) {
            delete(temporary, e);
            throw failure(file, e);
        } catch (RuntimeException | Error e) {
            delete(temporary, e);
            throw e;
        }
    }

    /** Deletes what writers that were killed amid a file left in {@code folder}; call it while nobody writes there. */
    public static void sweep(Path folder) {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(
                folder, f -> TEMPORARY.matcher(f.getFileName().toString()).matches())) {
            for (Path file : left) Files.deleteIfExists(file);
        } catch (IOException e) {
            throw failure(folder.resolve("left-over"), e);
        }
    }

    /** Writes all that remains of {@code bytes}: a channel may take less than it is offered. */
    static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** The error that a user can act on: path, reason, remedy. */
    static UncheckedIOException failure(Path file, IOException cause) {
        Path folder = file.toAbsolutePath().getParent();
        return new UncheckedIOException("cannot write " + file + ": " + reason(folder, cause), cause);
    }

    private static String reason(Path folder, IOException cause) {
        String said = Reason.of(cause);
        String lower = said.toLowerCase(Locale.ROOT);
        if (lower.contains("no space left") || lower.contains("disk quota")) {
            return "the disk is full (" + said + "); free space or choose a folder on another disk";
        }
        if (!Files.exists(folder)) {
            return "the folder " + folder + " does not exist; create it or choose another";
        }
        if (!Files.isDirectory(folder)) {
            return folder + " is a file, not a folder; choose another";
        }
        if (cause instanceof AccessDeniedException || lower.contains("read-only") || lower.contains("not permitted")) {
            return "the folder " + folder
                    + " may not be written by this user; change its permissions or choose another";
        }
        if (cause instanceof NoSuchFileException) {
            return "the folder " + folder + " takes no new files; choose another";
        }
        if (lower.contains("is a directory")) {
            return "a folder of that name is in the way; remove it or choose another name";
        }
        return said + "; check the folder " + folder;
    }

    private static void forceFolder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (AccessDeniedException e) {
            // A folder may be writable but not readable, and Windows opens none: the rename stands, only its durability
            // is
            // left to the system.
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
