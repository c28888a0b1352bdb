package io.basin.ensemble;

import io.basin.data.Dataset;
import io.basin.io.Safetensors;
import io.basin.train.ModelCard;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** The zoo's MLP in plain double loops, and files of such nets: an oracle that shares no code with the engine. */
final class NaiveMlp {
    static final int HIDDEN = 1024;
    private final Map<String, double[]> w = new LinkedHashMap<>();

    private NaiveMlp() {}

    /** Unweighted mean of files. */
    static NaiveMlp of(List<Path> files) {
        NaiveMlp net = new NaiveMlp();
        for (Path file : files) {
            try (Safetensors in = Safetensors.open(file)) {
                for (String name : in.tensors().keySet()) {
                    float[] values = in.floats(name);
                    double[] sum = net.w.computeIfAbsent(name, n -> new double[values.length]);
                    for (int i = 0; i < sum.length; i++) sum[i] += (double) values[i] / files.size();
                }
            }
        }
        return net;
    }

    /** Writes a random net near a common centre, so that means of such nets make sense. */
    static ModelFile write(Path file, Dataset like, long seed, double spread, ModelCard origin) {
        int in = like.imageBytes();
        int[] widths = {in, HIDDEN, HIDDEN, like.classes()};
        var writer = Safetensors.writer().metadata(origin.header());
        SplittableRandom centre = new SplittableRandom(99);
        SplittableRandom own = new SplittableRandom(seed);
        for (int l = 1; l <= 3; l++) {
            int n = widths[l - 1];
            double scale = 1.5 / Math.sqrt(n);
            float[] weight = new float[widths[l] * n];
            for (int i = 0; i < weight.length; i++) {
                weight[i] = (float) (scale * (centre.nextDouble(-1, 1) + spread * own.nextDouble(-1, 1)));
            }
            writer.add("fc" + l + ".weight", new long[] {widths[l], n}, weight);
            float[] bias = new float[widths[l]];
            for (int i = 0; i < bias.length; i++) bias[i] = (float) own.nextDouble(-0.1, 0.1);
            writer.add("fc" + l + ".bias", new long[] {widths[l]}, bias);
        }
        writer.write(file);
        return ModelFile.of(file);
    }

    double[] probabilities(Dataset set, int sample, float[] mean, float[] std) {
        double[] x = new double[set.imageBytes()];
        int plane = set.height() * set.width();
        for (int i = 0; i < plane; i++) {
            for (int c = 0; c < set.channels(); c++) {
                int v = set.pixels()[sample * x.length + i * set.channels() + c] & 255;
                x[c * plane + i] = (v / 255.0 - mean[c]) / std[c];
            }
        }
        for (int l = 1; l <= 3; l++) x = dense(x, w.get("fc" + l + ".weight"), w.get("fc" + l + ".bias"), l < 3);
        double sum = 0;
        for (int k = 0; k < x.length; k++) sum += x[k] = Math.exp(x[k]);
        for (int k = 0; k < x.length; k++) x[k] /= sum;
        return x;
    }

    private static double[] dense(double[] x, double[] weight, double[] bias, boolean relu) {
        double[] y = new double[bias.length];
        for (int o = 0; o < y.length; o++) {
            double sum = bias[o];
            for (int i = 0; i < x.length; i++) sum += weight[o * x.length + i] * x[i];
            y[o] = relu ? Math.max(0, sum) : sum;
        }
        return y;
    }

    double accuracy(Dataset set, float[] mean, float[] std) {
        int hits = 0;
        for (int i = 0; i < set.count(); i++) {
            double[] p = probabilities(set, i, mean, std);
            int best = 0;
            for (int k = 1; k < p.length; k++) if (p[k] > p[best]) best = k;
            if (best == set.labels()[i]) hits++;
        }
        return (double) hits / set.count();
    }
}
