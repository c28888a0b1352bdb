package io.basin.io;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/** Makes the folders of results, or says which one could not be made. */
public final class Folders {
    private static final int PATIENCE = 20;

    private Folders() {}

    /** Makes a folder and those above it where they are not there yet. */
    public static Path make(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw unwritable(folder, e);
        }
    }

    /** The entries of a folder, in no order. */
    public static List<Path> list(Path folder) {
        return Disk.reading(folder, () -> {
            try (Stream<Path> entries = Files.list(folder)) {
                return entries.toList();
            }
        });
    }

    /** A folder and everything below it, in no order; links are followed. */
    public static List<Path> walk(Path folder) {
        try (Stream<Path> entries = Files.walk(folder, FileVisitOption.FOLLOW_LINKS)) {
            return entries.toList();
        } catch (UncheckedIOException e) {
            throw Disk.unreadable(folder, Objects.requireNonNull(e.getCause()));
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        }
    }

    /** Bytes of all files in a folder and those below it. */
    public static long size(Path folder) {
        return walk(folder).stream()
                .filter(Files::isRegularFile)
                .mapToLong(f -> f.toFile().length())
                .sum();
    }

    /** Deletes a folder and all below it, as far as it can: another process may write there at this moment. */
    public static void remove(Path folder) {
        for (Path file :
                settled(folder).stream().sorted(Comparator.reverseOrder()).toList()) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException left) {
                // The folders above it stay, too.
            }
        }
    }

    /** As {@link #walk}, of a folder whose files others remove while it is read. */
    private static List<Path> settled(Path folder) {
        for (int i = 1; i < PATIENCE; i++) {
            try {
                return walk(folder);
            } catch (UncheckedIOException gone) {
                if (!Files.isDirectory(folder)) return List.of();
            }
        }
        return walk(folder);
    }

    /** The error of a folder of results that cannot be written. */
    public static UncheckedIOException unwritable(Path folder, IOException e) {
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS) && !Files.isDirectory(folder)) {
            return new UncheckedIOException(
                    "`out`: " + folder + " is "
                            + (Files.isRegularFile(folder)
                                    ? "a file"
                                    : Files.exists(folder) ? "a device" : "a link to nowhere")
                            + ": name a folder, or a new name for one",
                    e);
        }
        return new UncheckedIOException(
                "`out`: cannot write to " + folder + " (" + Reason.of(e) + "): name a folder that you may write to", e);
    }
}
