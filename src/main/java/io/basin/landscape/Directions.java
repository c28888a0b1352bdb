package io.basin.landscape;

import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Random directions in weight space, the same for every net of a model and on every device.
 *
 * <p>Numbers are drawn in logical order, so that layouts do not matter, and with {@link StrictMath}, so that every machine draws
 * the same bits. Raw directions have length 1 over all parameters. In
 * filter-normalised ones (Li et al. 2018, arXiv 1712.09913) every filter is as long as the net's own filter, and biases and
 * batch norm rest: a net whose filters were scaled up in front of a batch norm, which computes the same, then looks the same.
 */
public record Directions(Device device, ParameterStore storage, long seed) {
    private static final double TINY = 1e-10;

    /** Direction number {@code index}, of length 1. */
    public void random(int index, Memory into) {
        Queue<float[]> drawn = new ArrayDeque<>();
        double square = 0;
        int number = 0;
        for (Parameter p : storage.parameters()) {
            float[] d = normal(Math.toIntExact(p.shape().elements()), number++, index);
            square += Vectors.dot(d, d);
            drawn.add(d);
        }
        float scale = (float) (1 / Math.sqrt(square));
        for (Parameter p : storage.parameters()) {
            float[] d = drawn.remove();
            for (int i = 0; i < d.length; i++) d[i] *= scale;
            pack(p, d, into);
        }
    }

    /** Direction number {@code index}, scaled filter by filter to the lengths that {@code net} has. */
    public void filterNormalised(int index, Memory net, Memory into) {
        int number = 0;
        for (Parameter p : storage.parameters()) {
            int size = Math.toIntExact(p.shape().elements());
            float[] d = new float[size];
            if (p.shape().rank() > 1) {
                d = normal(size, number, index);
                float[] w = p.read(device, net);
                int filters = p.shape().dim(0);
                for (int f = 0; f < filters; f++) scale(d, w, f * (size / filters), size / filters);
            }
            number++;
            pack(p, d, into);
        }
    }

    private static void scale(float[] d, float[] w, int from, int length) {
        double dd = 0;
        double ww = 0;
        for (int i = from; i < from + length; i++) {
            dd += (double) d[i] * d[i];
            ww += (double) w[i] * w[i];
        }
        float factor = (float) (Math.sqrt(ww) / (Math.sqrt(dd) + TINY));
        for (int i = from; i < from + length; i++) d[i] *= factor;
    }

    private void pack(Parameter p, float[] values, Memory into) {
        device.pack(FloatBuffer.wrap(values), p.layout(), into, p.slot().offset());
    }

    /** Standard normal numbers by Box and Muller, two from each pair of uniform ones. */
    private float[] normal(int count, int parameter, int index) {
        float[] out = new float[count];
        int[] words = new int[4];
        for (int i = 0; i < count; i++) {
            if (i % 2 == 0) {
                Philox.block(i / 2, parameter, index, Streams.DIRECTION, (int) seed, (int) (seed >>> 32), words);
            }
            double u = (((words[0] & 0xFFFFFFFFL) << 21 ^ (words[1] & 0xFFFFFFFFL) >>> 11) + 1) * 0x1p-53;
            double angle = 2 * Math.PI * Philox.unit(words[2]);
            double radius = Math.sqrt(-2 * StrictMath.log(u));
            out[i] = (float) (radius * (i % 2 == 0 ? StrictMath.cos(angle) : StrictMath.sin(angle)));
        }
        return out;
    }
}
