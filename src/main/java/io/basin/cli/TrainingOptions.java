package io.basin.cli;

import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.device.Precision;
import io.basin.nn.Nets;
import io.basin.train.Settings;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The flags that decide what is computed, with defaults that depend on the data set's images. */
final class TrainingOptions {
    @Parameters(index = "0", paramLabel = "DATASET", description = "fashion-mnist, mnist, cifar10 or cifar100")
    String dataset;

    @Option(
            names = "--data-dir",
            description =
                    "where the data set's files are; else $BASIN_DATA; if neither is set: system, cache, download")
    Path dataDir;

    @Option(names = "--model", description = "mlp, small-cnn, vgg16, preresnet20, -56, -110, -164, wrn-28-10")
    String model;

    @Option(names = "--epochs", description = "the budget of each method; default 10, colour images 30")
    Double epochs;

    @Option(names = "--batch-size", defaultValue = "128", description = "samples a step; default ${DEFAULT-VALUE}")
    int batch;

    @Option(names = "--lr", defaultValue = "0.05", description = "initial learning rate; default ${DEFAULT-VALUE}")
    double lr;

    @Option(names = "--momentum", defaultValue = "0.9", description = "default ${DEFAULT-VALUE}")
    double momentum;

    @Option(names = "--nesterov", description = "Nesterov's momentum")
    boolean nesterov;

    @Option(names = "--wd", defaultValue = "5e-4", description = "weight decay; default ${DEFAULT-VALUE}")
    double weightDecay;

    @Option(names = "--no-decay-vectors", description = "spare biases and batch norm from weight decay")
    boolean spareVectors;

    @Option(names = "--label-smoothing", defaultValue = "0", description = "default ${DEFAULT-VALUE}")
    double smoothing;

    @Option(names = "--warmup", defaultValue = "0", description = "epochs of linear warm-up, part of the budget")
    double warmUp;

    enum Augment {
        NONE,
        FLIP,
        CROP_FLIP
    }

    @Option(names = "--augment", description = "none, flip or crop_flip; default none for grey images, else crop_flip")
    Augment augment;

    @Option(
            names = "--precision",
            defaultValue = "fp32",
            converter = PrecisionName.class,
            description = "fp32 (or strict), bf16 on a CPU, tf32 on a GPU; weights stay float32")
    Precision precision;

    /** On a GPU, strict is what people call float32 without tensor cores. */
    private static final class PrecisionName implements CommandLine.ITypeConverter<Precision> {
        @Override
        public Precision convert(String name) {
            return switch (name.toLowerCase(java.util.Locale.ROOT)) {
                case "fp32", "strict" -> Precision.FP32;
                case "tf32" -> Precision.TF32;
                case "bf16" -> Precision.BF16;
                default ->
                    throw new CommandLine.TypeConversionException("'" + name + "' is none of fp32, strict, tf32, bf16");
            };
        }
    }

    @Option(names = "--validation", defaultValue = "5000", description = "samples held out of the training set")
    int validation;

    @Option(names = "--train-samples", defaultValue = "0", description = "train on so many only; 0 for all")
    int trainSamples;

    @Option(names = "--swa-start", defaultValue = "0.75", description = "fraction of the budget before averaging")
    double swaStart;

    @Option(names = "--swa-lr", defaultValue = "0.01", description = "SWA's rate, highest one of cyclic SWA")
    double swaLr;

    @Option(names = "--swa-low", defaultValue = "0.001", description = "lowest rate of cyclic SWA")
    double swaLow;

    @Option(
            names = "--swa-cycle",
            description = "epochs between SWA's collections; default a tenth of what follows --swa-start")
    Double swaCycle;

    @Option(names = "--ema-decay", defaultValue = "0.999", description = "of the exponential average, per step")
    double emaDecay;

    @Option(names = "--lawa", defaultValue = "3", description = "epochs that LAWA averages, the last ones")
    int lawa;

    @Option(names = "--cycles", defaultValue = "3", description = "snapshots of the snapshot ensemble")
    int cycles;

    @Option(names = "--snapshot-lr", defaultValue = "0.1", description = "highest rate of its cosines")
    double snapshotLr;

    @Option(names = "--fge-start", defaultValue = "0.8", description = "fraction of the budget before FGE's triangles")
    double fgeStart;

    @Option(names = "--lr-1", defaultValue = "0.02", description = "FGE's highest rate")
    double fgeHigh;

    @Option(names = "--lr-2", defaultValue = "0.0005", description = "FGE's lowest rate")
    double fgeLow;

    @Option(
            names = "--cycle",
            description =
                    "epochs of one FGE triangle, a model in its middle; default 2/7 of what follows --fge-start, so that"
                            + " the fourth model ends the run")
    Double fgeCycle;

    @Option(names = "--runs", defaultValue = "2", description = "nets of the independent ensemble, sharing the budget")
    int runs;

    @Option(names = "--swag-samples", defaultValue = "10", description = "nets drawn from SWAG's Gaussian; paper 30")
    int swagSamples;

    @Option(names = "--swag-rank", defaultValue = "20", description = "columns of its low-rank part, the paper's K")
    int swagRank;

    @Option(
            names = "--swag-scale",
            defaultValue = "1",
            description =
                    "of its covariance; 1 is the paper's: half diagonal, half low-rank. The published code's scale is half"
                            + " of it: its 0.5 is 1 here")
    double swagScale;

    @Option(
            names = "--swap-workers",
            defaultValue = "3",
            description =
                    "nets that SWAP trains from one checkpoint, which is trained in batches of --batch-size and not in the"
                            + " paper's large ones")
    int workers;

    Settings settings() {
        boolean grey = !Catalog.find(dataset).name().startsWith("cifar");
        String net = Nets.known(model != null ? model : grey ? "mlp" : "preresnet20");
        double budget = epochs != null ? epochs : grey ? 10 : 30;
        double scheduled = budget - warmUp;
        Augment how = augment != null ? augment : grey ? Augment.NONE : Augment.CROP_FLIP;
        return new Settings(
                dataset,
                net,
                budget,
                batch,
                lr,
                momentum,
                weightDecay,
                nesterov,
                !spareVectors,
                smoothing,
                warmUp,
                how == Augment.CROP_FLIP ? (grey ? 2 : 4) : 0,
                how != Augment.NONE,
                precision,
                validation,
                trainSamples,
                swaStart,
                swaLr,
                swaLow,
                swaCycle != null ? swaCycle : Settings.usualSwaCycle(scheduled, swaStart),
                emaDecay,
                lawa,
                cycles,
                snapshotLr,
                fgeStart,
                fgeHigh,
                fgeLow,
                fgeCycle != null ? fgeCycle : Settings.usualFgeCycle(scheduled, fgeStart),
                runs,
                new Settings.Family(swagSamples, swagRank, swagScale, workers));
    }

    TrainTest load(Progress progress) {
        return DataSets.load(dataset, dataDir, progress);
    }
}
