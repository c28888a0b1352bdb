package io.basin.cuda;

import io.basin.device.DeviceException;
import io.basin.text.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folders for what can be made again: {@code $BASIN_CACHE} or {@code ~/.cache/basin}, readable by this user only, for native code
 * is loaded from them.
 */
final class Cache {
    static final String VARIABLE = "BASIN_CACHE";
    private static final Logger LOG = LoggerFactory.getLogger(Cache.class);

    private Cache() {}

    /** The folder of that name, made if need be; a temporary one where the cache cannot be written. */
    static Path folder(String name) {
        Path wanted = root().resolve(name);
        try {
            return create(wanted);
        } catch (IOException e) {
            LOG.info("the cache {} cannot be written ({}); using a temporary folder", wanted, Reason.of(e));
        }
        try {
            return Files.createTempDirectory("basin-" + name);
        } catch (IOException e) {
            throw new DeviceException(
                    "no folder for " + name + ": neither " + wanted + " nor the temporary folder can be written; set "
                            + VARIABLE + " to one that can",
                    e);
        }
    }

    private static Path root() {
        String variable = System.getenv(VARIABLE);
        if (variable != null && !variable.isBlank()) return Path.of(variable);
        return Path.of(System.getProperty("user.home"), ".cache", "basin");
    }

    private static Path create(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            if (folder.getParent() != null) Files.createDirectories(folder.getParent());
            Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        }
        if (!Files.isWritable(folder)) throw new IOException("not writable");
        if (!Files.getOwner(folder).equals(Files.getOwner(Path.of("/proc/self")))) throw new IOException("not ours");
        return folder;
    }
}
