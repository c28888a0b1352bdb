package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.EpochMetrics;
import io.basin.device.Weights;
import io.basin.io.AtomicFile;
import io.basin.io.Disk;
import io.basin.io.FolderLock;
import io.basin.io.FormatException;
import io.basin.io.JsonLines;
import io.basin.io.OnFailure;
import io.basin.io.Safetensors;
import io.basin.text.Format;
import io.basin.text.Require;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Drives a training to its end and keeps its folder such that a run killed at any moment goes on from its last checkpoint with
 * the same bits.
 *
 * <p>The folder holds {@code checkpoint.safetensors}, {@code member-<step>.safetensors} for collected models and {@code
 * metrics.jsonl}. Members are written before the checkpoint that counts them, and metrics beyond the checkpoint are cut off when
 * resuming: whenever the run dies, the files never contain more than the checkpoint knows.
 */
@Api
public final class Trainer {
    /** Steps between two looks at the loss where a look costs nothing: early enough to stop a diverged run. */
    private static final int WATCH = 16;

    /** Key of a file's header: the settings and the method, as text. */
    public static final String RUN = "run";

    private static final String CHECKPOINT = "checkpoint.safetensors";

    /**
     * How a folder is laid out.
     *
     * @param metrics where a line an epoch goes
     * @param identity key of the checkpoint's header: the settings and the method, as text
     * @param timed whether a line says how long its epoch took; files without it are the same for the same run
     * @param again advice where files are lost, to train anew
     */
    public record Layout(String checkpoint, String metrics, String identity, boolean timed, String again) {
        static final Layout RUNS =
                new Layout(CHECKPOINT, "metrics.jsonl", RUN, true, "remove the folder %s to train this run again");
    }

    /** Sees the run go by. */
    public interface Listener {
        /** Receives each epoch's figures alone. */
        static Listener of(Consumer<Epoch> told) {
            return new Listener() {
                @Override
                public Function<Epoch, Map<String, Object>> onEpoch() {
                    return epoch -> {
                        told.accept(epoch);
                        return Map.of();
                    };
                }
            };
        }

        /** After each update. */
        default void onStep(int step) {}

        /**
         * After the last update of each epoch and at the end, before the host waits for it: may begin measurements. The function
         * is called once the epoch's own figures are here; its result is added to the epoch's line of metrics.
         */
        default Function<Epoch, Map<String, Object>> onEpoch() {
            return epoch -> Map.of();
        }
    }

    /**
     * Training figures of one epoch, measured while the weights moved.
     *
     * @param epoch epochs done, a fraction where the budget ends within one
     * @param lr of its last step
     * @param loss mean over its samples, nats
     */
    public record Epoch(double epoch, int step, double lr, double loss, double accuracy, double seconds) {}

    private final Stepped training;
    private final int stepsPerEpoch;
    private final @Nullable Path folder;
    private final int checkpointEvery;
    private final Map<String, String> about;
    private final boolean keepsMembers;
    private final Listener listener;
    private IntFunction<Map<String, String>> details = step -> Map.of();
    private Layout layout = Layout.RUNS;
    private @Nullable Path origin;
    /** The first step to train. */
    private int first;

    private @Nullable JsonLines metrics;
    /** Members of the training that are on disk. */
    private int written;

    /**
     * @param folder existing; null to keep nothing
     * @param checkpointEvery steps between checkpoints, apart from those after each epoch; 0 for none between
     * @param about written into the headers of all files; its {@link #RUN} must be the same for a resume
     * @param keepsMembers whether something predicts from the collected models later: else they are only written
     */
    public Trainer(
            Stepped training,
            int stepsPerEpoch,
            @Nullable Path folder,
            int checkpointEvery,
            Map<String, String> about,
            boolean keepsMembers,
            Listener listener) {
        this.training = Require.given("training", training);
        this.stepsPerEpoch = stepsPerEpoch;
        this.folder = folder;
        this.checkpointEvery = checkpointEvery;
        this.about = Map.copyOf(Require.given("about", about));
        this.keepsMembers = keepsMembers;
        this.listener = Require.given("listener", listener);
    }

    /** Adds {@code header(step)} to the header of every member's file. */
    public Trainer describing(IntFunction<Map<String, String>> header) {
        details = header;
        return this;
    }

    /** Lays the folder out in another way. */
    public Trainer keeping(Layout files) {
        layout = files;
        return this;
    }

    /** Begins with another run's weights, statistics and momentum instead of fresh ones; its counters and average are left. */
    public Trainer startingFrom(Path checkpoint) {
        return startingFrom(checkpoint, 0);
    }

    /**
     * The same within the schedule, without its first steps: with its rates, its collections and, where the seed is the same,
     * its order of samples from there on.
     *
     * @param file a checkpoint, or a model, which has no momentum
     * @param step updates before it
     */
    public Trainer startingFrom(Path file, int step) {
        origin = file;
        first = step;
        return this;
    }

    /** The file that holds the state of a run in this folder. */
    public static Path checkpoint(Path folder) {
        return Require.given("folder", folder).resolve(CHECKPOINT);
    }

    /** Steps done by a run in this folder, 0 when there is no checkpoint. */
    public static int progress(Path folder) {
        Path file = checkpoint(folder);
        if (!Files.exists(file)) return 0;
        try (Safetensors in = Safetensors.open(file)) {
            return Checkpoint.count(file, in.metadata(), "step");
        }
    }

    /**
     * Trains to the end of the schedule, from the folder's checkpoint where there is one.
     *
     * @throws DivergedException when the loss or a weight is not finite; names the step and leaves the last checkpoint
     * @throws IllegalStateException when another thread is training the same training, naming it
     * @throws FormatException when the checkpoint is damaged or belongs to another configuration
     * @throws UncheckedIOException when another process or thread writes into the folder, naming it
     */
    public void run() {
        training.driven(this::drive);
    }

    private void drive() {
        if (folder == null) {
            begin();
            train();
            return;
        }
        FolderLock.holding(folder, () -> {
            trainInFolder();
            return null;
        });
    }

    private void trainInFolder() {
        long metricsAt = resume();
        Path file = file(layout.metrics());
        try (JsonLines lines = metricsAt > 0 ? JsonLines.resume(file, metricsAt) : JsonLines.create(file)) {
            metrics = lines;
            train();
        }
    }

    private void begin() {
        if (origin != null) Checkpoint.loadStart(origin, training.model());
        if (first > 0) training.resume(new EpochMetrics(first, 0, 0, 0, -1), List.of());
    }

    private void train() {
        long start = System.nanoTime();
        training.reserve(nextStop() - training.step());
        while (training.step() < training.steps()) {
            training.advance();
            int step = training.step();
            listener.onStep(step);
            boolean epochEnds = step % stepsPerEpoch == 0 || step == training.steps();
            boolean saves = epochEnds || checkpointEvery > 0 && step % checkpointEvery == 0;
            if (epochEnds) {
                endEpoch(step, start);
                start = System.nanoTime();
                training.startEpoch();
            } else if (saves || training.model().device().isSynchronous() && step % WATCH == 0) {
                requireFinite(training.totals());
            }
            if (!saves) continue;
            if (folder != null) saveFinite(step);
            training.reserve(nextStop() - step);
        }
    }

    /** The step at which the device is next waited for. */
    private int nextStop() {
        int step = training.step();
        int epoch = (step / stepsPerEpoch + 1) * stepsPerEpoch;
        int save = checkpointEvery > 0 ? (step / checkpointEvery + 1) * checkpointEvery : epoch;
        return Math.min(training.steps(), Math.min(epoch, save));
    }

    private void requireFinite(EpochMetrics totals) {
        if (totals.broken() >= 0) throw diverged("the loss is no longer finite", (int) totals.broken());
    }

    private DivergedException diverged(@Nullable String what, int at) {
        boolean kept = folder != null && Files.exists(file(layout.checkpoint()));
        return new DivergedException(what + " at step " + at + " (epoch " + (at / stepsPerEpoch + 1) + ", lr "
                + training.schedule.lr(at) + "): " + training.remedy()
                + (kept ? "; the checkpoint in " + folder + " is from before" : ""));
    }

    /** Enqueues everything before it waits for anything: the host waits at the ends of epochs only. */
    private void endEpoch(int step, long start) {
        Supplier<EpochMetrics> arriving = training.fetch();
        double seconds = since(start);
        Function<Epoch, Map<String, Object>> measured = listener.onEpoch();
        EpochMetrics t = arriving.get();
        // An asynchronous device has only now finished.
        if (!training.model().device().isSynchronous()) seconds = since(start);
        requireFinite(t);
        Epoch epoch = new Epoch(
                (double) step / stepsPerEpoch,
                step,
                training.schedule.lr(step - 1),
                t.meanLoss(),
                t.accuracy(),
                seconds);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("epoch", epoch.epoch());
        line.put("step", step);
        line.put("lr", epoch.lr());
        line.put("loss", epoch.loss());
        line.put("accuracy", epoch.accuracy());
        line.putAll(measured.apply(epoch));
        if (layout.timed()) line.put("seconds", seconds);
        if (metrics == null) return;
        metrics.append(line);
        metrics.force();
    }

    private static double since(long start) {
        return (System.nanoTime() - start) * 1e-9;
    }

    private Path memberFile(int step, boolean second) {
        return file("member-" + step + (second ? "-second" : "") + ".safetensors");
    }

    /** A file in the folder, which must be given. */
    private Path file(String name) {
        return Objects.requireNonNull(folder).resolve(name);
    }

    /** The loss is that of the weights before the update, and says nothing of those after it. */
    private void saveFinite(int step) {
        try {
            save();
        } catch (DivergedException e) {
            throw diverged(e.getMessage(), step - 1);
        }
    }

    private void save() {
        List<Stepped.Member> members = training.members();
        for (Stepped.Member m : members.subList(Math.min(written, members.size()), members.size())) {
            Map<String, String> header = new LinkedHashMap<>(about);
            header.putAll(details.apply(m.step()));
            header.put("step", Integer.toString(m.step()));
            Checkpoint.saveModel(memberFile(m.step(), m.second()), training.model(), m.weights(), header);
        }
        written = members.size();
        training.save(file(layout.checkpoint()), about);
        if (keepsMembers) return;
        training.forgetMembers();
        written = 0;
    }

    /** Restores the folder's checkpoint; returns where its metrics end, 0 when there is none. */
    private long resume() {
        AtomicFile.sweep(Objects.requireNonNull(folder));
        Path file = file(layout.checkpoint());
        if (!Files.exists(file)) {
            begin();
            return 0;
        }
        Map<String, String> metadata;
        try (Safetensors in = Safetensors.open(file)) {
            metadata = in.metadata();
        }
        Difference.requireNone(
                file, metadata.getOrDefault(layout.identity(), ""), about.getOrDefault(layout.identity(), ""));
        requireSameData(file, metadata);
        EpochMetrics totals = training.load(file);
        List<Stepped.Member> members = new ArrayList<>();
        for (int step : training.schedule.collections()) {
            if (step < first || step >= totals.step()) continue;
            for (int k = 0; k < training.perCollection(); k++) {
                Path member = memberFile(step, k > 0);
                if (keepsMembers) members.add(new Stepped.Member(step, loadMember(member), k > 0));
                // Refuses one that is missing or damaged.
                else Safetensors.open(member).close();
            }
        }
        written = members.size();
        training.resume(totals, members);
        int step = training.step();
        boolean part = step == training.steps() && step % stepsPerEpoch != 0;
        return endOfLine(file(layout.metrics()), step / stepsPerEpoch - first / stepsPerEpoch + (part ? 1 : 0));
    }

    private void requireSameData(Path file, Map<String, String> metadata) {
        String there = metadata.getOrDefault(ModelCard.DATA, "");
        String now = about.getOrDefault(ModelCard.DATA, "");
        if (there.isEmpty() || now.isEmpty() || there.equals(now)) return;
        throw new IllegalArgumentException("`resume`: " + file + " was trained on other data: there " + there + ", now "
                + now + "; name the folder of the run's data with `dataDir`");
    }

    /** Offset in bytes after the n-th line. */
    private long endOfLine(Path file, int n) {
        if (n == 0) return 0;
        if (!Files.exists(file)) throw lost(file, "is missing, and the checkpoint beside it counts " + n + " lines");
        byte[] bytes = Disk.reading(file, () -> Files.readAllBytes(file));
        int lines = 0;
        for (int i = 0; i < bytes.length; i++) if (bytes[i] == '\n' && ++lines == n) return i + 1L;
        throw lost(file, "has fewer than the " + n + " lines that the checkpoint counts");
    }

    private FormatException lost(Path file, String what) {
        return new FormatException(file.toString(), what + ": " + Format.of(layout.again(), file.getParent()));
    }

    private Weights loadMember(Path member) {
        NetMemory model = training.model();
        return OnFailure.close(
                model.store().blank(model.device()), weights -> Checkpoint.loadModel(member, model, weights));
    }
}
