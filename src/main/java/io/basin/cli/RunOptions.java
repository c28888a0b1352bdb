package io.basin.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.Nullable;
import io.basin.compare.Comparison;
import io.basin.compare.Monitor;
import io.basin.compare.Options;
import io.basin.compare.Start;
import io.basin.data.OwnData;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Loss;
import io.basin.io.Folders;
import io.basin.io.Json;
import io.basin.io.Notices;
import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import io.basin.report.HtmlReport;
import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.text.Format;
import io.basin.text.Printable;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import io.basin.train.Training;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags that decide where and how methods are trained, and not what is computed. */
final class RunOptions extends Flags.Output {
    @Mixin
    private Flags.Norms norms;

    @Option(names = "--checkpoint-every", defaultValue = "0", description = "steps between checkpoints within an epoch")
    private int checkpointEvery;

    @Option(names = "--keep-samples", description = "write SWAG's samples as weights files, for 'basin ensemble'")
    private boolean keepsSamples;

    @Option(
            names = "--data-memory",
            description =
                    "GiB of the device's memory for the samples of a part, training, validation or test: those of a larger part"
                            + " stream from the host's memory in blocks, with the same results; default half of what is free")
    private Double dataMemory;

    enum Keep {
        RESULTS,
        ALL
    }

    @Option(
            names = "--keep",
            defaultValue = "RESULTS",
            description =
                    "results: reports, nets and their members; all: checkpoints of what has ended too, for --from and"
                            + " to measure more later without training again; default results")
    private Keep keep;

    /** Trains runs elsewhere than in this process. */
    static final class Executors {
        @Option(
                names = "--spark",
                paramLabel = "MASTER",
                description =
                        "train the runs on executors of Apache Spark, each with one thread unless --threads says otherwise:"
                                + " local[2], spark://host:7077, or submit for the one that spark-submit names; default this process")
        private String spark;

        boolean are() {
            return spark != null;
        }

        /** Threads where the flag does not say: an executor's have to be the driver's. */
        private int usualThreads() {
            return spark == null ? 0 : 1;
        }
    }

    /** A command that trains methods, as another process takes it up again. */
    interface Trains {
        Flagged flagged();
    }

    /**
     * The flags of such a command.
     *
     * @param probes null where it has none
     */
    record Flagged(TrainingOptions training, RunOptions run, Executors executors, Flags.@Nullable Probes probes) {
        Options options(Splits splits, Progress progress) {
            return probes == null ? run.options() : probes.add(run.options(), splits.testSet(), progress);
        }
    }

    /**
     * Computes one of a comparison's runs from the words of its command.
     *
     * @param place an empty folder of this process
     * @param given as of {@link Flags.On#givenBy}
     */
    static void unit(List<String> words, Comparison.Unit unit, Path place, Supplier<String> given) {
        Flagged command = ((Trains) Main.parsed(words)).flagged();
        command.run().givenBy(given);
        TrainingOptions training = command.training();
        try (Device device = command.run().open(command.executors().usualThreads());
                Splits splits = Comparison.splits(device, training.load(Progress.NONE), training.settings())) {
            Comparison comparison = new Comparison(
                    splits,
                    training.settings(),
                    training.net(splits),
                    training.plan(unit.methods(), splits.stepsPerEpoch()),
                    new long[] {unit.seed()},
                    place,
                    command.options(splits, Progress.NONE),
                    Monitor.NONE);
            Start start = training.spent.start();
            if (start != null) comparison.startingFrom(start);
            comparison.run("", Map.of());
        }
    }

    Options options() {
        Options options = new Options(checkpointEvery, norms.update("auto"));
        if (keepsSamples) options = options.keepingSamples();
        return keep == Keep.ALL ? options : options.droppingCheckpoints();
    }

    /**
     * Methods about to be trained in a folder.
     *
     * @param remarks where plans differ from what was asked
     * @param configuration what a run must have the same when it resumes, but for methods and seeds
     */
    record Work(
            TrainingOptions training,
            Splits splits,
            List<Method> plan,
            List<String> remarks,
            Configuration configuration,
            Path folder,
            Bars bars,
            @Nullable String spark) {
        /** The fewest steps whose time is estimated. */
        private static final int WORTH_TIMING = 1000;

        private static final int TIMED = 20;
        private static final double LONG_ENOUGH = 0.5;

        /** @param title what follows data set and net in the report's */
        Summary compare(long[] seeds, Options options, String title, Recording recording) {
            Settings settings = training.settings();
            announce(seeds.length, options.keepsCheckpoints());
            Comparison comparison =
                    new Comparison(splits, settings, training.net(splits), plan, seeds, folder, options, bars);
            Start start = training.spent.start();
            if (start != null) comparison.startingFrom(start);
            recording.begin(comparison);
            if (spark != null)
                Spark.train(comparison.unfinished(), configuration.words(), folder, spark, bars.progress());
            return comparison
                    .run(OwnData.label(settings.dataset()) + ", " + settings.model() + title, facts(seeds.length))
                    .and(configuration.mixture());
        }

        private Map<String, String> facts(int seeds) {
            Settings s = training.settings();
            Map<String, String> facts = new LinkedHashMap<>();
            facts.put(
                    "data",
                    Printable.of(s.dataset()) + ": " + splits.trainSet().count() + " training, "
                            + s.data().validation() + " validation, "
                            + splits.testSet().count() + " test samples"
                            + (splits.streams(Splits.Part.TRAIN) ? ", streamed from the host" : "")
                            + (training.tune ? " of " + training.measuredOn() : ""));
            facts.put("net", s.model() + ", " + s.precision().on(splits.device()));
            facts.put(
                    "budget",
                    training.budget().epochs() + " epochs for each method, batches of "
                            + s.data().batch());
            facts.put("seeds", Integer.toString(seeds));
            facts.put("device", configuration.mixed());
            if (!remarks.isEmpty()) facts.put("notes", String.join("; ", remarks));
            return facts;
        }

        /**
         * Writes the report and all that was asked for; prints the table.
         *
         * @param more of what people read below the table
         */
        void show(Summary summary, ResultTable table, Results results, Recording recording, Runnable more) {
            Path report = folder.resolve("report.html");
            ObjectNode all = ((ObjectNode) Json.tree(summary))
                    .put(Configuration.IDENTITY, configuration.identity())
                    .put("conclusion", table.conclusion());
            Json.sealFields(folder.resolve("results.json"), all, "rows", Configuration.IDENTITY);
            HtmlReport.write(report, summary, table, HowMade.of(configuration, folder));
            recording.end(folder);
            results.write(
                    table.figures(),
                    () -> Map.of(
                            "title", summary.title(),
                            "facts", summary.facts(),
                            "conclusion", table.conclusion(),
                            "table", table.figures(),
                            "rows", summary.rows()));
            if (!results.inWords()) {
                System.err.println("Report: " + report);
            } else {
                System.out.println(
                        summary.title() + ": " + summary.facts().get("budget") + ", on " + training.measuredOn());
                System.out.println();
                System.out.print(Terminal.folded(table.text()));
                more.run();
                System.out.print(HtmlReport.text(summary.evidence()));
                System.out.println(Format.of("Report: %s (the folder: %.1f MB)", report, 1e-6 * Folders.size(folder)));
            }
            Complaint.SelfCheckException.throwIfAnyFailed(summary.evidence());
        }

        /** Of a few steps of the net, after those that warm up. */
        private double secondsPerStep() {
            Schedule still = Schedule.constant(TIMED, 1e-9);
            try (Model model = new Model(
                            splits.device(),
                            training.net(splits).get(),
                            Loss.crossEntropy(0),
                            training.settings().precision());
                    Training trial = new Training(
                            model,
                            splits.train(),
                            splits.reader(1),
                            training.settings().optimizer(),
                            still,
                            Averaging.none(TIMED))) {
                double best = Double.POSITIVE_INFINITY;
                double spent = 0;
                for (int i = 0; i < TIMED && (i < 2 || spent < LONG_ENOUGH); i++) {
                    double seconds = 1e-3 * splits.device().milliseconds(trial::advance);
                    spent += seconds;
                    if (i > 0) best = Math.min(best, seconds);
                }
                return best;
            }
        }

        /** Announces the work, its amount and its folder; on stderr, like everything that is not a result. */
        private void announce(int seeds, boolean checkpoints) {
            Comparison.Effort effort = Comparison.Effort.of(plan);
            bars.expect(seeds * effort.runs(), seeds * effort.steps());
            double epochs = (double) seeds * effort.steps() / splits.stepsPerEpoch();
            long models = seeds * effort.models()
                    + Comparison.Effort.CHECKPOINT * (checkpoints ? (long) seeds * effort.runs() : 1);
            double megabytes = 4e-6 * training.net(splits).get().parameterCount() * models;
            long steps = seeds * effort.steps();
            System.err.println(Format.of(
                    "%d %s, %d %s: %d %s, %.0f epochs in all%s; about %.0f MB into %s",
                    plan.size(),
                    plan.size() == 1 ? "method" : "methods",
                    seeds,
                    seeds == 1 ? "seed" : "seeds",
                    seeds * effort.runs(),
                    seeds * effort.runs() == 1 ? "run" : "runs",
                    epochs,
                    steps < WORTH_TIMING ? "" : ", about " + BarLine.time(steps * secondsPerStep()) + " of training",
                    Math.ceil(megabytes),
                    folder));
        }
    }

    /** @param name follows those of data set and net in the folder's name */
    void train(
            TrainingOptions training,
            List<String> methods,
            String command,
            String name,
            Executors executors,
            Consumer<Work> work) {
        Settings settings = training.settings();
        Bars bars = new Bars();
        try (Device device = open(executors.usualThreads());
                Splits splits = Comparison.splits(device, training.load(bars.progress()), settings)) {
            if (dataMemory != null) splits.holding((long) (dataMemory * (1L << 30)));
            String how = settings.precision().on(device);
            if (!how.equals("fp32")) Notices.note("computing in " + how);
            // Planned before a folder is made: a flag at fault leaves nothing behind.
            List<Method> plan = training.plan(methods, splits.stepsPerEpoch());
            if (!splits.holdsOut()) Notices.note(FlagNames.said(Splits.NOTHING));
            Start start = training.spent.start();
            if (start != null) {
                start.requireFits(settings, splits);
                start.requireLoadable(device, training.net(splits).get());
            }
            List<String> remarks = training.remark(plan, splits.stepsPerEpoch(), Notices::note);
            Configuration configuration = training.fix(configuration(command, splits), methods)
                    .fixed("from", training.spent.identity())
                    .fixed("bn-update", norms.update("auto").how())
                    .fixed("bn-plain", norms.update("auto").plain());
            try (Claim claim = claim(OwnData.label(settings.dataset()) + "-" + settings.model() + name)) {
                work.accept(new Work(
                        training, splits, plan, remarks, configuration, claim.folder(), bars, executors.spark));
            }
        }
    }
}
