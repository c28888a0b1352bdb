package io.basin.rounds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Json;
import io.basin.methods.Budget;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class SharedFolderTest {
    private static final int SCHEDULES = 40;

    @TempDir
    Path folder;

    /** One job after the other: always the bits of a job that nobody disturbed. */
    @Test
    void killsAndJoinsDoNotShowInTheBits() throws Exception {
        try (RoundKills kills = new RoundKills(folder, 14)) {
            for (int i = 0; i < SCHEDULES; i++) assertEquals("", kills.schedule());
            assertTrue(kills.kills() >= SCHEDULES / 2, kills.kills() + " kills amid a job");
        }
    }

    private CompletableFuture<String> drive(Path job, Workshop workshop) {
        return CompletableFuture.supplyAsync(() ->
                TinyJob.sum(TinyJob.run(job, workshop, f -> new SharedFolder(f, workshop, false))
                        .get(0)));
    }

    private CompletableFuture<String> work(Path job, Workshop workshop, String name) {
        return CompletableFuture.supplyAsync(() -> SharedFolder.work(job, workshop, name, share -> {}));
    }

    @Test
    void aWorkersNameIsTakenOnce() throws Exception {
        Workshop workshop = TinyJob.workshop(TinyJob.plan());
        CompletableFuture<String> driven = drive(folder, workshop);
        CompletableFuture<String> first = work(folder, workshop, "rack-7");
        while (new RoundFolder(folder).newest() < 1) Thread.sleep(5);
        // Held by a thread of this process, which the message says.
        UncheckedIOException e = assertThrows(
                UncheckedIOException.class, () -> SharedFolder.work(folder, workshop, "rack-7", share -> {}));
        assertTrue(e.getMessage().contains("rack-7: in use by process "), e.getMessage());
        assertTrue(e.getMessage().endsWith("or choose another `id`"), e.getMessage());
        driven.get();
        assertEquals("the job is done", first.get());
    }

    /** The driver's own lock cannot tell: its thread holds the job's folder above already. */
    @Test
    void nobodyElseIsCalledAsTheDriver() {
        Workshop workshop = TinyJob.workshop(TinyJob.plan());
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> SharedFolder.work(folder, workshop, "driver", share -> {}));
        assertTrue(e.getMessage().startsWith("`id`: 'driver' is the process that began the job"), e.getMessage());
    }

    @Test
    void aWorkerThatWouldComputeSomethingElseIsRefused() throws Exception {
        Workshop workshop = TinyJob.workshop(TinyJob.plan());
        CompletableFuture<String> driven = drive(folder, workshop);
        while (new RoundFolder(folder).job().isEmpty()) Thread.sleep(5);
        Workshop other = TinyJob.workshop(TinyJob.methods(3).localSgd(4));
        assertTrue(refusal(other).contains("is of another job"));
        // Alike in everything but the rates of its table.
        RoundPlan faster =
                new RoundMethods(1, 3, new Budget(3, 0.06), TinyJob.STEPS_PER_EPOCH, TinyJob.BATCH).diLoCo(4, 0.7, 0.9);
        assertTrue(refusal(TinyJob.workshop(faster)).contains("is of another job"));
        Workshop threads = new Workshop(
                workshop.plan(),
                workshop.settings(),
                workshop.net(),
                workshop.data(),
                () -> io.basin.device.Devices.open("cpu", 2));
        assertTrue(refusal(threads).contains("rounds differently"));
        work(folder, workshop, "right").get();
        driven.get();
    }

    private String refusal(Workshop workshop) {
        return assertThrows(
                        IllegalArgumentException.class, () -> SharedFolder.work(folder, workshop, "wrong", share -> {}))
                .getMessage();
    }

    /** Killed, it cannot end them; its process number may be another's by then. */
    @Test
    void aCarriersWorkersEndWithTheProcessThatStartedThem() throws Exception {
        Process driver = new ProcessBuilder("sleep", "100").start();
        long started = driver.info().startInstant().orElseThrow().toEpochMilli();
        String host = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        BooleanSupplier orphaned = Processes.orphaned(Json.line(new Owner(driver.pid(), host, started, started)));
        assertTrue(!orphaned.getAsBoolean() && !Processes.orphaned(null).getAsBoolean());
        Workshop workshop = TinyJob.workshop(TinyJob.plan());
        CompletableFuture<String> worker =
                CompletableFuture.supplyAsync(() -> SharedFolder.work(folder, workshop, "w", share -> {}, orphaned));
        Thread.sleep(100);
        assertTrue(!worker.isDone(), "it waits for the job");
        driver.destroyForcibly().waitFor();
        assertEquals(FolderWorker.LEFT, worker.get(10, TimeUnit.SECONDS));
    }

    @Test
    void aWorkerThatKeepsEndingIsOneSentenceWithItsLastComplaint() throws Exception {
        Workshop workshop = TinyJob.workshop(TinyJob.plan());
        String ends = "echo said; echo \"basin: $BASIN_DRIVER and no data\"; echo more; exit 7";
        String why = assertThrows(
                        UncheckedIOException.class,
                        () -> TinyJob.run(
                                folder, workshop, f -> new Processes(f, workshop, 1, i -> List.of("sh", "-c", ends))))
                .getMessage();
        assertTrue(why.startsWith("worker process 0 ended 4 times in one round, last with exit code 7: {"), why);
        String mine = "\"pid\":" + ProcessHandle.current().pid() + ",";
        assertTrue(why.contains(mine) && why.contains(" and no data; mend that, see " + folder), why);
    }

    @Test
    void aFolderThatVanishesIsOneSentence() throws Exception {
        Workshop workshop = TinyJob.workshop(TinyJob.methods(3, 300).diLoCo(4, 0.7, 0.9));
        for (boolean shared : new boolean[] {true, false}) {
            Path job = Files.createDirectory(folder.resolve("job"));
            CompletableFuture<?> driven = CompletableFuture.supplyAsync(() -> TinyJob.run(
                    job, workshop, f -> shared ? new SharedFolder(f, workshop, true) : new Threads(f, workshop, 2)));
            while (!Files.exists(job.resolve("rounds.jsonl"))) Thread.sleep(5);
            Files.move(job, folder.resolve("away-" + shared));
            String said = assertThrows(ExecutionException.class, driven::get)
                    .getCause()
                    .getMessage();
            assertTrue(said.startsWith(job + ": the job's folder is gone: put it back"), said);
        }
    }

    @Test
    void aFolderThatEverybodyMayWriteIsRefused() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
        String said = refusal(TinyJob.workshop(TinyJob.plan()));
        assertTrue(said.contains("everybody may write there") && said.contains("chmod o-w"), said);
    }

    /** Claims are watched with the watcher's own clock: what times files have does not matter. */
    @Test
    void clocksThatDisagreeByHoursDoNotMatter() throws Exception {
        Path file = folder.resolve("share-0.claim");
        Claim held = Claim.take(file, "other");
        Claim.Watch watch = new Claim.Watch(1e9);
        for (long hours : new long[] {-5, 5}) {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(3600 * hours)));
            watch.release(file);
            assertTrue(Files.exists(file));
        }
        held.close();
        assertTrue(!Files.exists(file));
    }

    @Test
    void aClaimIsTakenOverWhereItStandsStillOrItsProcessHasEnded() throws Exception {
        Path file = folder.resolve("share-0.claim");
        Claim.Watch watch = new Claim.Watch(0.05);
        Files.writeString(file, Json.line(new Elsewhere("w", new Owner(1, "another-host", 5, 5), 3)));
        watch.release(file);
        assertTrue(Files.exists(file), "it may be alive");
        Thread.sleep(80);
        Files.writeString(file, Json.line(new Elsewhere("w", new Owner(1, "another-host", 5, 5), 4)));
        watch.release(file);
        assertTrue(Files.exists(file), "its count has moved");
        Thread.sleep(80);
        watch.release(file);
        assertTrue(!Files.exists(file), "its count stands still");
        String host = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        Files.writeString(file, Json.line(new Elsewhere("w", new Owner(999_999_999L, host, 5, 5), 3)));
        watch.release(file);
        assertTrue(!Files.exists(file), "its process has ended");
    }

    record Owner(long pid, String host, long started, long since) {}

    record Elsewhere(String worker, Owner owner, long beat) {}
}
