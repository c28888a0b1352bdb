package io.basin.cli;

import io.basin.Nullable;
import io.basin.io.AtomicFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;

/** Checks of files to be written, made before the work whose result they take. */
final class Outputs {
    private Outputs() {}

    /** @throws IllegalArgumentException naming {@code flag} if {@code file} is named and its folder cannot take it */
    static void require(String flag, @Nullable Path file) {
        if (file == null || AtomicFile.isDevice(file)) return;
        if (file.equals(Path.of("-"))) {
            throw new IllegalArgumentException(flag + ": stdout holds the text for people; name a file");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(file)) {
            throw new IllegalArgumentException(flag + ": " + file + " is a folder; name a file");
        }
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(
                    flag + ": the folder " + folder + " does not exist; create it or name another");
        }
        if (!Files.isWritable(folder)) {
            throw new IllegalArgumentException(
                    flag + ": the folder " + folder + " may not be written; name a file in another");
        }
    }

    /** @throws IllegalArgumentException naming {@code flag} if {@code folder} is named and cannot be made or written */
    static void requireFolder(String flag, @Nullable Path folder) {
        if (folder == null) return;
        Path there = folder.toAbsolutePath();
        while (there.getParent() != null && !Files.exists(there)) there = there.getParent();
        if (Files.isDirectory(there) && Files.isWritable(there)) return;
        throw new IllegalArgumentException(flag + ": " + there
                + (Files.isDirectory(there) ? " may not be written" : " is a file") + ": name another folder");
    }

    /** @throws IllegalArgumentException naming two flags that would write one file */
    static void requireApart(String[] flags, @Nullable Path... files) {
        for (int i = 0; i < files.length; i++) {
            for (int j = 0; j < i; j++) {
                if (files[i] == null || files[j] == null || AtomicFile.isDevice(files[i])) continue;
                if (!files[i].toAbsolutePath()
                        .normalize()
                        .equals(files[j].toAbsolutePath().normalize())) continue;
                throw new IllegalArgumentException(
                        flags[j] + " and " + flags[i] + " both name " + files[i] + ": name a file for each");
            }
        }
    }

    /** Writes a picture if one was asked for; {@code draw} gives none where the machine cannot draw. */
    static void picture(@Nullable Path file, Supplier<String> draw) {
        if (file == null) return;
        String svg = draw.get();
        if (!svg.isEmpty()) AtomicFile.write(file, svg);
    }

    /** As {@link #require}, and the file must be new. */
    static void requireNew(String flag, Path file) {
        require(flag, file);
        if (Files.exists(file)) {
            throw new IllegalArgumentException(flag + ": " + file + " exists already; name another file");
        }
    }
}
