package io.basin.cli;

import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.FolderLock;
import io.basin.io.Folders;
import io.basin.io.OnFailure;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Exclusive use of a run's folder until this is closed. Take it before anything in the folder is read.
 *
 * @param folder existing; new and empty, or one to resume
 * @param made folders that were not there, this one first: where no more than a configuration comes into it, they go again; null of
 *     one to resume
 * @param farewell what an interrupted process says last
 */
record Claim(
        Path folder,
        FolderLock lock,
        @Nullable List<Path> made,
        @Nullable Thread farewell) implements AutoCloseable {
    private static final Path USUAL = Path.of("runs");

    /** @param name begins the folder's name in {@code runs} where neither {@code out} nor {@code resume} is given */
    static Claim of(String name, Path out, Path resume) {
        if (resume != null && out != null && !out.toAbsolutePath().equals(resume.toAbsolutePath())) {
            throw new IllegalArgumentException("--out " + out + ": a run that resumes stays in its folder, --resume "
                    + resume + "; name one of them");
        }
        if (resume != null) return resumed(resume);
        List<Path> made = missing(out != null ? out : USUAL);
        Path folder = out != null ? Folders.make(out) : unused(USUAL, name);
        if (out == null) made.add(0, folder);
        // A folder that no run ever had is left as it is; of others it is to be said whether they are in use.
        if (!FolderLock.wasTaken(folder)) requireEmpty(folder);
        return taken(folder, made, () -> requireEmpty(folder));
    }

    private static List<Path> missing(Path folder) {
        return Stream.iterate(folder.toAbsolutePath(), at -> at != null && !Files.exists(at), Path::getParent)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** Has the process, if it is interrupted before this is closed, say how to go on. */
    Claim announcing(String command) {
        Thread last = new Thread(() -> {
            if (hasRun(folder))
                System.err.println("\nbasin: interrupted; to go on: " + command + " --resume " + folder);
        });
        Runtime.getRuntime().addShutdownHook(last);
        return new Claim(folder, lock, made, last);
    }

    private static Claim resumed(Path folder) {
        if (!hasRun(folder) && !FolderLock.wasTaken(folder)) {
            throw new IllegalArgumentException("--resume: " + folder
                    + " holds no config.json: it is not a run's folder; name another, or start a run with --out");
        }
        return taken(folder, null, () -> {
            if (hasRun(folder)) return;
            throw new IllegalArgumentException("--resume: " + folder
                    + " holds no config.json: its run ended before it began; start it with "
                    + (isEmpty(folder) ? "--out " + folder : "--out and another folder"));
        });
    }

    /** @param check whether the folder, which no other process can change now, will do */
    private static Claim taken(Path folder, @Nullable List<Path> made, Runnable check) {
        FolderLock lock = FolderLock.take(folder);
        return OnFailure.close(lock, () -> {
            check.run();
            AtomicFile.sweep(folder);
            return new Claim(folder, lock, made, null);
        });
    }

    private static boolean hasRun(Path folder) {
        return Files.exists(folder.resolve(Configuration.FILE));
    }

    /** A new folder named after the second; of several processes in one second each gets one of its own. */
    private static Path unused(Path parent, String name) {
        String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
        Folders.make(parent);
        for (int i = 1; ; i++) {
            Path folder = parent.resolve(name + "-" + time + (i == 1 ? "" : "-" + i));
            try {
                return Files.createDirectory(folder);
            } catch (FileAlreadyExistsException another) {
                // The next number.
            } catch (IOException e) {
                throw Folders.unwritable(folder, e);
            }
        }
    }

    private static void requireEmpty(Path folder) {
        if (isEmpty(folder)) return;
        throw new IllegalArgumentException("--out: " + folder + " is not empty"
                + (hasRun(folder)
                        ? ": name another folder, or --resume " + folder
                        : " and holds no run to --resume: name another folder"));
    }

    /** Whether there is nothing but what a process leaves that is killed before it writes anything else. */
    private static boolean isEmpty(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.allMatch(Claim::isNothing);
        } catch (IOException e) {
            throw Folders.unwritable(folder, e);
        }
    }

    @Override
    public void close() {
        try {
            if (farewell != null) Runtime.getRuntime().removeShutdownHook(farewell);
        } catch (IllegalStateException e) {
            // It is being said.
        }
        if (made != null && Files.isDirectory(folder)) giveBack(made);
        lock.close();
    }

    private static boolean isNothing(Path file) {
        return FolderLock.isMark(file) || AtomicFile.isTemporary(file);
    }

    /** A run that was refused before it began leaves nothing behind. */
    private void giveBack(List<Path> made) {
        Path config = folder.resolve(Configuration.FILE);
        if (!Folders.list(folder).stream().allMatch(f -> f.equals(config) || isNothing(f))) return;
        Folders.remove(made.isEmpty() ? config : folder);
        // Those above only where nobody else has come.
        made.forEach(above -> above.toFile().delete());
    }
}
