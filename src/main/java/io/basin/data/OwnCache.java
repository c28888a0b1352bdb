package io.basin.data;

import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.UserFolder;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;

/**
 * Decoded copies of people's own pictures, in the folder {@code own} of the cache. Any may be deleted at any time: a reader has it
 * whole in memory, and the next one decodes the pictures again.
 */
public final class OwnCache {
    /** Bytes of all copies together, beyond which a new copy replaces those unused for longest. */
    public static final long MOST = 8L << 30;

    /** Those used since then may be about to be read again. */
    private static final Duration RECENT = Duration.ofHours(1);

    static final String OF = "of";
    private static final String SUFFIX = ".safetensors";

    private OwnCache() {}

    /** A copy, and when it was written or read last. */
    public record Copy(Path file, long bytes, Instant used) {
        /** The pictures, in words; reads the whole file. */
        public String of() {
            try (Safetensors in = Safetensors.open(file)) {
                return in.metadata().getOrDefault(OF, "not known, of an older version");
            } catch (FormatException | UncheckedIOException e) {
                return "damaged";
            }
        }
    }

    /** Their folder, which may not exist. */
    public static Path folder() {
        return in(UserFolder.cache());
    }

    static Path in(Path cache) {
        return cache.resolve("own");
    }

    /** All copies, the one last used first. */
    public static List<Copy> list(Path folder) {
        if (!Files.isDirectory(folder)) return List.of();
        return Folders.list(folder).stream()
                .filter(f -> f.toString().endsWith(SUFFIX))
                .map(Path::toFile)
                .map(f -> new Copy(f.toPath(), f.length(), Instant.ofEpochMilli(f.lastModified())))
                .sorted(Comparator.comparing(Copy::used).reversed().thenComparing(Copy::file))
                .toList();
    }

    /** Deletes a copy, if it is still there. */
    public static void delete(Copy copy) {
        try {
            Files.deleteIfExists(copy.file);
        } catch (IOException e) {
            throw new UncheckedIOException(copy.file + ": cannot be deleted (" + Reason.of(e) + ")", e);
        }
    }

    /** Notes that a copy is used now; where that cannot be noted it counts as older. */
    static void use(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        } catch (IOException readOnly) {
            return;
        }
    }

    /** Deletes copies unused for longest until at most {@code most} bytes are left; never one used within the hour. */
    static void prune(Path folder, long most) {
        Instant recent = Instant.now().minus(RECENT);
        long bytes = 0;
        for (Copy copy : list(folder)) {
            bytes += copy.bytes;
            if (bytes > most && copy.used.isBefore(recent)) delete(copy);
        }
    }
}
