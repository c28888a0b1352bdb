package io.basin.compare;

import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import io.basin.random.Normals;
import io.basin.random.Streams;
import java.util.List;

/**
 * SWAG's Gaussian over weights (Maddox et al. 2019, arXiv 1902.02476, Algorithm 1) and nets drawn from it.
 *
 * <p>{@code sample = mean + sqrt(scale/2) (sqrt(var) z1 + D z2 / sqrt(K - 1))}, elementwise in z1; mean and variance are those of
 * all collected models (biased, at least 1e-30), D's K columns are the deviations of the newest models, each from the running
 * mean of the models up to and including it. With scale 1 this is the paper's equation (1), whose two terms carry 1/sqrt(2)
 * each. The published code has {@code mean + sqrt(scale) (sqrt(var) z1 + D z2 / sqrt(K - 1))}, so that its scale is half of ours
 * and the paper's posterior its 0.5; its SWAG-diagonal at 1 has no D and no 1/sqrt(2). K is the number of columns that there are, as in the paper; the
 * code divides by the number that it could hold.
 *
 * <p>The collected models are kept anyway, on the device and in the run's folder. So no moment is accumulated during training and
 * none has to be saved and restored: a sample walks once over the models, in their order, with Welford's recursion in float64
 * (E[x^2] - E[x]^2 in float32 would cancel to noise, for weights vary by a hundredth of their size). A run that was killed and
 * resumed has the same models bit by bit, hence the same samples. Memory beyond the models: three float64 numbers per weight of
 * the largest tensor.
 *
 * @param models collected models, the oldest first; at least 3, so that two deviations from a running mean are not both 0
 * @param rank K, the number of low-rank columns: as many as there are models, or fewer, at least 2; 0 for SWAG-diagonal, which has none
 * @param scale of the covariance, twice the published code's, of SWAG-diagonal the same as there; 0 gives the mean
 */
public record Posterior(Device device, ParameterStore storage, List<Weights> models, int rank, double scale) {
    /** Least variance of a weight, as in the published code. */
    public static final double LEAST_VARIANCE = 1e-30;

    public Posterior {
        if (models.size() < 3) {
            throw new IllegalArgumentException("SWAG needs at least 3 collected models, got " + models.size());
        }
        if (rank < 2 && rank != 0 || !(scale >= 0 && scale < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "`swag.rank` must be 0 or at least 2, and `swag.scale` finite, got " + rank + " and " + scale);
        }
        models = List.copyOf(models);
        rank = Math.min(rank, models.size());
    }

    /**
     * Writes sample {@code number} of the stream that {@code seed} opens into the parameters of {@code to}; its batch-norm
     * statistics are left, as they must be measured.
     */
    public void sample(Weights to, long seed, int number) {
        device.guard().run(() -> {
            double[] columns = new double[rank];
            Normals.fill(columns, number, -1, Streams.POSTERIOR, seed);
            int index = 0;
            for (Parameter p : storage.parameters()) {
                float[] values = new float[Math.toIntExact(p.shape().elements())];
                double[] normals = new double[values.length];
                Normals.fill(normals, number, index++, Streams.POSTERIOR, seed);
                draw(p, values, normals, columns);
                p.write(device, to.params(), values);
            }
        });
    }

    /** Fills {@code values}, of which {@code normals} decides the diagonal part and {@code columns} the low-rank part. */
    private void draw(Parameter p, float[] values, double[] normals, double[] columns) {
        int n = models.size();
        double[] mean = new double[values.length];
        double[] squares = new double[values.length];
        double[] low = new double[values.length];
        for (int m = 0; m < n; m++) {
            float[] w = p.read(device, models.get(m).params());
            int column = m - (n - rank);
            for (int i = 0; i < values.length; i++) {
                double before = w[i] - mean[i];
                mean[i] += before / (m + 1);
                double after = w[i] - mean[i];
                squares[i] += before * after;
                if (column >= 0) low[i] += after * columns[column];
            }
        }
        // SWAG-diagonal has no second part to share the covariance with.
        double factor = Math.sqrt(rank == 0 ? scale : scale / 2);
        double root = Math.sqrt(Math.max(1, rank - 1.0));
        for (int i = 0; i < values.length; i++) {
            double deviation = Math.sqrt(Math.max(squares[i] / n, LEAST_VARIANCE));
            values[i] = (float) (mean[i] + factor * (deviation * normals[i] + low[i] / root));
        }
    }
}
