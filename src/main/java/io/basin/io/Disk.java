package io.basin.io;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** Work on files; where it fails, the error names the file and the reason. */
public final class Disk {
    private Disk() {}

    /** What may fail for the disk. */
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

    public static UncheckedIOException unreadable(Path file, IOException e) {
        return new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
    }
}
