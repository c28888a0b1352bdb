package io.basin.average;

import io.basin.Api;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Batch norm's statistics of an averaged net of any library: fed with each layer's inputs, batch by batch, it has the mean and
 * variance of each channel over all that it saw, as if that were one batch.
 *
 * <p>Weights that were averaged never ran forward, so the running statistics of the net do not belong to them (Izmailov et al. 2018,
 * section 3.2). Feed the layers from the first to the last, one pass over the data for each, every earlier one already computing with
 * its population's statistics: in one pass for all, a layer's inputs would come from batches that were normalised by themselves.
 *
 * <p>Sums are float64. Each batch is summed about its own mean and merged by Chan, Golub and LeVeque's update
 * <pre>
 *   mean = mean + delta m / (n + m)      squares = squares + squares' + delta^2 n m / (n + m)      delta = mean' - mean
 * </pre>
 * so nothing cancels, and sizes of batches make no difference beyond float64's rounding. One thread at a time; threads take an
 * instance each, to be {@link #merge}d in a fixed order.
 */
@Api
public final class PopulationStatistics {
    private final Map<String, Layer> layers = new LinkedHashMap<>();

    private static final class Layer {
        final double[] mean;
        final double[] squares;
        long count;

        Layer(int channels) {
            mean = new double[channels];
            squares = new double[channels];
        }

        void merge(int c, double otherMean, double otherSquares, long more) {
            double total = (double) count + more;
            double delta = otherMean - mean[c];
            squares[c] += otherSquares + delta * delta * count * more / total;
            mean[c] += delta * more / total;
        }
    }

    /** Takes in a batch (n, c) of a layer's inputs. */
    public void add(String layer, float[] values, int n, int c) {
        add(layer, FloatBuffer.wrap(values), n, c, 1);
    }

    /** Takes in a batch (n, c, hw), channels before places, as PyTorch's contiguous (n, c, h, w). */
    public void add(String layer, float[] values, int n, int c, int hw) {
        add(layer, FloatBuffer.wrap(values), n, c, hw);
    }

    /**
     * Takes in the batch (n, c, hw) that lies between a buffer's position and limit, which stay.
     *
     * @throws IllegalArgumentException naming the layer, where sizes do not fit or a value is not finite; nothing is taken in then
     */
    public void add(String layer, FloatBuffer values, int n, int c, int hw) {
        if (n < 1 || c < 1 || hw < 1 || (long) n * c * hw != values.remaining()) {
            throw bad(
                    layer, "(" + n + ", " + c + ", " + hw + ") is not the shape of " + values.remaining() + " values");
        }
        double[] mean = new double[c];
        double[] squares = new double[c];
        for (int k = 0; k < c; k++) {
            double sum = 0;
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < hw; j++) sum += values.get(values.position() + (i * c + k) * hw + j);
            }
            mean[k] = sum / ((double) n * hw);
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < hw; j++) {
                    double d = values.get(values.position() + (i * c + k) * hw + j) - mean[k];
                    squares[k] += d * d;
                }
            }
            if (!Double.isFinite(squares[k])) throw bad(layer, "channel " + k + " has values that are not finite");
        }
        merge(layer, mean, squares, (long) n * hw);
    }

    /** Takes in what another instance saw, which stays. */
    public void merge(PopulationStatistics other) {
        other.layers.forEach((name, l) -> {
            int channels = l.mean.length;
            Layer mine = layers.get(name);
            if (mine != null && mine.mean.length != channels) throw channels(name, mine, channels);
        });
        other.layers.forEach((name, l) -> merge(name, l.mean.clone(), l.squares.clone(), l.count));
    }

    private void merge(String name, double[] mean, double[] squares, long count) {
        Layer layer = layers.computeIfAbsent(name, key -> new Layer(mean.length));
        if (layer.mean.length != mean.length) throw channels(name, layer, mean.length);
        for (int c = 0; c < mean.length; c++) layer.merge(c, mean[c], squares[c], count);
        layer.count += count;
    }

    /** The layers that were fed, in the order of their first batches. */
    public List<String> layers() {
        return List.copyOf(layers.keySet());
    }

    /** Values per channel that a layer has seen. */
    public long count(String layer) {
        return get(layer).count;
    }

    /** Means, (c). */
    public float[] mean(String layer) {
        return narrow(get(layer).mean, 1);
    }

    /** The population's variances, divided by the count, (c), as batch norm normalises by them. */
    public float[] variance(String layer) {
        Layer l = get(layer);
        return narrow(l.squares, l.count);
    }

    /** Variances divided by the count less one, (c), as in PyTorch's running_var. */
    public float[] unbiasedVariance(String layer) {
        Layer l = get(layer);
        if (l.count < 2) throw bad(layer, "one value per channel has no unbiased variance");
        return narrow(l.squares, l.count - 1);
    }

    private Layer get(String name) {
        Layer layer = layers.get(name);
        if (layer == null) throw bad(name, "nothing was added to it; layers are " + layers());
        return layer;
    }

    private static float[] narrow(double[] values, long divisor) {
        float[] out = new float[values.length];
        for (int c = 0; c < out.length; c++) out[c] = (float) (values[c] / divisor);
        return out;
    }

    private static IllegalArgumentException channels(String name, Layer layer, int channels) {
        return bad(name, "has " + layer.mean.length + " channels, got " + channels);
    }

    private static IllegalArgumentException bad(String layer, String what) {
        return new IllegalArgumentException("layer `" + layer + "`: " + what);
    }
}
