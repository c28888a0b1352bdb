package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A folder has one writer; whoever has ended holds nothing. Processes are tried by io.basin.cli.PairsTest. */
@Timeout(60)
class FolderLockTest {
    private static final LockOwner ME = LockOwner.current();
    private static final LockOwner DEAD = new LockOwner(ME.pid(), ME.host(), ME.started() - 100_000, ME.since());

    @TempDir
    Path folder;

    private static String refusal(Path folder) {
        return assertThrows(UncheckedIOException.class, () -> FolderLock.take(folder))
                .getMessage();
    }

    @Test
    void anotherThreadIsToldWhoHasTheFolderAndWhatBelowIt() throws Exception {
        Path below = Files.createDirectories(folder.resolve("seed-1/swa"));
        FolderLock lock = FolderLock.take(folder);
        for (Path place : List.of(folder, below)) {
            String said = CompletableFuture.supplyAsync(() -> refusal(place)).get();
            assertTrue(
                    said.startsWith(place + ": in use by process " + ME.pid() + " on " + ME.host() + " since "), said);
            assertTrue(said.contains("`out`"), said);
        }
        lock.close();
        CompletableFuture.runAsync(() -> FolderLock.take(folder).close()).get();
    }

    @Test
    void theHolderMayTakeTheFolderAndThoseBelowAgain() throws Exception {
        Path below = Files.createDirectory(folder.resolve("run-0"));
        FolderLock outer = FolderLock.take(folder);
        FolderLock.take(below).close();
        FolderLock.holding(folder, () -> null);
        assertTrue(CompletableFuture.supplyAsync(() -> refusal(folder)).get().contains("in use"));
        outer.close();
    }

    @Test
    void withoutLocksOneOfManyGetsTheFolder() throws Exception {
        int many = 8;
        ExecutorService threads = Executors.newFixedThreadPool(many);
        for (int round = 0; round < 50; round++) {
            Path place = Files.createDirectory(folder.resolve("round-" + round));
            if (round % 2 == 1) leave(place, DEAD);
            CyclicBarrier start = new CyclicBarrier(many);
            List<Future<OwnerFolder>> all = IntStream.range(0, many)
                    .mapToObj(i -> threads.submit(() -> {
                        start.await();
                        return OwnerFolder.take(place);
                    }))
                    .toList();
            int taken = 0;
            for (Future<OwnerFolder> one : all) taken += outcome(one);
            assertEquals(1, taken, "round " + round);
        }
        threads.shutdown();
    }

    private static int outcome(Future<OwnerFolder> one) throws InterruptedException {
        try {
            one.get();
            return 1;
        } catch (ExecutionException e) {
            assertTrue(e.getCause() instanceof FolderLock.Held, e.toString());
            return 0;
        }
    }

    private static Path leave(Path folder, LockOwner owner) throws IOException {
        Path place = Files.createDirectory(folder.resolve(".basin.owner"));
        Files.writeString(place.resolve("abc"), owner.text());
        return place;
    }

    @Test
    void withoutLocksAnotherHostsFolderIsRefusedWithWhatToRemove() throws IOException {
        Path place = leave(folder, new LockOwner(7, "elsewhere", 0, 0));
        FolderLock.Held e = assertThrows(FolderLock.Held.class, () -> OwnerFolder.take(folder));
        assertTrue(e.getMessage().contains("process 7 on elsewhere since 1970-01-01"), e.getMessage());
        assertTrue(e.said("go").endsWith(", or go; if it has ended already, remove " + place), e.said("go"));
    }

    @Test
    void withoutLocksAReleasedFolderLeavesNothing() throws IOException {
        OwnerFolder.take(folder).close();
        try (var files = Files.list(folder)) {
            assertEquals(List.of(), files.toList());
        }
    }

    @Test
    void mountsWhoseLocksStayOnOneHostAreKnown() {
        List<String> mounts = List.of(
                "/dev/vda / ext4 rw,relatime 0 0",
                "server:/home /home nfs4 rw,vers=4.2,local_lock=none 0 0",
                "server:/scratch /scratch nfs rw,nolock 0 0",
                "me@there: /home/me/there fuse.sshfs rw 0 0");
        assertFalse(FolderLock.staysLocal(mounts, Path.of("/tmp/run")));
        assertFalse(FolderLock.staysLocal(mounts, Path.of("/home/me/run")));
        assertTrue(FolderLock.staysLocal(mounts, Path.of("/scratch/run")));
        assertTrue(FolderLock.staysLocal(mounts, Path.of("/home/me/there/run")));
    }

    @Test
    void temporaryFilesOfLivingAndForeignWritersStay() throws IOException {
        long living = ProcessHandle.current().parent().orElseThrow().pid();
        String host = Integer.toHexString(ME.host().hashCode());
        Path mine = Files.createFile(folder.resolve(".a.json.1f-" + living + "-" + host + ".tmp"));
        Path foreign = Files.createFile(folder.resolve(".a.json.1f-" + living + "-1234.tmp"));
        Path dead = Files.createFile(folder.resolve(".a.json.1f-" + 999_999_999L + "-" + host + ".tmp"));
        AtomicFile.write(folder.resolve("b"), channel -> {
            AtomicFile.sweep(folder);
            channel.write(java.nio.ByteBuffer.wrap(new byte[] {'x'}));
        });
        assertTrue(Files.exists(mine));
        assertTrue(Files.exists(foreign));
        assertFalse(Files.exists(dead));
        assertEquals("x", Files.readString(folder.resolve("b")));
    }

    @Test
    void devicesAndLinksAreWrittenThrough() throws IOException {
        AtomicFile.write(Path.of("/dev/null"), "gone");
        assertTrue(AtomicFile.isDevice(Path.of("/dev/null")));
        Path real = Files.writeString(folder.resolve("real"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        AtomicFile.write(link, "new");
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(real));
        assertThrows(UncheckedIOException.class, () -> AtomicFile.write(Path.of("/dev/full"), "lost"));
    }

    @Test
    void aNameAsLongAsTheSystemAllowsIsWritten() throws IOException {
        Path file = folder.resolve("x".repeat(250) + ".json");
        AtomicFile.write(file, "x");
        assertEquals("x", Files.readString(file));
    }
}
