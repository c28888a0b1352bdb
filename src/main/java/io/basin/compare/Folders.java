package io.basin.compare;

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
                    "--out: cannot make the folder " + folder + " (" + e.getMessage()
                            + "): name one that can be written",
                    e);
        }
    }
}
