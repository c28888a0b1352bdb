package io.basin.train;

import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.Storage;
import io.basin.device.Weights;
import java.nio.FloatBuffer;
import java.util.List;

/** The mean of models on a device, in float64 and rounded once. */
public final class WeightMean {
    private WeightMean() {}

    /** Writes the mean of all parameters into {@code to}; its batch-norm statistics are left, for they must be measured. */
    public static void into(Weights to, List<Weights> models, Device device, Storage storage) {
        device.guard().run(() -> mean(to, models, device, storage));
    }

    private static void mean(Weights to, List<Weights> models, Device device, Storage storage) {
        for (Parameter p : storage.parameters()) {
            float[] values = new float[Math.toIntExact(p.shape().elements())];
            double[] sum = new double[values.length];
            for (Weights m : models) {
                read(device, p, m, values);
                for (int i = 0; i < sum.length; i++) sum[i] += values[i];
            }
            for (int i = 0; i < sum.length; i++) values[i] = (float) (sum[i] / models.size());
            write(device, p, to, values);
        }
    }

    static void read(Device device, Parameter p, Weights from, float[] values) {
        device.unpack(from.params(), p.slot().offset(), p.layout(), FloatBuffer.wrap(values));
    }

    static void write(Device device, Parameter p, Weights to, float[] values) {
        device.pack(FloatBuffer.wrap(values), p.layout(), to.params(), p.slot().offset());
    }
}
