package io.basin.cli;

import io.basin.Nullable;
import io.basin.compare.Comparison;
import io.basin.data.DataSets;
import io.basin.data.OwnData;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.ensemble.Mergeability;
import io.basin.ensemble.ModelFile;
import io.basin.io.FormatException;
import io.basin.io.OnFailure;
import io.basin.landscape.LandscapeData;
import io.basin.landscape.LandscapeReport;
import io.basin.landscape.Net;
import io.basin.landscape.PointShares;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.rounds.Carrier;
import io.basin.rounds.ShareRun;
import io.basin.rounds.Shares;
import io.basin.text.Format;
import io.basin.text.Printable;
import io.basin.train.BatchNormUpdate;
import io.basin.train.ModelCard;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags of everything that looks at trained nets from outside: which data, how much of it, where results go. */
final class LandscapeOptions extends Flags.Output {
    @Option(names = "--data-dir", description = Flags.DATA_DIR)
    Path dataDir;

    @Mixin
    private Flags.Norms norms;

    @Option(names = "--batch-size", description = "samples a step; default as the first net was trained")
    Integer batch;

    @Option(
            names = "--validation",
            description = "held out of the training set; default as when the first net was trained")
    Integer validation;

    @Option(
            names = "--train-samples",
            description = "of the training set; 0 for all; default as when the first net was trained")
    Integer trainSamples;

    @Option(
            names = "--augment",
            description = "of the samples for batch norm's statistics: none, flip or crop_flip; default as in training")
    AugmentOptions.Augment augment;

    /** Samples that are measured by default. */
    private static final int USUAL = 3000;

    @Option(
            names = "--samples",
            description =
                    "measure loss and error on so many training and so many test samples, always the same ones; 0 for all;"
                            + " default 3000, or as many as there are")
    Integer samples;

    @Option(
            names = "--bn-samples",
            description =
                    "measure batch-norm statistics on so many training samples, the same at every point; 0 for all;"
                            + " default 3000, or as many as there are")
    Integer statistics;

    @Option(
            names = "--memory",
            defaultValue = "4",
            description =
                    "GiB for the activations of one pass: where the samples of --bn-samples fit at once, all points"
                            + " share them on the device and a single pass gives exact statistics")
    double memory;

    @Option(names = "--seed", defaultValue = "1", description = "of what is drawn at random")
    long seed;

    /** Measures points by more than this process. */
    interface Elsewhere {
        /** @param most shares at once that the job has */
        ShareRun in(Path folder, int most);
    }

    /**
     * @param configuration to which a command adds what decides its results
     * @param elsewhere null where this process alone measures
     */
    record Place(
            Settings settings,
            List<Net> nets,
            LandscapeData data,
            Splits splits,
            Configuration configuration,
            Progress progress,
            @Nullable Elsewhere elsewhere) {
        /** The result of {@code work}, which measures points by its argument; null where this process measures them. */
        <T> T measured(Path folder, int most, Function<@Nullable ShareRun, T> work) {
            if (elsewhere == null) return work.apply(null);
            try (ShareRun run = elsewhere.in(folder, most)) {
                T made = work.apply(run);
                run.done();
                return made;
            }
        }
    }

    /** Makes a report; {@code facts} are what it says of its nets, before what the command adds. */
    interface Work {
        LandscapeReport report(Path folder, Map<String, String> facts);
    }

    private static final Sgd UNTRAINED = new Sgd(0.9, 5e-4, false);

    /** The same as the other, for nets that nothing trains. */
    void run(String command, List<Path> files, List<Path> marks, Carriers carriers, Function<Place, Work> plan) {
        run(command, files, marks, carriers, UNTRAINED, true, plan);
    }

    /** Nets of one model and the data that they were trained on. */
    private record Source(List<ModelFile> nets, Settings settings, TrainTest data) {}

    private Source source(List<ModelFile> nets, Sgd optimizer, boolean decayEverything, Progress progress) {
        requireKnown();
        Settings settings = settings(nets.get(0).origin(), optimizer, decayEverything);
        return new Source(nets, settings, DataSets.load(settings.dataset(), dataDir, progress));
    }

    /** The input with which another process measures points between these nets: their headers and the data. */
    Shares shares(List<Path> files) {
        return shares(source(sameModel(files), UNTRAINED, true, Progress.NONE));
    }

    private Shares shares(Source source) {
        return new PointShares(() -> {
            Device device = open(1);
            return OnFailure.close(device, () -> {
                Splits splits = splits(device, source);
                return OnFailure.close(splits, () -> data(source, splits, update(1)));
            });
        });
    }

    private LandscapeData data(Source source, Splits splits, BatchNormUpdate update) {
        Graph net = graph(source.nets().get(0).origin(), splits);
        return new LandscapeData(splits, source.settings(), net, sampling(splits, update));
    }

    /**
     * Reads nets and data, plans the work on them, and does it in a folder of its own, which is made once all has been found to
     * fit.
     *
     * @param files of the nets; {@code marks} of others that a picture shows
     * @param carriers of points that are measured
     * @param optimizer of a net that is trained on the data
     */
    void run(
            String command,
            List<Path> files,
            List<Path> marks,
            Carriers carriers,
            Sgd optimizer,
            boolean decayEverything,
            Function<Place, Work> plan) {
        carriers.require(this);
        List<Path> all = new ArrayList<>(files);
        all.addAll(marks);
        List<ModelFile> models = sameModel(all);
        ModelCard card = models.get(0).origin();
        BatchNormUpdate update = update(files.size());
        List<Net> nets = label(files, marks);
        requireApart(nets);
        Progress progress = new Bars().progress();
        Source source = source(models, optimizer, decayEverything, progress);
        try (Device device = open(carriers.usualThreads());
                Splits splits = splits(device, source);
                LandscapeData data = data(source, splits, update)) {
            data.requireLoadable(all);
            Configuration configuration = configuration(command, splits)
                    .fixed("nets", nets.stream().map(Net::fingerprint).toList())
                    .fixed("settings", source.settings())
                    .fixed("sampling", sampling(splits, update))
                    .fixed("seed", seed)
                    .free("files", nets.stream().map(n -> n.file().toString()).toList());
            Work work = plan.apply(new Place(
                    source.settings(), nets, data, splits, configuration, progress, elsewhere(carriers, source)));
            try (Claim claim = claim(command + "-" + OwnData.label(card.dataset()) + "-" + card.model())) {
                configuration.keep(claim.folder());
                LandscapeReport report = work.report(claim.folder(), facts(nets, card, configuration));
                Complaint.SelfCheckException.throwIfAny(
                        report.write(claim.folder(), System.out, HowMade.of(configuration, claim.folder())));
            }
        }
    }

    private BatchNormUpdate update(int nets) {
        BatchNormUpdate update = norms.update("exact");
        if (!update.keeps() || nets == 1) return update;
        throw new IllegalArgumentException(
                "--bn-update keep: only around one net; points between nets need statistics of their own");
    }

    /** Opens who measures points of a job of so many shares in its folder; null where this process does. */
    private @Nullable Elsewhere elsewhere(Carriers carriers, Source source) {
        if (!carriers.are()) return null;
        return (folder, most) -> {
            Shares shares = shares(source);
            return new ShareRun(folder, shares, anyDevice, () -> {
                Carrier opened = carriers.open(folder, shares, most);
                System.err.println("measured by " + opened.describe() + "; into " + folder);
                return opened;
            });
        };
    }

    private static Map<String, String> facts(List<Net> nets, ModelCard card, Configuration configuration) {
        Map<String, String> facts = new LinkedHashMap<>();
        for (Net net : nets) facts.put(net.label(), net.file().toString());
        facts.put("net", card.model() + " on " + Printable.of(card.dataset()));
        if (card.labelNoise() > 0) {
            facts.put(
                    "training labels", Format.of("%.3g %% of them wrong, as in its training", 100 * card.labelNoise()));
        }
        facts.put("device", configuration.mixed());
        return facts;
    }

    /** A few thousand samples show a landscape in minutes, and say how far off they may be. */
    private LandscapeData.Sampling sampling(Splits splits, BatchNormUpdate update) {
        int train = splits.trainSet().count();
        int few = Math.min(train, splits.testSet().count());
        return new LandscapeData.Sampling(
                samples != null
                        ? samples
                        : Math.max(train, splits.testSet().count()) <= USUAL ? 0 : Math.min(few, USUAL),
                statistics != null ? statistics : train <= USUAL ? 0 : USUAL,
                update,
                memory);
    }

    private static Graph graph(ModelCard card, Splits splits) {
        return Nets.build(
                card.model(), splits.train().sample(), splits.testSet().classes());
    }

    private Settings settings(ModelCard card, Sgd optimizer, boolean decayEverything) {
        AugmentOptions.Augment how = augment != null ? augment : augment(card);
        boolean own = OwnData.isNamed(card.dataset());
        int held = validation != null ? validation : card.validation();
        int step = batch != null ? batch : card.batch();
        int used = trainSamples != null ? trainSamples : card.trainSamples();
        int usual = own ? 1 : card.dataset().startsWith("cifar") ? 4 : 2;
        int pad = card.pad() > 0 ? card.pad() : usual;
        return new Settings(
                card.dataset(),
                Nets.known(card.model()),
                optimizer,
                decayEverything,
                0,
                Precision.FP32,
                how.data(pad, step, held, used, card.labelNoise(), card.distortion()));
    }

    /** The data that the nets were trained on. */
    private static Splits splits(Device on, Source source) {
        ModelFile model = source.nets().get(0);
        source.nets().forEach(net -> net.requireTrainedOn(source.data()));
        Splits splits = Comparison.splits(on, source.data(), source.settings());
        if (model.origin().augmentation().plain().equals(splits.augmentation().plain())) return splits;
        splits.close();
        Settings.Data cut = source.settings().data();
        throw new IllegalArgumentException("--train-samples " + cut.trainSamples() + " and --validation "
                + cut.validation() + " leave other training images than " + model.file()
                + " was trained on: repeat the flags of its training");
    }

    /** The nets of a picture, all of one model. */
    private static List<ModelFile> sameModel(List<Path> files) {
        List<ModelFile> all = files.stream().map(ModelFile::of).toList();
        ModelFile first = all.get(0);
        Mergeability.requireSameNet(all);
        for (ModelFile other : all) {
            Path file = other.file();
            other.requireData();
            ModelCard a = first.origin();
            ModelCard b = other.origin();
            if (b.mean().length == 0) {
                throw new FormatException(
                        file.toString(),
                        "does not say how its samples are normalised; name a file that 'train' or 'compare' wrote");
            }
            if (a.labelNoise() != b.labelNoise()) {
                throw new IllegalArgumentException(
                        file + " was trained with a share of " + b.labelNoise()
                                + " wrong labels, " + first.file() + " with " + a.labelNoise()
                                + ": their training losses are of different labels; name files of runs with the same --label-noise");
            }
            boolean known = !a.data().isEmpty() && !b.data().isEmpty();
            if (!a.augmentation().equals(b.augmentation()) || known && !a.data().equals(b.data())) {
                throw new IllegalArgumentException(
                        file + " was trained on other samples than " + first.file()
                                + ": the data are others, or normalised or augmented differently; name files of runs on the same samples");
            }
        }
        return all;
    }

    /** How samples were augmented in training. */
    private static AugmentOptions.Augment augment(ModelCard card) {
        if (!card.flip()) return AugmentOptions.Augment.NONE;
        return card.pad() > 0 ? AugmentOptions.Augment.CROP_FLIP : AugmentOptions.Augment.FLIP;
    }

    /** Labels each net by a letter, its method and seed, and by its file's name where another of the picture has these too. */
    static List<Net> label(List<Path> files, List<Path> marks) {
        List<String> names = Stream.concat(files.stream(), marks.stream())
                .distinct()
                .map(LandscapeOptions::methodAndSeed)
                .toList();
        List<Net> nets = new ArrayList<>();
        for (Path file : files) {
            String name = methodAndSeed(file);
            if (Collections.frequency(names, name) > 1) {
                name += ", " + file.getFileName().toString().replace(".safetensors", "");
            }
            nets.add(new Net((char) ('A' + nets.size() % 26) + ": " + name, file));
        }
        return nets;
    }

    private static String methodAndSeed(Path file) {
        Net net = new Net(file.getFileName().toString(), file);
        String seed = net.header("seed");
        return net.method() + (seed.isEmpty() ? "" : ", seed " + seed);
    }

    /** @throws IllegalArgumentException if two of the nets are the same */
    private static void requireApart(List<Net> nets) {
        Map<String, Net> seen = new HashMap<>();
        for (Net net : nets) {
            Net twin = seen.putIfAbsent(net.fingerprint(), net);
            if (twin == null) continue;
            throw new IllegalArgumentException(
                    twin.file() + " and " + net.file() + " are the same: name files of different nets");
        }
    }
}
