package io.basin.train;

import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.device.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Locale;

/** Refuses a plan whose net, samples, loss and device do not fit together. */
public final class PlanCheck {
    private PlanCheck() {}

    /** @throws IllegalArgumentException where the device does not compute in that precision, naming both */
    public static void requirePrecision(Device device, Precision precision) {
        if (device.supports(precision)) return;
        throw new IllegalArgumentException("`precision` " + precision.name().toLowerCase(Locale.ROOT)
                + " is not something that this device computes in (" + device.describe()
                + "): use fp32, or another `device`");
    }

    static void requireFit(NetMemory model, Images images) {
        if (images.pixels().device().guard() != model.device().guard()) {
            throw new IllegalArgumentException(
                    "the samples lie on another device than the net: upload them to its own");
        }
        Shape input = model.graph().input().shape();
        Shape output = model.graph().output().shape();
        boolean vector = input.rank() == 1 && Shape.of(input.dim(0), 1, 1).equals(images.sample());
        if (!vector && !input.equals(images.sample())) {
            throw new IllegalArgumentException("the net takes samples of " + input
                    + (input.rank() == 1 ? " (features)" : " (channels, height, width)") + ", the data set has "
                    + images.sample());
        }
        if (output.rank() != 1 || output.dim(0) != images.outputs()) {
            throw new IllegalArgumentException("the net ends with " + output + ", but the data set has "
                    + images.outputs() + (images.targets() ? " targets a sample" : " classes"));
        }
        if (model.loss().labels() == images.targets()) {
            throw new IllegalArgumentException(
                    model.loss() + " needs " + (images.targets() ? "class labels" : "float targets")
                            + ", the data set has " + (images.targets() ? "float targets" : "class labels"));
        }
        if (model.loss() instanceof Loss.BinaryCrossEntropy) requireProbabilities(model.device(), images);
    }

    /** With other targets the loss has no minimum, and training diverges. */
    private static void requireProbabilities(Device device, Images images) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(4L * images.count() * images.outputs()))
                .order(ByteOrder.nativeOrder());
        if (images.host() != null) bytes = images.host().labels();
        else device.download(images.labels(), 0, bytes);
        FloatBuffer targets = bytes.clear().asFloatBuffer();
        for (int i = 0; i < targets.capacity(); i++) {
            if (targets.get(i) >= 0 && targets.get(i) <= 1) continue;
            throw new IllegalArgumentException("binary cross-entropy takes targets from 0 to 1, and target "
                    + i % images.outputs() + " of sample " + i / images.outputs()
                    + ", counted in its part of the data, is "
                    + targets.get(i));
        }
    }
}
