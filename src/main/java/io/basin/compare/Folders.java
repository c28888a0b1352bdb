package io.basin.compare;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes folders, or says which one could not be made. */
final class Folders {
    private Folders() {}

    static Path make(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "--out: cannot make the folder " + folder + " (" + Reason.of(e) + "): name one that can be written",
                    e);
        }
    }
}
