package io.basin.io;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A lock for file systems without locks: a folder that holds one file, named and written by its owner, and is put in place by one
 * rename, which fails where such a folder holds a file already.
 *
 * <p>The owner's file has a name of its own. Who takes the lock over from a dead owner deletes that name and no other: of several
 * takers one succeeds with its rename, and none can delete what another has just put there.
 */
final class OwnerFolder implements AutoCloseable {
    private static final int TRIES = 100;

    private final Path mine;

    private OwnerFolder(Path mine) {
        this.mine = mine;
    }

    static OwnerFolder take(Path folder) throws IOException {
        Path place = folder.resolve(FolderLock.PREFIX + "owner");
        String name = Long.toHexString(ThreadLocalRandom.current().nextLong());
        Path offered = Files.createDirectory(folder.resolve(FolderLock.PREFIX + "offer-" + name));
        try {
            Files.writeString(offered.resolve(name), LockOwner.current().text());
            IOException refused = null;
            for (int i = 0; i < TRIES; i++) {
                try {
                    Files.move(offered, place, StandardCopyOption.ATOMIC_MOVE);
                    return new OwnerFolder(place.resolve(name));
                } catch (IOException occupied) {
                    refused = occupied;
                }
                clearDead(place);
            }
            throw refused;
        } finally {
            Files.deleteIfExists(offered.resolve(name));
            Files.deleteIfExists(offered);
        }
    }

    /** Removes the file of an owner that is known to be dead, and the folder, as some systems do not rename onto one. */
    private static void clearDead(Path place) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(place)) {
            for (Path file : files) {
                LockOwner owner = LockOwner.parse(Files.readString(file));
                if (owner == null || !owner.here()) throw new FolderLock.Held(owner, place);
                if (owner.lives()) throw new FolderLock.Held(owner, null);
                Files.deleteIfExists(file);
            }
        } catch (NoSuchFileException gone) {
            return;
        }
        remove(place);
    }

    private static void remove(Path place) throws IOException {
        try {
            Files.deleteIfExists(place);
        } catch (DirectoryNotEmptyException | FileAlreadyExistsException taken) {
            return; // By another, in the meantime.
        }
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(mine);
        remove(Objects.requireNonNull(mine.getParent()));
    }
}
