package io.basin.landscape;

import io.basin.data.Dataset;
import io.basin.device.Augmentation;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.io.Safetensors;
import io.basin.nn.Graph;
import io.basin.train.Settings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A net of two weights whose loss is known in closed form: logits (a x, b x) for images of one pixel. */
final class TwoParameters {
    static final int COUNT = 6;
    static final float[] MEAN = {0.4f};
    static final float[] STD = {0.3f};
    static final Augmentation AUGMENTATION = new Augmentation(0, false, MEAN, STD);
    private static final byte[] PIXELS = {0, 51, (byte) 153, (byte) 204, (byte) 140, (byte) 255};
    private static final int[] LABELS = {0, 1, 1, 0, 0, 1};

    private TwoParameters() {}

    static Graph graph() {
        Graph g = new Graph(Shape.of(1, 1, 1));
        g.at("fc").dense(g.input(), new Layer.Dense(2, false, false, Initializer.constant(0)));
        return g;
    }

    static Dataset set() {
        return new Dataset("two", PIXELS.clone(), LABELS.clone(), 1, 1, 1, List.of("first", "second"));
    }

    /** All pixels at the mean, so that the net's input and with it the loss's gradient are 0. */
    static Dataset silent() {
        byte[] same = new byte[COUNT];
        java.util.Arrays.fill(same, (byte) 102);
        return new Dataset("silent", same, LABELS.clone(), 1, 1, 1, List.of("first", "second"));
    }

    private static double x(int sample) {
        return ((PIXELS[sample] & 255) / 255.0 - MEAN[0]) / STD[0];
    }

    static double loss(double a, double b) {
        double sum = 0;
        for (int i = 0; i < COUNT; i++) {
            double own = (LABELS[i] == 0 ? a : b) * x(i);
            sum += Math.log(Math.exp(a * x(i)) + Math.exp(b * x(i))) - own;
        }
        return sum / COUNT;
    }

    /** Standard deviation of the loss over samples, in the closed form of two passes. */
    static double spread(double a, double b) {
        double mean = loss(a, b);
        double squares = 0;
        for (int i = 0; i < COUNT; i++) {
            double own = (LABELS[i] == 0 ? a : b) * x(i);
            squares += Math.pow(Math.log(Math.exp(a * x(i)) + Math.exp(b * x(i))) - own - mean, 2);
        }
        return Math.sqrt(squares / (COUNT - 1));
    }

    static double[] gradient(double a, double b) {
        double[] g = new double[2];
        for (int i = 0; i < COUNT; i++) {
            double p = 1 / (1 + Math.exp((b - a) * x(i)));
            g[0] += (p - (LABELS[i] == 0 ? 1 : 0)) * x(i) / COUNT;
            g[1] += (1 - p - (LABELS[i] == 1 ? 1 : 0)) * x(i) / COUNT;
        }
        return g;
    }

    static double error(double a, double b) {
        int wrong = 0;
        for (int i = 0; i < COUNT; i++) if ((a * x(i) >= b * x(i) ? 0 : 1) != LABELS[i]) wrong++;
        return (double) wrong / COUNT;
    }

    static void save(Path file, float a, float b) {
        Safetensors.writer()
                .metadata(Map.of("model", "two", "dataset", "two"))
                .add("fc.weight", new long[] {2, 1}, new float[] {a, b})
                .write(file);
    }

    /** Batches of {@code batch} samples, no augmentation, weight decay on everything. */
    static Settings settings(String model, int batch, double momentum, double wd, boolean nesterov) {
        Settings.Data data = new Settings.Data(batch, 10);
        return new Settings("synthetic", model, new Sgd(momentum, wd, nesterov), true, 0, Precision.STRICT, data);
    }
}
