package io.basin.cli;

import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.device.AdamW;
import io.basin.device.Optimizer;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.methods.Baseline;
import io.basin.methods.Budget;
import io.basin.methods.Ema;
import io.basin.methods.Fge;
import io.basin.methods.Independent;
import io.basin.methods.Lawa;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.methods.Methods;
import io.basin.methods.Remarks;
import io.basin.methods.Snapshot;
import io.basin.methods.Swa;
import io.basin.methods.SwaCyclic;
import io.basin.methods.Swag;
import io.basin.methods.Swap;
import io.basin.methods.Tail;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags that decide what is computed, with defaults that depend on the data set's images. */
final class TrainingOptions {
    /** The parameters, as the engine's messages and config.json name them, that a flag sets, where they are not called like its field. */
    @Retention(RetentionPolicy.RUNTIME)
    @interface Sets {
        String[] value();
    }

    @Mixin
    DataOptions from;

    @Option(
            names = "--model",
            completionCandidates = Known.Nets.class,
            description =
                    "one of ${COMPLETION-CANDIDATES}, of their families such as vgg13-bn and wrn-16-4, or the class of a net of your own; default mlp for grey images, else preresnet20")
    String model;

    @Option(names = "--epochs", description = "the budget of each method; default 10, colour images 30")
    Double epochs;

    @Option(names = "--batch-size", defaultValue = "128", description = "samples a step; default ${DEFAULT-VALUE}")
    int batch;

    @Option(names = "--lr", description = "initial learning rate; default 0.05, of adamw 0.001")
    Double lr;

    enum Rule {
        SGD,
        ADAMW
    }

    @Sets("optimizer")
    @Option(
            names = "--optimizer",
            defaultValue = "SGD",
            description =
                    "sgd, or adamw, for which every rate that is not given is a fiftieth of what is named here; default sgd")
    Rule rule;

    @Option(names = "--momentum", description = "of sgd; default 0.9")
    Double momentum;

    @Option(names = "--nesterov", description = "Nesterov's momentum, of sgd")
    boolean nesterov;

    @Option(names = "--beta1", description = "decay of adamw's mean of gradients; default 0.9")
    Double beta1;

    @Option(names = "--beta2", description = "decay of adamw's mean of their squares; default 0.999")
    Double beta2;

    @Option(names = "--eps", description = "what adamw adds to their root; default 1e-8")
    Double eps;

    @Option(names = "--wd", description = "weight decay; default 5e-4, of adamw, where it is decoupled, 0.01")
    Double weightDecay;

    @Sets("decayEverything")
    @Option(names = "--no-decay-vectors", description = "spare biases and batch norm from weight decay")
    boolean spareVectors;

    @Option(names = "--label-smoothing", defaultValue = "0", description = "default ${DEFAULT-VALUE}")
    double smoothing;

    @Option(names = "--warmup", defaultValue = "0", description = "epochs of linear warm-up, part of the budget")
    double warmUp;

    @Mixin
    AugmentOptions changed;

    @Option(
            names = "--precision",
            defaultValue = "FP32",
            description = {
                "fp32: float32, on a GPU with convolutions in TF32, as PyTorch does by default",
                "strict: float32 throughout",
                "tf32: as fp32, and refused where there is no TF32",
                "bf16: bfloat16 values and products, where the device has them",
                "Weights and sums are float32 in all of them; default fp32"
            })
    Precision precision;

    @Option(
            names = "--validation",
            description =
                    "samples held out of the training set; 0 trains on all, as the papers' tables do: no validation curve, nothing"
                            + " chosen or fitted; default 5000, of your own data a tenth or their validation part")
    Integer validation;

    @Option(names = "--train-samples", defaultValue = "0", description = "train on so many only; 0 for all")
    int trainSamples;

    @Option(
            names = "--label-noise",
            defaultValue = "0",
            description = "share of the training samples that get a wrong label, the same ones for every seed")
    double labelNoise;

    @Option(
            names = "--tune",
            description =
                    "measure on as many training samples as --validation says, cut off before, and not on the test"
                            + " set: for choosing flags, which the test set must not do")
    boolean tune;

    @Sets({"swa.start", "swa-cyclic.start", "tail.start", "swap.start"})
    @Option(names = "--swa-start", defaultValue = "0.75", description = "fraction of the budget before averaging")
    double swaStart;

    @Sets({"swa.lr", "swa-cyclic.high", "tail.lr", "swap.lr"})
    @Option(names = "--swa-lr", description = "SWA's rate, highest one of cyclic SWA; default 0.01")
    Double swaLr;

    @Sets({"swa-cyclic.low", "swap.low"})
    @Option(names = "--swa-low", description = "lowest rate of cyclic SWA; default 0.001")
    Double swaLow;

    @Sets({"swa.cycle", "swa-cyclic.cycle"})
    @Option(
            names = "--swa-cycle",
            description = "epochs between SWA's collections; default a tenth of what follows --swa-start")
    Double swaCycle;

    @Sets("ema.decay")
    @Option(names = "--ema-decay", defaultValue = "0.999", description = "of the exponential average, per step")
    double emaDecay;

    @Sets("lawa.epochs")
    @Option(
            names = {"--lawa-epochs", "--lawa"},
            defaultValue = "3",
            description = "epochs that LAWA averages, the last ones")
    int lawa;

    @Sets("snapshot.cycles")
    @Option(
            names = {"--snapshot-cycles", "--cycles"},
            defaultValue = "3",
            description = "snapshots of the snapshot ensemble")
    int cycles;

    @Sets("snapshot.lr")
    @Option(names = "--snapshot-lr", description = "highest rate of its cosines; default 0.1")
    Double snapshotLr;

    @Sets("fge.start")
    @Option(names = "--fge-start", defaultValue = "0.8", description = "fraction of the budget before FGE's triangles")
    double fgeStart;

    @Sets("fge.high")
    @Option(
            names = {"--fge-lr-high", "--lr-1"},
            description = "FGE's highest rate; default 0.02")
    Double fgeHigh;

    @Sets("fge.low")
    @Option(
            names = {"--fge-lr-low", "--lr-2"},
            description = "FGE's lowest rate; default 0.0005")
    Double fgeLow;

    @Sets("fge.cycle")
    @Option(
            names = {"--fge-cycle", "--cycle"},
            description =
                    "epochs of one FGE triangle, a model in its middle; default 2/7 of what follows --fge-start, so that"
                            + " the fourth model ends the run")
    Double fgeCycle;

    @Sets("independent.runs")
    @Option(
            names = {"--independent-runs", "--runs"},
            defaultValue = "2",
            description = "nets of the independent ensemble, sharing the budget")
    int runs;

    @Sets("swag.samples")
    @Option(names = "--swag-samples", defaultValue = "10", description = "nets drawn from SWAG's Gaussian; paper 30")
    int swagSamples;

    @Sets("swag.rank")
    @Option(
            names = "--swag-rank",
            defaultValue = "20",
            description = "columns of its low-rank part, the paper's K; 0 for SWAG-diagonal")
    int swagRank;

    @Sets("swag.scale")
    @Option(
            names = "--swag-scale",
            defaultValue = "1",
            description =
                    "of its covariance; 1 is the paper's: half diagonal, half low-rank. The published code's scale is half"
                            + " of it: its 0.5 is 1 here")
    double swagScale;

    @Sets("swap.workers")
    @Option(
            names = "--swap-workers",
            defaultValue = "3",
            description =
                    "nets that SWAP trains from one checkpoint, which is trained in batches of --batch-size and not in the"
                            + " paper's large ones")
    int workers;

    @Mixin
    AveragingOptions averages;

    @Mixin
    BudgetOptions spent;

    Settings settings() {
        boolean grey = from.simple();
        String net = Nets.known(model != null ? model : grey ? "mlp" : "preresnet20");
        AugmentOptions.Augment usual = grey ? AugmentOptions.Augment.NONE : AugmentOptions.Augment.CROP_FLIP;
        AugmentOptions.Augment how = changed.augment != null ? changed.augment : usual;
        return new Settings(
                from.name(),
                net,
                optimizer(),
                !spareVectors,
                smoothing,
                precision,
                how.data(
                        from.pad(),
                        batch,
                        from.validation(validation),
                        trainSamples,
                        labelNoise,
                        changed.distortion()));
    }

    private Optimizer optimizer() {
        boolean adamw = rule == Rule.ADAMW;
        require(!adamw, "--momentum", momentum != null, "sgd");
        require(!adamw, "--nesterov", nesterov, "sgd");
        require(adamw, "--beta1", beta1 != null, "adamw");
        require(adamw, "--beta2", beta2 != null, "adamw");
        require(adamw, "--eps", eps != null, "adamw");
        if (!adamw) return new Sgd(or(momentum, 0.9), or(weightDecay, 5e-4), nesterov);
        return new AdamW(or(beta1, 0.9), or(beta2, 0.999), or(eps, 1e-8), or(weightDecay, 0.01));
    }

    /** Refuses flags that would have no effect. */
    private static void require(boolean ours, String flag, boolean given, String whose) {
        if (given && !ours) {
            throw new IllegalArgumentException(flag + " is of --optimizer " + whose + ": leave it out, or choose that");
        }
    }

    private static double or(Double given, double usual) {
        return given != null ? given : usual;
    }

    /** AdamW's steps do not shrink with the gradients. */
    private double rate(Double given, double usual) {
        return or(given, rule == Rule.ADAMW ? usual / 50 : usual);
    }

    Budget budget() {
        return spent.of(new Budget(epochs != null ? epochs : from.simple() ? 10 : 30, rate(lr, 0.05), warmUp));
    }

    /** SWA's rate, at which SWAP's workers begin. */
    double swaRate() {
        return rate(swaLr, 0.01);
    }

    /** The rate at which SWAP's workers end. */
    double swaLowest() {
        return rate(swaLow, 0.001);
    }

    /** Every method as its flags say. */
    Methods methods() {
        double swaEpochs = swaCycle != null ? swaCycle : Swa.usualCycle(budget(), swaStart);
        double fgeEpochs = fgeCycle != null ? fgeCycle : Fge.usualCycle(budget(), fgeStart);
        double high = swaRate();
        double low = swaLowest();
        Swa swa = new Swa(swaStart, high, swaEpochs);
        List<MethodSettings> all = new ArrayList<>(List.of(
                new Baseline(),
                new Ema(emaDecay),
                swa,
                new SwaCyclic(swaStart, high, low, swaEpochs),
                new Lawa(lawa),
                new Tail(swaStart, high),
                new Swag(swa, swagSamples, swagRank, swagScale),
                new Swap(swaStart, high, low, workers),
                new Snapshot(cycles, rate(snapshotLr, 0.1)),
                new Fge(fgeStart, rate(fgeHigh, 0.02), rate(fgeLow, 0.0005), fgeEpochs),
                new Independent(runs)));
        all.addAll(averages.methods());
        return new Methods(all);
    }

    /** Methods planned for an epoch of so many steps; each once, however often it is named. */
    List<Method> plan(List<String> names, int stepsPerEpoch) {
        Methods all = methods();
        return names.stream()
                .distinct()
                .map(n -> all.named(n).plan(budget(), stepsPerEpoch))
                .toList();
    }

    /** The net that --model names, for these images. */
    Supplier<Graph> net(Splits splits) {
        String net = settings().model();
        Dataset like = splits.testSet();
        return () -> Nets.build(net, like.sample(), like.classes());
    }

    /** Prints where plans differ from what was asked; returns these sentences. */
    List<String> remark(List<Method> plans, int stepsPerEpoch, Consumer<String> say) {
        Stream<String> ofMethods = plans.stream().flatMap(m -> Remarks.of(m).stream());
        List<String> budget = Remarks.of(budget().epochs(), stepsPerEpoch);
        return FlagNames.say(Stream.concat(budget.stream(), ofMethods).toList(), say);
    }

    /** Adds the values that must not change when a run resumes. */
    Configuration fix(Configuration configuration, List<String> methods) {
        Map<String, Object> settings = new LinkedHashMap<>();
        Methods all = methods();
        for (String name : methods) {
            MethodSettings method = all.named(name);
            // A class of the caller's own need not be a record, whose components are its settings.
            Object said = method instanceof Record ? method : method.getClass().getName();
            if (!(method instanceof Baseline)) settings.put(method.name(), said);
        }
        return configuration
                .fixed("optimizer", rule)
                .fixed("settings", settings())
                .fixed("budget", budget())
                .fixed("methodSettings", settings);
    }

    TrainTest load(Progress progress) {
        TrainTest published = from.load(progress);
        boolean vectors = published.train().sample().elements()
                == published.train().sample().dim(0);
        if (vectors) changed.requireNoPictures();
        if (!tune) return published;
        int cut = from.validation(validation);
        if (cut == 0) {
            throw new IllegalArgumentException(
                    "--tune measures on as many samples as --validation says, and that is 0");
        }
        return TrainTest.of(published.train(), cut);
    }

    /** In words, the data that results are measured on. */
    String measuredOn() {
        return tune ? "a part of the training set (--tune)" : "the test set";
    }
}
