package io.basin.io;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Work on files; where it fails, the error names the file and the reason. */
public final class Disk {
    private static final int MOST_TEXT = 1 << 20;

    private Disk() {}

    /** Work that the disk may fail. */
    @FunctionalInterface
    public interface Work<T> {
        T run() throws IOException;
    }

    public static <T> T reading(Path file, Work<T> work) {
        try {
            return work.run();
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** The lines of a user's text in UTF-8, which is a regular file (a device has no end) and not long. */
    public static List<String> lines(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new FormatException(file.toString(), "is not a file: name a text file in UTF-8");
        }
        return reading(file, () -> {
            if (Files.size(file) <= MOST_TEXT) return Files.readAllLines(file, StandardCharsets.UTF_8);
            throw new FormatException(
                    file.toString(), "has more than " + MOST_TEXT + " bytes, too many for a list of names: shorten it");
        });
    }

    public static UncheckedIOException unreadable(Path file, IOException e) {
        return new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
    }
}
