package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class FoldersTest {
    @TempDir
    Path folder;

    /** A worker gives up its claim while the driver removes the round. */
    @Test
    void aFolderInWhichFilesComeAndGoIsRemovedAsFarAsItCanBe() throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger made = new AtomicInteger();
        Path round = folder.resolve("round");
        Thread other = new Thread(() -> {
            while (!stop.get()) {
                Path file = round.resolve("share-" + made.get() % 50 + ".claim");
                if (round.toFile().isDirectory() && file.toFile().mkdir()) made.incrementAndGet();
                file.toFile().delete();
            }
        });
        other.start();
        try {
            for (int i = 0; i < 100 || made.get() < 300; i++) {
                Folders.make(round);
                assertDoesNotThrow(() -> Folders.remove(round));
            }
        } finally {
            stop.set(true);
            other.join();
        }
        Folders.remove(round);
        assertFalse(Files.exists(round));
        assertDoesNotThrow(() -> Folders.remove(round));
    }
}
