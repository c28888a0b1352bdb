package io.basin.train;

import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import java.util.List;

/** The mean of models on a device, in float64 and rounded once. */
public final class WeightMean {
    private WeightMean() {}

    /** Writes the mean of all parameters into {@code to}; its batch-norm statistics are left, for they must be measured. */
    public static void into(Weights to, List<Weights> models, Device device, ParameterStore storage) {
        device.guard().run(() -> write(to, models, device, storage));
    }

    private static void write(Weights to, List<Weights> models, Device device, ParameterStore storage) {
        for (Parameter p : storage.parameters()) {
            double[] sum = new double[Math.toIntExact(p.shape().elements())];
            for (Weights m : models) {
                float[] values = p.read(device, m.params());
                for (int i = 0; i < sum.length; i++) sum[i] += values[i];
            }
            float[] mean = new float[sum.length];
            for (int i = 0; i < sum.length; i++) mean[i] = (float) (sum[i] / models.size());
            p.write(device, to.params(), mean);
        }
    }
}
