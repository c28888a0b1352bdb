package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.io.Sha256;
import io.basin.methods.Schedule;
import io.basin.rounds.RoundKills;
import io.basin.rounds.ShareRun;
import io.basin.rounds.SharedFolder;
import io.basin.rounds.Shares;
import io.basin.rounds.Threads;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever measures, and how many: the files of a landscape have the same bytes. */
@Timeout(120)
class PointSharesTest {
    @TempDir
    Path folder;

    private Path place(String name) throws Exception {
        return Files.createDirectory(folder.resolve(name));
    }

    private String unsplit(Progress progress, Path into) {
        try (Device device = Devices.open("cpu", 1);
                Landscape land = new Landscape(device);
                LandscapeData data = land.data(0, 0, "exact")) {
            new Surface(data, PointJob.GRID, into, progress).run(PointJob.nets(land, into), List.of(), null);
        }
        return Sha256.of(into.resolve("cells.jsonl"));
    }

    @Test
    void howManyMeasureAPlaneDoesNotShowInItsFile() throws Exception {
        String expected = unsplit(Progress.NONE, place("unsplit"));
        for (int slots = 1; slots <= 4; slots++) {
            int count = slots;
            Path into = place("slots-" + slots);
            assertEquals(expected, PointJob.sum(into, Progress.NONE, (f, s) -> new Threads(f, s, count)));
            try (var left = Files.list(into)) {
                assertTrue(left.noneMatch(f -> f.getFileName().toString().startsWith("round-")), "rounds are removed");
            }
        }
    }

    /** Where this process broke off alone, others go on, and the other way round; what they handed over is not lost. */
    @Test
    void aPlaneThatWasBrokenOffGoesOn() throws Exception {
        String expected = unsplit(Progress.NONE, place("unsplit"));
        Path into = place("cut");
        assertThrows(IllegalStateException.class, () -> unsplit(new Landscape.Cut(9), into));
        int n = PointJob.GRID.cells();
        for (int rows : new int[] {2, 4}) {
            Landscape.Cut power = new Landscape.Cut((long) rows * n);
            assertThrows(IllegalStateException.class, () -> PointJob.sum(into, power, (f, s) -> new Threads(f, s, 2)));
        }
        Landscape.Cut counted = new Landscape.Cut(Long.MAX_VALUE);
        List<String> made = new ArrayList<>();
        assertEquals(expected, PointJob.sum(into, counted, (f, s) -> {
            for (int row = 0; row < n; row++) {
                if (Files.exists(f.resolve("round-00001/share-" + row + ".safetensors"))) made.add("row " + row);
            }
            return new Threads(f, s, 1);
        }));
        assertTrue(made.size() >= 4, "of those that were cut off are there " + made);
        assertEquals((long) n * n, counted.seen);
        // All is known: nobody is asked.
        assertEquals(expected, PointJob.sum(into, Progress.NONE, (f, s) -> {
            throw new AssertionError("no carrier is needed");
        }));
    }

    /** Around one net its own statistics hold at every point, and travel with it. */
    @Test
    void statisticsThatAreKeptTravel() throws Exception {
        Surface.Grid grid = new Surface.Grid(Surface.Span.FILTER, 3, -1, 1, 0.5, 1);
        byte[][] files = new byte[2][];
        for (int i = 0; i < 2; i++) {
            Path into = place("out-" + i);
            Shares shares = new PointShares(() -> new Landscape(Devices.open("cpu", 1)).data(0, 0, "keep"));
            try (Device device = Devices.open("cpu", 1);
                    Landscape land = new Landscape(device);
                    LandscapeData data = land.data(0, 0, "keep");
                    ShareRun run = new ShareRun(into, shares, false, () -> new Threads(into, shares, 2))) {
                Surface surface = new Surface(data, grid, into, Progress.NONE);
                if (i == 1) surface.by(run);
                surface.run(List.of(land.net(folder, "a", 1)), List.of(), land.net(folder, "b", 2));
            }
            files[i] = Files.readAllBytes(into.resolve("cells.jsonl"));
        }
        assertArrayEquals(files[0], files[1]);
    }

    @Test
    void pointsOfACurveAreSharesToo() throws Exception {
        byte[][] files = new byte[2][];
        for (int i = 0; i < 2; i++) {
            Path into = place("out-" + i);
            Shares shares = PointJob.shares();
            try (Device device = Devices.open("cpu", 1);
                    Landscape land = new Landscape(device);
                    LandscapeData data = land.data(0, 0, "exact");
                    ShareRun run = new ShareRun(into, shares, false, () -> new Threads(into, shares, 3))) {
                List<Net> nets = PointJob.nets(land, into);
                CurveTraining.CurveConfig config = new CurveTraining.CurveConfig(
                        Curve.BEZIER, 1, Schedule.constant(5, 0.01), Landscape.SETTINGS, 1, land.splits.augmentation());
                Connection joined = new Connection(data, config, into, Progress.NONE);
                if (i == 1) joined.by(run, 0);
                assertTrue(joined.run(nets.get(0), nets.get(1), 7).endsAreParents());
                run.done();
            }
            files[i] = Files.readAllBytes(into.resolve("points.jsonl"));
        }
        assertArrayEquals(files[0], files[1]);
    }

    private Process worker(Path job, String name) throws Exception {
        return RoundKills.worker(folder.resolve(name + ".txt"), PointJob.class, "work", job.toString(), name);
    }

    /** Those that say whose they are: of an empty one nobody knows whether its owner lives. */
    private static long claims(Path job) {
        File[] files = job.resolve("round-00001").toFile().listFiles((d, name) -> name.endsWith(".claim"));
        return files == null
                ? 0
                : Arrays.stream(files).filter(f -> f.length() > 0).count();
    }

    @Test
    void aWorkerThatIsKilledAmidAPlaneDoesNotShowInIt() throws Exception {
        String expected = unsplit(Progress.NONE, place("unsplit"));
        Path job = place("job");
        Process first = worker(job, "first");
        CompletableFuture<String> driven = CompletableFuture.supplyAsync(
                () -> PointJob.sum(job, Progress.NONE, (f, s) -> new SharedFolder(f, s, false)));
        while (claims(job) == 0) Thread.sleep(1);
        first.destroyForcibly().waitFor();
        assertFalse(driven.isDone(), "it was killed amid the job");
        Process second = worker(job, "second");
        assertEquals(expected, driven.get());
        assertEquals(0, second.waitFor());
        assertTrue(Files.readString(folder.resolve("second.txt")).contains("the job is done"));
    }

    @Test
    void aWorkerThatWouldMeasureSomethingElseIsRefused() throws Exception {
        Path job = place("job");
        PointJob.sum(job, Progress.NONE, (f, s) -> new Threads(f, s, 1));
        Shares fewer = new PointShares(() -> new Landscape(Devices.open("cpu", 1)).data(20, 20, "exact"));
        String said = assertThrows(
                        IllegalArgumentException.class, () -> SharedFolder.work(job, fewer, "wrong", share -> {}))
                .getMessage();
        assertTrue(said.contains("is of another job than is planned here"), said);
    }
}
