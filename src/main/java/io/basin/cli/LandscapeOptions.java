package io.basin.cli;

import io.basin.compare.Comparison;
import io.basin.data.DataSets;
import io.basin.data.TrainTest;
import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.ensemble.ModelFile;
import io.basin.io.FormatException;
import io.basin.landscape.LandscapeReport;
import io.basin.landscape.Net;
import io.basin.landscape.Terrain;
import io.basin.nn.Nets;
import io.basin.train.ModelCard;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags of everything that looks at trained nets from outside: which data, how much of it, where results go. */
final class LandscapeOptions {
    @Option(
            names = "--data-dir",
            description =
                    "where the data set's files are; else $BASIN_DATA; if neither is set: system, cache, download")
    Path dataDir;

    @Mixin
    OutputOptions output;

    @Mixin
    private NormOptions norms;

    @Option(names = "--batch-size", defaultValue = "128", description = "samples a step; default ${DEFAULT-VALUE}")
    int batch;

    @Option(names = "--validation", defaultValue = "5000", description = "as when the nets were trained: held out")
    int validation;

    @Option(names = "--train-samples", defaultValue = "0", description = "as when the nets were trained; 0 for all")
    int trainSamples;

    @Option(
            names = "--augment",
            description = "of the samples for batch norm's statistics: none, flip or crop_flip; default as in training")
    TrainingOptions.Augment augment;

    @Option(
            names = "--samples",
            defaultValue = "0",
            description = "measure loss and error on so many training and so many test samples; 0 for all")
    int samples;

    @Option(
            names = "--bn-samples",
            defaultValue = "0",
            description =
                    "measure batch-norm statistics on so many training samples, the same at every point; 0 for all")
    int statistics;

    @Option(
            names = "--memory",
            defaultValue = "4",
            description =
                    "GiB for the activations of one pass: where the samples of --bn-samples fit at once, all points"
                            + " share them on the device and a single pass gives exact statistics; default ${DEFAULT-VALUE}")
    double memory;

    @Option(names = "--seed", defaultValue = "1", description = "of what is drawn at random; default ${DEFAULT-VALUE}")
    long seed;

    Terrain.Sampling sampling() {
        return new Terrain.Sampling(samples, statistics, norms.update("exact"), memory);
    }

    /** What {@code command} must have the same when it resumes; nets may be found under other paths, their weights may not differ. */
    Configuration configuration(String command, Settings settings, Site site) {
        List<Net> nets = site.nets();
        return output.configuration(command, site.splits().fingerprint(), site.device())
                .fixed("nets", nets.stream().map(Net::fingerprint).toList())
                .fixed("settings", settings)
                .fixed("sampling", sampling())
                .fixed("seed", seed)
                .free("files", nets.stream().map(n -> n.file().toString()).toList());
    }

    /** Settings of these nets, as in training by default. */
    Settings settings(ModelFile model) {
        return settings(model, new Sgd(0.9, 5e-4, false), true);
    }

    /** The same, of a net that is trained on them. */
    Settings settings(ModelFile model, Sgd optimizer, boolean decayEverything) {
        ModelCard origin = model.origin();
        TrainingOptions.Augment how = augment != null ? augment : augment(origin);
        return new Settings(
                origin.dataset(),
                Nets.known(origin.model()),
                optimizer,
                decayEverything,
                0,
                Precision.FP32,
                how.data(origin.dataset(), batch, validation, trainSamples));
    }

    /**
     * The data that the nets were trained on.
     *
     * @throws IllegalArgumentException where the flags give other data, which shows in its mean and deviation
     */
    Splits splits(Device on, ModelFile model, Settings settings, Bars bars) {
        TrainTest data = DataSets.load(settings.dataset(), dataDir, bars.progress());
        model.requireTrainedOn(data);
        Splits splits = Comparison.splits(on, data, settings);
        Augmentation trained = model.origin().augmentation();
        if (trained.plain().equals(splits.augmentation().plain())) {
            return splits;
        }
        splits.close();
        throw new IllegalArgumentException("--train-samples " + trainSamples + " and --validation " + validation
                + " leave other training images than " + model.file()
                + " was trained on: repeat the flags of its training");
    }

    /** The folder to write into: new and empty, or one to resume. */
    Claim claim(String command, ModelFile model) {
        return output.claim(
                command + "-" + model.origin().dataset() + "-" + model.origin().model());
    }

    /**
     * The nets of a picture, all of one model.
     *
     * @throws IllegalArgumentException naming the two files that differ
     */
    static ModelFile sameModel(List<Path> files) {
        ModelFile first = ModelFile.of(files.get(0));
        for (Path file : files) {
            ModelFile other = ModelFile.of(file);
            ModelCard a = first.origin();
            ModelCard b = other.origin();
            if (b.mean().length == 0) {
                throw new FormatException(
                        file.toString(),
                        "does not say how its samples are normalised; name a file that 'train' or 'compare' wrote");
            }
            if (!b.model().equals(a.model()) || !b.dataset().equals(a.dataset())) {
                throw new IllegalArgumentException(file + " holds " + b.model() + " for " + b.dataset() + ", but "
                        + first.file() + " holds " + a.model() + " for " + a.dataset()
                        + ": nets of different models share no weight space; name files of one model");
            }
            boolean known = !a.data().isEmpty() && !b.data().isEmpty();
            if (!a.augmentation().equals(b.augmentation()) || known && !a.data().equals(b.data())) {
                throw new IllegalArgumentException(
                        file + " was trained on other samples than " + first.file()
                                + ": the data are others, or normalised or augmented differently; name files of runs on the same samples");
            }
        }
        return first;
    }

    /** How samples were augmented in training. */
    private static TrainingOptions.Augment augment(ModelCard card) {
        if (!card.flip()) return TrainingOptions.Augment.NONE;
        return card.pad() > 0 ? TrainingOptions.Augment.CROP_FLIP : TrainingOptions.Augment.FLIP;
    }

    /** Labels each net by method and seed, and by A, B, C where that is not enough. */
    static List<Net> label(List<Path> files) {
        List<Net> nets = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            Net net = new Net(files.get(i).getFileName().toString(), files.get(i));
            String seed = net.header("seed");
            String name = (char) ('A' + i % 26) + ": " + net.method() + (seed.isEmpty() ? "" : ", seed " + seed);
            nets.add(new Net(name, files.get(i)));
        }
        return nets;
    }

    /** @throws IllegalArgumentException if two of the nets are the same */
    static void requireApart(List<Net> nets) {
        Map<String, Net> seen = new HashMap<>();
        for (Net net : nets) {
            Net twin = seen.putIfAbsent(net.fingerprint(), net);
            if (twin == null) continue;
            throw new IllegalArgumentException(
                    twin.file() + " and " + net.file() + " are the same: name files of different nets");
        }
    }

    /** Writes and prints it. */
    void show(LandscapeReport report, Path folder) {
        SelfCheckException.throwIfAny(report.write(folder, System.out));
    }
}
