package io.basin.cli;

import io.basin.Nullable;
import io.basin.compare.Comparison;
import io.basin.data.OwnData;
import io.basin.data.TrainTest;
import io.basin.device.AdamW;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Loss;
import io.basin.io.Notices;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.rounds.Carrier;
import io.basin.rounds.RoundMethods;
import io.basin.rounds.RoundPlan;
import io.basin.rounds.RoundRun;
import io.basin.rounds.Workshop;
import io.basin.text.Closest;
import io.basin.text.Format;
import io.basin.text.Printable;
import io.basin.text.Require;
import io.basin.train.DivergedException;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "rounds",
        description = {
            "Trains one net by several workers that average their weights now and then: local SGD, DiLoCo, SWAP, parallel SWA.",
            "The workers are threads, processes, or any machine that runs 'basin worker DIR' on the job's folder; they come, die and"
                    + " return, and the weights have the same bits. Each computes with one thread unless --threads says otherwise."
        },
        footer = {
            "",
            "Examples:",
            "  basin rounds fashion-mnist --workers 4 --inner-steps 50",
            "  basin rounds fashion-mnist --method diloco --optimizer adamw --workers 4 --inner-steps 100 --carrier processes",
            "  basin rounds fashion-mnist --workers 8 --carrier folder --out /shared/job   and elsewhere: basin worker /shared/job",
            "  basin rounds fashion-mnist --sweep lr=0.01,0.05,0.1",
            "  basin rounds --resume /shared/job"
        })
final class RoundsCommand implements Runnable, Carriers.Carried {
    static final class Names implements Iterable<String> {
        @Override
        public java.util.Iterator<String> iterator() {
            return RoundMethods.names().iterator();
        }
    }

    @Mixin
    private TrainingOptions training;

    @Mixin
    private Flags.Output run;

    @Option(
            names = "--method",
            defaultValue = "local-sgd",
            completionCandidates = Names.class,
            description = "one of ${COMPLETION-CANDIDATES}")
    private String method;

    @Option(names = "--workers", defaultValue = "4", description = "which share the budget")
    private int workers;

    @Option(names = "--inner-steps", defaultValue = "50", description = "steps of each worker in a round")
    private int innerSteps;

    @TrainingOptions.Sets("outer.lr")
    @Option(
            names = "--outer-lr",
            defaultValue = "0.7",
            description = "of diloco: rate of steps along the workers' mean")
    private double outerLr;

    @TrainingOptions.Sets("outer.momentum")
    @Option(names = "--outer-momentum", defaultValue = "0.9", description = "of diloco: its Nesterov momentum")
    private double outerMomentum;

    @Option(
            names = "--switch-at",
            defaultValue = "0.5",
            description = "of post-local-sgd: budget's part in large batches")
    private double switchAt;

    @Option(
            names = "--sweep",
            split = ",",
            paramLabel = "lr=RATE",
            description =
                    "instead of a method: one net a rate, each with the whole budget, such as lr=0.01,0.05,0.1; a rate at which it"
                            + " diverges is a row like the others, and only where all do the command fails; default none")
    private List<String> sweep;

    @Mixin
    private Carriers carriers;

    @Option(names = "--seed", defaultValue = "1", description = "of the weights and of the order of samples")
    private long seed;

    @Mixin
    private Results results;

    @Spec
    private CommandSpec spec;

    /** A row of the results; of a net that diverged without figures of it. */
    record Row(
            String net,
            @Nullable Double accuracy,
            @Nullable Double nll,
            @Nullable Double validationAccuracy,
            long samples,
            long sequentialSteps,
            int rounds,
            long bytesExchanged,
            @Nullable String file,
            @Nullable Long divergedAtStep) {}

    @Override
    public void run() {
        results.require();
        requireMethod();
        RoundFlags.require(spec.commandLine().getParseResult(), sweep == null ? method : RoundFlags.SWEEP);
        carriers.require(run);
        Settings settings = training.settings();
        Bars bars = new Bars();
        TrainTest data = training.load(bars.progress());
        try (Device device = run.open(1);
                Splits splits = Comparison.splits(device, data, settings);
                Model model = new Model(
                        device,
                        net(settings, data).get(),
                        Loss.crossEntropy(settings.smoothing()),
                        settings.precision(),
                        settings.decayEverything())) {
            RoundPlan plan = plan(splits.stepsPerEpoch());
            Configuration configuration = training.fix(run.configuration("rounds", splits), List.of())
                    .fixed(
                            "plan",
                            Map.of("method", plan.name(), "workers", workers, "innerSteps", innerSteps, "seed", seed));
            Workshop workshop = new Workshop(plan, settings, net(settings, data), data, () -> run.open(1));
            try (Claim claim =
                    run.claim(OwnData.label(settings.dataset()) + "-" + settings.model() + "-" + plan.name())) {
                Path folder = claim.folder();
                configuration.keep(folder);
                try (Carrier carrier = carriers.open(folder, workshop, plan.workers())) {
                    announce(plan, splits, carrier, folder);
                    RoundRun job = new RoundRun(folder, workshop, splits, model, run.anyDevice);
                    show(
                            job.run(carrier, bars.progress()),
                            plan,
                            model.graph().parameterCount(),
                            settings.optimizer() instanceof AdamW ? 2 : 1);
                }
            }
        }
    }

    private void requireMethod() {
        training.spent.requireFirstWeights("workers train");
        if (RoundMethods.names().contains(method)) return;
        throw new IllegalArgumentException("--method: " + Closest.unknown("method", method, RoundMethods.names()));
    }

    /** Those of --sweep, as a device computes with them. */
    private List<Double> rates() {
        String all = String.join(",", sweep);
        try {
            if (!all.startsWith("lr=")) throw new NumberFormatException();
            List<Double> rates = Stream.of(all.split(",", -1))
                    .map(word -> Double.valueOf(Require.decimal(word.replaceFirst("^lr=", ""))))
                    .toList();
            rates.forEach(rate -> Require.rate("sweep", rate));
            return rates;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "--sweep takes learning rates, such as lr=0.01,0.05,0.1, got '" + Printable.of(all) + "'", e);
        }
    }

    private static Supplier<Graph> net(Settings settings, TrainTest data) {
        return () ->
                Nets.build(settings.model(), data.test().sample(), data.test().classes());
    }

    /** The plan of these flags. */
    RoundPlan plan(int stepsPerEpoch) {
        Settings settings = training.settings();
        RoundMethods all = new RoundMethods(
                seed, workers, training.budget(), stepsPerEpoch, settings.data().batch());
        if (sweep != null) return all.sweep(rates());
        return switch (method) {
            case "diloco" -> {
                if (!(settings.optimizer() instanceof AdamW)) {
                    Notices.note("the paper's workers train with AdamW: --optimizer adamw");
                }
                yield all.diLoCo(innerSteps, outerLr, outerMomentum);
            }
            case "post-local-sgd" -> all.postLocalSgd(innerSteps, switchAt);
            case "swap" -> all.swap(training.swaStart, training.swaRate(), training.swaLowest());
            case "parallel-swa" -> all.parallelSwa(training.swaStart, training.swaRate());
            case "independent" -> all.independent();
            default -> all.localSgd(innerSteps);
        };
    }

    @Override
    public Flags.On on() {
        return run;
    }

    @Override
    public Workshop shares() {
        requireMethod();
        Settings settings = training.settings();
        TrainTest data = training.load(new Bars().progress());
        int stepsPerEpoch;
        try (Device device = run.open(1);
                Splits splits = Comparison.splits(device, data, settings)) {
            stepsPerEpoch = splits.stepsPerEpoch();
        }
        return new Workshop(plan(stepsPerEpoch), settings, net(settings, data), data, () -> run.open(1));
    }

    private void announce(RoundPlan plan, Splits splits, Carrier carrier, Path folder) {
        double epochs =
                (double) plan.samples(plan.rounds().size()) / splits.trainSet().count();
        System.err.println(Format.of(
                "%s: %d workers, %d rounds, %.1f epochs in all, %d steps one after the other; %s; into %s",
                plan.name(), plan.workers(), plan.rounds().size(), epochs, plan.depth(), carrier.describe(), folder));
    }

    private void show(List<RoundRun.Outcome> outcomes, RoundPlan plan, long parameters, int moments) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < outcomes.size(); i++) {
            RoundRun.Outcome o = outcomes.get(i);
            EpochMetrics v = o.validation();
            boolean diverged = o.file() == null;
            String name =
                    sweep != null ? "lr " + rates().get(i) : outcomes.size() > 1 ? "member " + (i + 1) : plan.name();
            rows.add(new Row(
                    name,
                    diverged ? null : (Double) o.test().accuracy(),
                    diverged ? null : (Double) o.test().meanLoss(),
                    v == null ? null : v.accuracy(),
                    plan.samples(plan.rounds().size()),
                    plan.depth(),
                    plan.rounds().size(),
                    4 * parameters * plan.exchanges(moments),
                    diverged ? null : String.valueOf(o.file()),
                    diverged ? o.test().broken() : null));
        }
        results.write(
                rows,
                () -> Map.of(
                        "method", plan.name(), "workers", plan.workers(), "anyDevice", run.anyDevice, "rows", rows));
        if (results.inWords()) print(rows);
        if (rows.stream().allMatch(r -> r.file() == null))
            throw new DivergedException("all of them diverged: try a smaller `lr` or a `warmUp`");
    }

    private void print(List<Row> rows) {
        System.out.println(Format.of("%-16s %8s %8s %11s", "net", "test %", "NLL", "validation %"));
        for (Row r : rows) {
            String held = r.validationAccuracy() == null ? "n/a" : Format.of("%.2f", 100 * r.validationAccuracy());
            String figures = r.accuracy() == null
                    ? "diverged at step " + r.divergedAtStep()
                    : Format.of("%8.2f %8.4f %11s  %s", 100 * r.accuracy(), r.nll(), held, r.file());
            System.out.println(Format.of("%-16s %s", r.net(), figures));
        }
        System.out.println(Format.of(
                "\n%d samples in %d rounds, %d steps one after the other, %.1f MB to and from workers",
                rows.get(0).samples(),
                rows.get(0).rounds(),
                rows.get(0).sequentialSteps(),
                1e-6 * rows.get(0).bytesExchanged()));
        if (run.anyDevice)
            System.out.println("On devices that round differently (--any-device): another time the bits may differ");
    }
}
