package io.basin.train;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.basin.Api;
import io.basin.data.Dataset;
import io.basin.device.Distortion;
import io.basin.device.Optimizer;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import io.basin.text.Require;

/**
 * How a net is trained, whatever the method: with {@link io.basin.methods.Method} and the seed all that decides what comes out.
 * Constructors throw {@link IllegalArgumentException} naming the parameter.
 *
 * @param dataset and model names that files carry
 * @param decayEverything false: weight decay spares biases and batch norm's scale and shift
 * @param smoothing of labels, in [0, 1)
 */
@Api
public record Settings(
        String dataset,
        String model,
        Optimizer optimizer,
        boolean decayEverything,
        double smoothing,
        Precision precision,
        Data data) {
    /**
     * The samples, and how they are read.
     *
     * @param batch samples a step
     * @param pad pixels added on each side before a random crop
     * @param flip whether half of the images are mirrored
     * @param validation samples cut from the training set; 0 trains on all, and then nothing can be chosen or fitted
     * @param trainSamples use only so many of the rest; 0 for all
     * @param labelNoise share of the training samples that get a wrong label, in [0, 1): {@link Dataset#withLabelNoise}
     * @param distortion what else training changes in samples
     */
    public record Data(
            int batch,
            int pad,
            boolean flip,
            int validation,
            int trainSamples,
            double labelNoise,
            @JsonUnwrapped Distortion distortion) {
        public Data {
            Require.given("distortion", distortion);
            Require.atLeast("batch", batch, 1);
            Require.atLeast("pad", pad, 0);
            Require.atLeast("validation", validation, 0);
            Require.atLeast("trainSamples", trainSamples, 0);
            Require.belowOne("labelNoise", labelNoise);
        }

        /** Cropped and flipped alone. */
        public Data(int batch, int pad, boolean flip, int validation, int trainSamples, double labelNoise) {
            this(batch, pad, flip, validation, trainSamples, labelNoise, Distortion.NONE);
        }

        /** With labels as they are. */
        public Data(int batch, int pad, boolean flip, int validation, int trainSamples) {
            this(batch, pad, flip, validation, trainSamples, 0);
        }

        /** Samples as they are, and all of them. */
        public Data(int batch, int validation) {
            this(batch, 0, false, validation, 0);
        }
    }

    public Settings {
        Require.given("dataset", dataset);
        Require.given("model", model);
        Require.given("optimizer", optimizer);
        Require.given("precision", precision);
        Require.given("data", data);
        Require.belowOne("smoothing", smoothing);
    }

    /** The papers' SGD with Nesterov off, batches of 128, 5000 samples held out, in float32. */
    public Settings(String dataset, String model) {
        this(dataset, model, new Sgd(0.9, 5e-4, false), true, 0, Precision.FP32, new Data(128, 5000));
    }

    /** The same with another optimizer. */
    public Settings with(Optimizer other) {
        return new Settings(dataset, model, other, decayEverything, smoothing, precision, data);
    }

    /** The same with other samples. */
    public Settings with(Data other) {
        return new Settings(dataset, model, optimizer, decayEverything, smoothing, precision, other);
    }

    /** The same in another precision. */
    public Settings with(Precision other) {
        return new Settings(dataset, model, optimizer, decayEverything, smoothing, other, data);
    }

    /** Everything that decides what is trained, as text that is the same in every process. */
    public String identity() {
        String how = optimizer.toString();
        if (optimizer instanceof UpdateRule rule) {
            how = rule.name() + ", " + (rule.getClass().isRecord() ? how : "weightDecay=" + rule.weightDecay());
        }
        return ("dataset=" + dataset + ", model=" + model + ", " + how + ", decayEverything=" + decayEverything
                        + ", smoothing=" + smoothing + ", precision=" + precision + ", " + data)
                .replaceAll("\\w+\\[|\\]", "")
                // As it was before there were these, so that older runs go on.
                .replace(", labelNoise=0.0", "")
                .replace(", distortion=jitter=0.0, cutout=0, mixup=0.0", "");
    }
}
