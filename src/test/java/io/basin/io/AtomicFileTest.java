package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path folder;

    @Test
    void textReplacesTheOldFileWhole() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFile.write(file, "a much longer old text");
        AtomicFile.write(file, "né");
        assertEquals("né", Files.readString(file));
        assertOnly(file);
    }

    /** As where two processes were told of a file that was not there yet. */
    @Test
    void whatMustBeNewReplacesNothing() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFile.expectNew(file);
        Files.writeString(file, "another's");
        UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> AtomicFile.write(file, "mine"));
        assertTrue(e.getMessage().contains("another process has written it meanwhile"), e.getMessage());
        assertEquals("another's", Files.readString(file));
        Files.delete(file);
        AtomicFile.expectNew(file);
        AtomicFile.write(file, "mine");
        assertEquals("mine", Files.readString(file));
        AtomicFile.write(file, "mine again");
        assertEquals("mine again", Files.readString(file));
        assertEquals(1, folder.toFile().list().length);
    }

    @Test
    void aFailureHalfWayLeavesTheOldFileAndNoTrace() throws IOException {
        Path file = folder.resolve("a.txt");
        AtomicFile.write(file, "old");
        RuntimeException bug = new IllegalStateException("bug");
        assertSame(
                bug,
                assertThrows(
                        IllegalStateException.class,
                        () -> AtomicFile.write(file, channel -> {
                            channel.write(ByteBuffer.wrap(new byte[100]));
                            throw bug;
                        })));
        assertEquals("old", Files.readString(file));
        assertOnly(file);
    }

    @Test
    void aFullDiskIsNamedWithWhatToDo() throws IOException {
        Path file = folder.resolve("a.txt");
        UncheckedIOException e = assertThrows(
                UncheckedIOException.class,
                () -> AtomicFile.write(file, channel -> {
                    throw new IOException("No space left on device");
                }));
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        assertTrue(e.getMessage().contains("disk is full"), e.getMessage());
        assertTrue(e.getMessage().contains("free space"), e.getMessage());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }

    @Test
    void aMissingFolderAFileInItsPlaceAndAnUnwritableOneAreToldApart() throws IOException {
        Path absent = folder.resolve("absent/a.txt");
        assertTrue(messageOf(absent).contains("does not exist; create it"), messageOf(absent));
        Path inFile = Files.createFile(folder.resolve("file")).resolve("a.txt");
        assertTrue(messageOf(inFile).contains("is a file, not a folder"), messageOf(inFile));
        // Root may write everywhere, so the system's refusal is made rather than provoked.
        String denied = AtomicFile.failure(folder.resolve("a"), new AccessDeniedException("a"))
                .getMessage();
        assertTrue(denied.contains("may not be written by this user; change its permissions"), denied);
    }

    @Test
    void aFolderInTheWayIsAnErrorWithoutATrace() throws IOException {
        Path inTheWay = Files.createDirectories(folder.resolve("d/sub")).getParent();
        assertTrue(messageOf(inTheWay).startsWith("cannot write " + inTheWay), messageOf(inTheWay));
        assertOnly(inTheWay);
        assertThrows(IllegalArgumentException.class, () -> AtomicFile.write(Path.of("/"), "x"));
    }

    private static String messageOf(Path file) {
        return assertThrows(UncheckedIOException.class, () -> AtomicFile.write(file, "x"))
                .getMessage();
    }

    private void assertOnly(Path file) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void whatAKilledWriterLeftIsSweptAndNothingElse() throws IOException {
        Path left = Files.writeString(folder.resolve(".weights.safetensors.c759cb9e83316b18.tmp"), "half");
        Path other = Files.writeString(folder.resolve("notes.tmp"), "mine");
        Path hidden = Files.writeString(folder.resolve(".profile"), "mine");
        AtomicFile.sweep(folder);
        assertFalse(Files.exists(left));
        assertTrue(Files.exists(other));
        assertTrue(Files.exists(hidden));
    }
}
