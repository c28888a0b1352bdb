package io.basin.device;

import io.basin.Nullable;
import io.basin.io.UserFolder;
import io.basin.text.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folders for what can be made again: {@code $BASIN_CACHE} and no other where it is set; else {@code ~/.cache/basin}, or one of this
 * user's in the temporary folder; readable by this user only, as native code is loaded from them.
 */
public final class Cache {
    public static final String VARIABLE = UserFolder.CACHE_VARIABLE;
    private static final String REMEDY = "set " + VARIABLE
            + " to a folder that can be written and has room, on a file system from which programs may run";
    private static final Logger LOG = LoggerFactory.getLogger(Cache.class);
    private static boolean shown;
    /** Why native code did not load the first time: later Java only says that it did not. */
    private static @Nullable String reason;

    private Cache() {}

    /** The folder of that name, made if need be; a temporary one where the cache cannot be written. */
    public static Path folder(String name) {
        return folder(name, "");
    }

    /** As {@link #folder}, on a file system from which native code may be loaded. */
    public static Path executable(String name) {
        return folder(name, mounts());
    }

    /** The folder of that name if it is there and this user's; it is not made. */
    public static Optional<Path> existing(String name) {
        for (Path root : roots()) {
            Path folder = root.resolve(name);
            try {
                if (Files.isDirectory(folder)) return Optional.of(create(folder).toAbsolutePath());
            } catch (IOException e) {
                LOG.info("{} is not used: {}", folder, Reason.of(e));
            }
        }
        return Optional.empty();
    }

    private static Path folder(String name, String mounts) {
        List<String> refused = new ArrayList<>();
        for (Path root : roots()) {
            Path wanted = root.resolve(name);
            try {
                Path made = create(wanted);
                if (!noexec(made.toRealPath(), mounts)) return made;
                refused.add("from " + wanted + " no program may run (it is mounted noexec)");
            } catch (IOException e) {
                refused.add(wanted + " cannot be written (" + Reason.of(e) + ")");
            }
            LOG.info("{}; trying another folder", refused.get(refused.size() - 1));
        }
        throw new DeviceException("no folder for " + name + ": " + String.join(", ", refused) + "; " + REMEDY);
    }

    /** Folders to try, the best one first; the user's choice is the only one. Java's home of a user without one is "?". */
    private static List<Path> roots() {
        if (named()) return List.of(UserFolder.cache());
        List<Path> roots = new ArrayList<>();
        if (home() != null) roots.add(UserFolder.cache());
        roots.add(Path.of(System.getProperty("java.io.tmpdir"), "basin-" + user()));
        return roots;
    }

    private static boolean named() {
        return System.getenv(VARIABLE) != null;
    }

    private static @Nullable Path home() {
        Path home = Path.of(System.getProperty("user.home", "?"));
        return home.isAbsolute() && Files.isDirectory(home) ? home : null;
    }

    /** The user's number: unlike the name it is always there. */
    private static Object user() {
        try {
            return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException e) {
            return "user";
        }
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

    private static String mounts() {
        try {
            return Files.readString(Path.of("/proc/self/mounts"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * Whether the file system that holds a folder forbids programs.
     *
     * @param mounts lines of {@code /proc/self/mounts}: device, folder, type, options; of two at one folder the later one counts
     */
    static boolean noexec(Path folder, String mounts) {
        Path longest = null;
        boolean forbidden = false;
        for (String line : mounts.split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length < 4) continue;
            Path at = Path.of(fields[1].replace("\\040", " "));
            if (!folder.startsWith(at) || longest != null && !at.startsWith(longest)) continue;
            longest = at;
            forbidden = List.of(fields[3].split(",")).contains("noexec");
        }
        return forbidden;
    }

    /**
     * Shows JNA and JavaCPP where to unpack their native code, before either is loaded: {@code $BASIN_CACHE}, or a folder of ours
     * where the home, their default, does not serve. The user's settings for them stay.
     */
    public static synchronized void showToLoaders() {
        if (shown) return;
        Path home = home();
        if (!named() && home != null && Files.isWritable(home) && !noexec(home, mounts())) {
            shown = true;
            return;
        }
        Path folder = executable("loaders");
        if (System.getProperty("jna.tmpdir") == null) System.setProperty("jna.tmpdir", folder.toString());
        if (System.getProperty("org.bytedeco.javacpp.cachedir") == null) {
            System.setProperty(
                    "org.bytedeco.javacpp.cachedir", folder.resolve("javacpp").toString());
        }
        shown = true;
    }

    /** A sentence on native code that does not load: the first reason, as later attempts only say that there was a first. */
    public static synchronized DeviceException refusal(String device, LinkageError e) {
        Throwable cause = e;
        while (cause.getCause() != null) cause = cause.getCause();
        if (cause instanceof DeviceException known) return known;
        boolean later = cause instanceof ExceptionInInitializerError || cause instanceof NoClassDefFoundError;
        if (reason == null || !later) {
            reason = String.valueOf(cause.getMessage()).lines().findFirst().orElse(cause.toString());
        }
        return new DeviceException(
                "the " + device + " device cannot be opened: its native code cannot be loaded (" + reason + "): "
                        + REMEDY,
                e);
    }
}
