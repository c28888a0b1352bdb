package io.basin.cli;

import io.basin.compare.Comparison;
import io.basin.compare.Material;
import io.basin.data.Augmentation;
import io.basin.data.DataSets;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.geometry.Net;
import io.basin.geometry.Terrain;
import io.basin.io.Safetensors;
import io.basin.models.Lenience;
import io.basin.models.StoredModel;
import io.basin.text.Printable;
import io.basin.text.Reason;
import io.basin.train.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
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
    DeviceOptions on;

    @Option(names = "--out", description = "folder for results; default runs/COMMAND-DATASET-MODEL-TIME")
    Path out;

    @Option(names = "--resume", description = "go on in this folder; repeat its other flags")
    Path resume;

    @Option(names = "--any-device", description = "resume on another device or thread count; the bits will differ")
    boolean anyDevice;

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
            names = "--bn-update",
            defaultValue = "exact",
            description =
                    "exact (layer by layer; deep nets take long), single (one pass), or auto: exact up to 24 batch"
                            + " norms; default ${DEFAULT-VALUE}")
    String refresh;

    @Option(
            names = "--memory",
            defaultValue = "4",
            description =
                    "GiB for the activations of one pass: where the samples of --bn-samples fit at once, all points"
                            + " share them on the device and a single pass gives exact statistics; default ${DEFAULT-VALUE}")
    double memory;

    @Option(names = "--bn-plain", description = "measure batch-norm statistics without augmentation")
    boolean plainRefresh;

    @Option(names = "--seed", defaultValue = "1", description = "of what is drawn at random; default ${DEFAULT-VALUE}")
    long seed;

    Terrain.Sampling sampling() {
        return new Terrain.Sampling(samples, statistics, refresh, plainRefresh, memory);
    }

    /** What {@code command} must have the same when it resumes; nets may be found under other paths, their weights may not differ. */
    Configuration configuration(String command, Settings settings, Site site) {
        List<Net> nets = site.nets();
        return new Configuration(command)
                .data(site.material().fingerprint())
                .device(site.device().describe(), anyDevice)
                .fixed("nets", nets.stream().map(Net::fingerprint).toList())
                .fixed("settings", settings)
                .fixed("sampling", sampling())
                .fixed("seed", seed)
                .free("files", nets.stream().map(n -> n.file().toString()).toList());
    }

    /** Settings of these nets; what a landscape has no flag for is as in training by default. */
    Settings settings(Model model, String... training) {
        List<String> args = new ArrayList<>(List.of(
                model.dataset(),
                "--model=" + model.net(),
                "--batch-size=" + batch,
                "--validation=" + validation,
                "--train-samples=" + trainSamples));
        args.add("--augment=" + (augment != null ? augment : model.augment()));
        args.addAll(List.of(training));
        return CommandLine.populateCommand(new TrainingOptions(), args.toArray(String[]::new))
                .settings();
    }

    /**
     * The data that the nets were trained on.
     *
     * @throws IllegalArgumentException where the flags give other data, which shows in its mean and deviation
     */
    Material material(Device on, Model model, Settings settings, Bars bars) {
        TrainTest data = DataSets.load(settings.dataset(), dataDir, bars.progress());
        StoredModel.of(model.file()).requireTrainedOn(data, Lenience.NONE);
        Material material = Comparison.material(on, data, settings);
        Augmentation trained = model.augmentation();
        if (Arrays.equals(trained.mean(), material.mean()) && Arrays.equals(trained.std(), material.std())) {
            return material;
        }
        material.close();
        throw new IllegalArgumentException("--train-samples " + trainSamples + " and --validation " + validation
                + " leave other training images than " + model.file()
                + " was trained on: repeat the flags of its training");
    }

    /** The folder to write into: new and empty, or one to resume. */
    Claim claim(String command, Model model) {
        return Claim.of(command + "-" + model.dataset() + "-" + model.net(), out, resume);
    }

    /**
     * The nets of a picture, all of one model.
     *
     * @throws IllegalArgumentException naming the two files that differ
     */
    static Model sameModel(List<Path> files) {
        Model first = Model.of(files.get(0));
        for (Path file : files) {
            Model other = Model.of(file);
            if (!other.net().equals(first.net()) || !other.dataset().equals(first.dataset())) {
                throw new IllegalArgumentException(file + " holds " + other.net() + " for " + other.dataset() + ", but "
                        + first.file() + " holds " + first.net() + " for " + first.dataset()
                        + ": nets of different models share no weight space; name files of one model");
            }
            if (!other.reads(first)) {
                throw new IllegalArgumentException(
                        file + " was trained on other samples than " + first.file()
                                + ": the data are others, or normalised or augmented differently; name files of runs on the same samples");
            }
        }
        return first;
    }

    /** Labels each net by method and seed, and by A, B, C where that is not enough. */
    static List<Net> label(List<Path> files) {
        List<Net> nets = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            Map<String, String> header = header(files.get(i));
            String method = header.get("method") == null ? null : Printable.of(header.get("method"), 40);
            String seed = seed(files.get(i));
            String what = method == null ? files.get(i).getFileName().toString() : method;
            String name = (char) ('A' + i % 26) + ": " + what + (seed.isEmpty() ? "" : ", seed " + seed);
            nets.add(new Net(name, files.get(i)));
        }
        return nets;
    }

    /** The seed that a file's header names; empty if none. */
    static String seed(Path file) {
        return Printable.of(header(file).getOrDefault("seed", ""), 40);
    }

    /** The initialisation that a file's header names; empty if none. */
    static String init(Path file) {
        return Printable.of(header(file).getOrDefault("init", ""));
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

    static Path make(Path folder) {
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("--out: cannot make the folder " + folder + " (" + Reason.of(e) + ")", e);
        }
    }

    static Map<String, String> header(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            return in.metadata();
        }
    }
}
