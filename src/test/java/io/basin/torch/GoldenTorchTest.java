package io.basin.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GoldenTorchTest {
    private static final long TIMEOUT = 300;
    private static final String[] MLP = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void trainsAnMlpAsPlainDoubleLoopsDo(boolean nesterov) {
        Random random = new Random(1);
        RawTensors input = new RawTensors(directory.resolve("in"));
        double[][] weights = new double[4][];
        long[][] shapes = {{6, 4}, {6}, {3, 6}, {3}};
        for (int i = 0; i < 4; i++) {
            float[] start = uniform(random, shapes[i][0] * (shapes[i].length > 1 ? shapes[i][1] : 1));
            input.write(MLP[i], start, shapes[i]);
            weights[i] = widen(start);
        }
        batches(input, random, 3, 5, 4, 1, 3);
        double[] losses = GoldenProcess.run(spec("mlp:4-6-3", 4, 1, 3, 5, 3, nesterov, false), TIMEOUT);

        NaiveMlp naive = new NaiveMlp(weights, 4, 6, 3);
        double[] expected = new double[3];
        for (int step = 0; step < 3; step++) {
            float[] images = Arrays.copyOfRange(input.floats("images"), step * 20, step * 20 + 20);
            long[] labels = Arrays.copyOfRange(input.longs("labels"), step * 5, step * 5 + 5);
            expected[step] = naive.step(images, labels, 0.1, 0.9, 5e-4, nesterov);
        }
        assertArrayEquals(expected, losses, 1e-6);
        RawTensors output = new RawTensors(directory.resolve("out"));
        for (int i = 0; i < 4; i++) {
            assertArrayEquals(naive.weights[i], widen(output.floats(MLP[i])), 1e-6, MLP[i]);
        }
    }

    @Test
    void theBenchmarksFusedChannelsLastStepTrainsAsThePlainOneDoes() {
        RawTensors input = new RawTensors(directory.resolve("in"));
        batches(input, new Random(2), 3, 4, 3, 32, 10);
        input.write("fc.bias", new float[10], 10);
        double[] plain = GoldenProcess.run(spec("preresnet20", 3, 32, 10, 4, 1, false, false), TIMEOUT);
        RawTensors output = new RawTensors(directory.resolve("out"));
        assertEquals(272_282, parameters(output.shapes()));

        Path start = directory.resolve("start");
        RawTensors continued = new RawTensors(start);
        output.shapes().forEach((name, shape) -> continued.write(name, output.floats(name), shape));
        batches(continued, new Random(3), 3, 4, 3, 32, 10);
        double[][] losses = new double[2][];
        float[][] last = new float[2][];
        for (int fast = 0; fast < 2; fast++) {
            Path out = directory.resolve("fast" + fast);
            losses[fast] = GoldenProcess.run(
                    new GoldenSpec(
                            "preresnet20", 3, 32, 10, 4, 3, 0.01, 0.9, 5e-4, false, 0.5, route(fast == 1), start, out),
                    TIMEOUT);
            last[fast] = new RawTensors(out).floats("average.layer3.0.conv1.weight");
        }
        assertTrue(plain[0] > 0);
        assertArrayEquals(losses[0], losses[1], 1e-4);
        assertArrayEquals(last[0], last[1], 1e-4f);
    }

    /** Sums of the layers' sizes worked out by hand from the architecture; a VGG16 of 32x32 images has 15.25 million. */
    @ParameterizedTest
    @CsvSource({
        "mlp,1,28,1863690",
        "smallcnn,1,28,468010",
        "preresnet20,3,32,272282",
        "vgg16-bn-nodropout,3,32,15253578"
    })
    void everyNetHasTheParametersItsArchitectureSays(String net, int channels, int size, long expected) {
        RawTensors input = new RawTensors(directory.resolve("in"));
        batches(input, new Random(4), 1, 2, channels, size, 10);
        double[] loss = GoldenProcess.run(spec(net, channels, size, 10, 2, 1, false, false), TIMEOUT);
        Map<String, long[]> shapes = new RawTensors(directory.resolve("out")).shapes();
        assertEquals(expected, parameters(shapes), () -> shapes.keySet().toString());
        assertTrue(loss[0] > 0 && loss[0] < 20, () -> "loss " + loss[0]);
    }

    @Test
    void aNameTheNetDoesNotHaveIsRefusedWithTheProcessesOwnWords() {
        RawTensors input = new RawTensors(directory.resolve("in"));
        input.write("fc9.weight", new float[1], 1);
        GoldenSpec spec = spec("mlp:4-6-3", 4, 1, 3, 5, 3, false, false);
        String message = assertThrows(IllegalStateException.class, () -> GoldenProcess.run(spec, TIMEOUT))
                .getMessage();
        assertTrue(message.contains("fc9.weight"), message);
    }

    private GoldenSpec spec(
            String net, int channels, int size, int classes, int batch, int steps, boolean nesterov, boolean fast) {
        Path in = directory.resolve("in");
        Path out = directory.resolve("out");
        return new GoldenSpec(
                net, channels, size, classes, batch, steps, 0.1, 0.9, 5e-4, nesterov, 0, route(fast), in, out);
    }

    private static TorchSgd.Route route(boolean fast) {
        return fast ? TorchSgd.Route.FUSED : TorchSgd.Route.MODULE;
    }

    private static void batches(RawTensors to, Random random, int steps, int n, int channels, int size, int classes) {
        to.write("images", uniform(random, (long) steps * n * channels * size * size), steps, n, channels, size, size);
        to.write("labels", random.longs((long) steps * n, 0, classes).toArray(), steps, n);
    }

    private static long parameters(Map<String, long[]> shapes) {
        return shapes.entrySet().stream()
                .filter(e -> !e.getKey().contains("running"))
                .mapToLong(e -> Arrays.stream(e.getValue()).reduce(1, (a, b) -> a * b))
                .sum();
    }

    private static float[] uniform(Random random, long count) {
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    private static double[] widen(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }
}
