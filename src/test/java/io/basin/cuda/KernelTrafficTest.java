package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Draws;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The bytes that the kernels' headers promise, as the software GPU counts them; {@link StepKernelTest} has the update's, {@link NormTrafficTest} batch norm's. */
class KernelTrafficTest {
    private static final int N = 1 << 14;
    private static final int BLOCKS = 4;
    private static final int CHANNELS = 64;
    private static final float[] LR = {0.1f, 0.1f};
    private static final float[] ALPHA = {0, 0.5f};

    /** Bytes in all of one launch over N elements. */
    private static long moved(Gpu gpu, String file, String kernel, Object... arguments) {
        return moved(gpu, file, kernel, new Gpu.Grid(BLOCKS, 1, Gpu.THREADS, 1), arguments);
    }

    private static long moved(Gpu gpu, String file, String kernel, Gpu.Grid grid, Object... arguments) {
        Traffic t = Traffic.of(gpu, kernel, () -> gpu.launch(file, kernel, grid, arguments));
        assertEquals(1, t.launches(), kernel);
        return t.loaded() + t.stored();
    }

    private static boolean counts(Gpu gpu) {
        return Traffic.of(gpu, "tick", () -> {}) != null;
    }

    @Test
    void arenasArePassedOverOnce() {
        Gpu.run("traffic of arenas", gpu -> {
            if (!counts(gpu)) return;
            DevicePointer a = gpu.put(Draws.normal(1, N));
            DevicePointer b = gpu.put(Draws.normal(2, N));
            DevicePointer c = gpu.put(Draws.normal(3, N));
            DevicePointer d = gpu.put(Draws.normal(4, N));
            DevicePointer table = gpu.put(0.25f, 0.75f);
            DevicePointer control = gpu.control(1, false, LR, ALPHA);
            long bend = moved(gpu, "step.cu", "bend", a, b, c, d, control, 2, N / 4, 0, 0.9f, 0f, 0, table, 1, 2, 1);
            assertEquals(24L * N + (24 + 4) * BLOCKS, bend);
            // Step, flag and alpha, but no rate.
            assertEquals(16L * N + 20 * BLOCKS, moved(gpu, "average.cu", "moment", a, b, c, control, 2, N / 4));
            DevicePointer still = gpu.control(0, false, LR, ALPHA);
            assertEquals(20L * BLOCKS, moved(gpu, "average.cu", "moment", a, b, c, still, 2, N / 4));
            DevicePointer broken = gpu.control(1, true, LR, ALPHA);
            long nothing = moved(gpu, "step.cu", "step", a, b, c, d, broken, 2, N / 4, 0, 0.9f, 0f, 0, 0, null);
            assertEquals(16L * BLOCKS, nothing);
        });
    }

    @Test
    void elementsAreReadAndWrittenOnce() {
        Gpu.run("traffic of elements", gpu -> {
            if (!counts(gpu)) return;
            DevicePointer x = gpu.put(Draws.normal(1, N));
            DevicePointer y = gpu.put(Draws.normal(2, N));
            DevicePointer vector = gpu.put(Draws.normal(3, CHANNELS));
            DevicePointer control = gpu.control(1, false, LR, ALPHA);
            String file = "pointwise.cu";
            assertEquals(8L * N, moved(gpu, file, "relu", y, x, N));
            assertEquals(12L * N, moved(gpu, file, "reluBackward", y, x, x, N));
            assertEquals(12L * N, moved(gpu, file, "add", y, x, x, N, 1));
            assertEquals(8L * N, moved(gpu, file, "finish", y, null, null, N, CHANNELS, 1));
            assertEquals(12L * N, moved(gpu, file, "finish", y, null, x, N, CHANNELS, 1));
            // The bias comes from cache, but each thread asks for it.
            assertEquals(12L * N, moved(gpu, file, "finish", y, vector, null, N, CHANNELS, 1));
            long threads = (long) BLOCKS * Gpu.THREADS;
            long dropout = moved(gpu, file, "dropout", y, x, control, N, CHANNELS, 1, 5L, 1 << 23, 2f);
            assertEquals(8L * N + 8 * threads, dropout);
            DevicePointer all = gpu.put(Draws.normal(4, 3 * N));
            assertEquals(8L * N, moved(gpu, file, "join", all, x, N, CHANNELS, 3 * CHANNELS, CHANNELS));
            assertEquals(8L * N, moved(gpu, file, "part", y, all, N, CHANNELS, 3 * CHANNELS, CHANNELS));
        });
    }

    /** What a thread asks of its channel and group comes from cache. */
    @Test
    void groupNormPassesOverItsGroupsAsOftenAsItSays() {
        Gpu.run("traffic of group norm", gpu -> {
            if (!counts(gpu)) return;
            DevicePointer x = gpu.put(Draws.normal(1, N));
            DevicePointer dy = gpu.put(Draws.normal(2, N));
            DevicePointer y = gpu.empty(4L * N);
            DevicePointer scale = gpu.put(Draws.normal(3, CHANNELS));
            int samples = 4;
            int groups = 4;
            int pixels = N / CHANNELS / samples;
            DevicePointer moments = gpu.empty(8L * samples * groups);
            DevicePointer sums = gpu.empty(8L * samples * CHANNELS);
            Gpu.Grid each = new Gpu.Grid(samples * groups, 1, 16, 16);
            long threads = 256L * samples * groups;
            String file = "group.cu";
            long forward =
                    moved(gpu, file, "groupNorm", each, y, x, moments, scale, scale, 1e-5f, CHANNELS, groups, pixels);
            assertEquals(16L * N + 12 * threads + 8L * samples * groups, forward);
            Gpu.Grid columns = new Gpu.Grid(samples, CHANNELS / 32, 32, 8);
            long summed = moved(gpu, file, "groupSums", columns, x, dy, moments, sums, CHANNELS, groups, pixels);
            assertEquals(8L * N + 8L * samples * CHANNELS + 8L * 8 * samples * CHANNELS, summed);
            DevicePointer other = gpu.empty(4L * CHANNELS);
            Gpu.Grid one = new Gpu.Grid(1, 1, Gpu.THREADS, 1);
            long parameters = moved(gpu, file, "groupParameters", one, sums, other, y, samples, CHANNELS);
            assertEquals(8L * samples * CHANNELS + 8 * CHANNELS, parameters);
            long backward =
                    moved(gpu, file, "groupGradient", each, y, x, dy, moments, sums, scale, CHANNELS, groups, pixels);
            assertEquals(12L * N + 12 * threads + 12L * samples * CHANNELS, backward);
        });
    }

    @Test
    void sumsReadEachElementOnceAndLeaveOnlyPartialSums() {
        Gpu.run("traffic of sums", gpu -> {
            if (!counts(gpu)) return;
            DevicePointer x = gpu.put(Draws.normal(1, N));
            int rows = N / CHANNELS;
            int slabs = 4;
            Gpu.Grid grid = Gpu.Grid.columns(CHANNELS, slabs);
            DevicePointer sums = gpu.empty(4L * slabs * CHANNELS);
            long columns = moved(gpu, "pointwise.cu", "columnSums", grid, sums, x, rows, CHANNELS);
            assertEquals(4L * N + 4L * slabs * CHANNELS, columns);
        });
    }

    @Test
    void batchesReadAByteAndWriteAFloatForEachElement() {
        Gpu.run("traffic of batches", gpu -> {
            if (!counts(gpu)) return;
            int rows = 8;
            int size = 16 * 16 * 4;
            DevicePointer pixels = gpu.put(Draws.bytes(1, 32 * size));
            DevicePointer labels = gpu.put(Draws.labels(1, 32, 10));
            DevicePointer table = gpu.put(new float[4 * 256]);
            DevicePointer control = gpu.control(0, false, LR, ALPHA);
            DevicePointer out = gpu.empty(4L * rows * size);
            DevicePointer outLabels = gpu.empty(4L * rows);
            Object[] plain = {1L, 0, 0, 1, 1, -1, 0f, 0, 0, 0};
            Object[] memory = {out, outLabels, pixels, labels, table, control, rows, 32, 16, 16, 4};
            Object[] all = Stream.of(memory, plain).flatMap(Stream::of).toArray();
            long moved = moved(gpu, "batch.cu", "batch", new Gpu.Grid(rows, 1, Gpu.THREADS, 1), all);
            long lookups = 4L * rows * size;
            assertEquals(5L * rows * size + lookups + (8 + 4 + 4) * rows, moved);
        });
    }

    @Test
    void ensemblesMoveTwentyBytesForEachProbability() {
        Gpu.run("traffic of ensembles", gpu -> {
            if (!counts(gpu)) return;
            int classes = 32;
            int rows = N / classes;
            DevicePointer sum = gpu.put(new double[N]);
            DevicePointer p = gpu.put(Draws.normal(1, N));
            assertEquals(20L * N, moved(gpu, "ensemble.cu", "accumulate", sum, null, p, 1.0, rows, classes));
            DevicePointer choice = gpu.empty(4L * rows);
            assertEquals(8L * N + 4L * rows, moved(gpu, "ensemble.cu", "argmax", choice, sum, rows, classes));
            DevicePointer votes = gpu.put(new int[N]);
            long vote = moved(gpu, "ensemble.cu", "vote", choice, votes, sum, rows, classes);
            // Votes are read again, from cache, and sums only where they can decide.
            assertTrue(vote >= 4L * N + 4L * rows && vote <= 16L * N + 4L * rows, String.valueOf(vote));
        });
    }
}
