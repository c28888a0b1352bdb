package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.basin.compare.Posterior;
import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.device.Weights;
import io.basin.nn.Graph;
import io.basin.random.Normals;
import io.basin.random.Streams;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** SWAG's samples against the paper's formula, written out in double over whole models. */
class PosteriorTest {
    private static final long SEED = 77;

    private static Graph net() {
        Graph g = new Graph(Shape.of(1, 6, 6));
        g.dense(g.maxPool(g.batchNormRelu(g.conv(g.input(), 8, 3)), 2), 3);
        return g;
    }

    /** Models whose weights vary by a hundredth about a centre, as collected ones do. */
    private static List<Weights> models(Run run, int count) {
        List<Weights> models = new ArrayList<>();
        SplittableRandom random = new SplittableRandom(5);
        for (int m = 0; m < count; m++) {
            Weights copy = run.storage.copy(run.device, run.storage.live());
            for (Parameter p : run.storage.parameters()) {
                float[] values = read(run.device, p, copy);
                for (int i = 0; i < values.length; i++) values[i] += (float) random.nextDouble(-1e-3, 1e-3);
                p.write(run.device, copy.params(), values);
            }
            models.add(copy);
        }
        return models;
    }

    private static float[] read(Device device, Parameter p, Weights model) {
        float[] values = new float[Math.toIntExact(p.shape().elements())];
        device.unpack(model.params(), p.slot().offset(), p.layout(), FloatBuffer.wrap(values));
        return values;
    }

    /** mean + sqrt(scale/2) (sqrt(E[x^2] - E[x]^2) z1 + D z2 / sqrt(K-1)), D_i = x_i - mean of x_1..x_i. */
    private static double expected(float[][] x, int i, double z1, double[] z2, double scale) {
        int n = x.length;
        double mean = Arrays.stream(x).mapToDouble(w -> w[i]).average().orElseThrow();
        double squares = Arrays.stream(x)
                .mapToDouble(w -> (double) w[i] * w[i])
                .average()
                .orElseThrow();
        double variance = Math.max(squares - mean * mean, 1e-30);
        // SWAG-diagonal: the whole covariance.
        if (z2.length == 0) return mean + Math.sqrt(scale) * Math.sqrt(variance) * z1;
        double low = 0;
        for (int k = 0; k < z2.length; k++) {
            int newest = n - z2.length + k;
            double running = 0;
            for (int m = 0; m <= newest; m++) running += (double) x[m][i] / (newest + 1);
            low += (x[newest][i] - running) * z2[k];
        }
        return mean + Math.sqrt(scale / 2) * (Math.sqrt(variance) * z1 + low / Math.sqrt(z2.length - 1.0));
    }

    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void aSampleIsThePapersFormula(Subject subject) {
        try (Device device = subject.open();
                Run run = Setup.of(net(), 4).on(device)) {
            for (int[] c : new int[][] {{7, 4, 2}, {5, 20, 1}, {6, 0, 1}}) {
                List<Weights> models = models(run, c[0]);
                Posterior posterior = new Posterior(device, run.storage, models, c[1], c[2]);
                assertEquals(Math.min(c[0], c[1]), posterior.rank());
                Weights sample = run.storage.copy(device, run.storage.live());
                posterior.sample(sample, SEED, 3);
                double[] z2 = new double[posterior.rank()];
                Normals.fill(z2, 3, -1, Streams.POSTERIOR, SEED);
                int index = 0;
                for (Parameter p : run.storage.parameters()) {
                    float[][] x = models.stream().map(m -> read(device, p, m)).toArray(float[][]::new);
                    double[] z1 = new double[x[0].length];
                    Normals.fill(z1, 3, index++, Streams.POSTERIOR, SEED);
                    float[] got = read(device, p, sample);
                    for (int i = 0; i < got.length; i++) {
                        assertEquals(expected(x, i, z1[i], z2, c[2]), got[i], 2e-7, p.name());
                    }
                }
                sample.close();
                models.forEach(Weights::close);
            }
        }
    }

    @Test
    void scaleZeroGivesTheMeanOfTheModels() {
        try (Device device = Subject.all().findFirst().orElseThrow().open();
                Run run = Setup.of(net(), 4).on(device)) {
            List<Weights> models = models(run, 4);
            Weights sample = run.storage.copy(device, run.storage.live());
            Weights mean = run.storage.copy(device, run.storage.live());
            new Posterior(device, run.storage, models, 20, 0).sample(sample, SEED, 0);
            WeightMean.into(mean, models, device, run.storage);
            for (Parameter p : run.storage.parameters()) {
                assertArrayEquals(read(device, p, mean), read(device, p, sample), 1e-7f);
            }
            sample.close();
            mean.close();
            models.forEach(Weights::close);
        }
    }

    @Test
    void theMeanOfZeroAndThreeIsOneAndAHalf() {
        try (Device device = Subject.all().findFirst().orElseThrow().open();
                Run run = Setup.of(net(), 4).on(device)) {
            List<Weights> models = models(run, 2);
            for (Parameter p : run.storage.parameters()) {
                float[] threes = new float[Math.toIntExact(p.shape().elements())];
                p.write(device, models.get(0).params(), threes);
                Arrays.fill(threes, 3);
                p.write(device, models.get(1).params(), threes);
            }
            Weights mean = run.storage.copy(device, run.storage.live());
            WeightMean.into(mean, models, device, run.storage);
            for (Parameter p : run.storage.parameters()) {
                for (float w : read(device, p, mean)) assertEquals(1.5f, w);
            }
            mean.close();
            models.forEach(Weights::close);
        }
    }

    @Test
    void samplesRepeatBitForBitAndDifferByNumberAndSeed() {
        try (Device device = Subject.all().findFirst().orElseThrow().open();
                Run run = Setup.of(net(), 4).on(device)) {
            List<Weights> models = models(run, 4);
            Posterior posterior = new Posterior(device, run.storage, models, 20, 1);
            Weights sample = run.storage.copy(device, run.storage.live());
            Parameter p = run.storage.parameters().iterator().next();
            List<float[]> drawn = new ArrayList<>();
            for (long[] c : new long[][] {{SEED, 0}, {SEED, 0}, {SEED, 1}, {SEED + 1, 0}}) {
                posterior.sample(sample, c[0], (int) c[1]);
                drawn.add(read(device, p, sample));
            }
            assertArrayEquals(drawn.get(0), drawn.get(1));
            assertFalse(Arrays.equals(drawn.get(0), drawn.get(2)));
            assertFalse(Arrays.equals(drawn.get(0), drawn.get(3)));
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Posterior(device, run.storage, models.subList(0, 2), 20, 1));
            sample.close();
            models.forEach(Weights::close);
        }
    }
}
