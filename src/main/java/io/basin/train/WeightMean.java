package io.basin.train;

import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import java.util.Arrays;
import java.util.List;

/** The mean of models on a device, in float64 and rounded once. */
public final class WeightMean {
    private WeightMean() {}

    /** Writes the mean of all parameters into {@code to}; its batch-norm statistics are left, as they must be measured. */
    public static void into(Weights to, List<Weights> models, Device device, ParameterStore storage) {
        double[] shares = new double[models.size()];
        Arrays.fill(shares, 1);
        device.guard().run(() -> write(to, models, shares, models.size(), device, storage));
    }

    /** The same of the models' sum by their shares. */
    public static void into(Weights to, List<Weights> models, double[] shares, Device device, ParameterStore storage) {
        device.guard().run(() -> write(to, models, shares, 1, device, storage));
    }

    private static void write(
            Weights to, List<Weights> models, double[] shares, double all, Device device, ParameterStore storage) {
        for (Parameter p : storage.parameters()) {
            double[] sum = new double[Math.toIntExact(p.shape().elements())];
            for (int m = 0; m < shares.length; m++) {
                float[] values = p.read(device, models.get(m).params());
                for (int i = 0; i < sum.length; i++) sum[i] += shares[m] * values[i];
            }
            float[] mean = new float[sum.length];
            for (int i = 0; i < sum.length; i++) mean[i] = (float) (sum[i] / all);
            p.write(device, to.params(), mean);
        }
    }
}
