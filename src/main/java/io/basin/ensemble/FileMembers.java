package io.basin.ensemble;

import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.device.Guard;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Weights files as an ensemble's members: of any runs and any nets of one data set, in one pass over a part of it.
 *
 * <p>Memory does not depend on how many members there are. The pass goes in blocks of {@link #BLOCK} samples; for each block the
 * members are read from disk one after another into the memory of one, predict the block and hand their probabilities on. A file
 * is so read once for every block: from the system's cache and little against the forward passes, while all weights at once would
 * not fit for large nets. There is one such memory for each kind of net.
 *
 * <p>Any thread may call; a whole {@link #stream} is one turn on the device.
 */
public final class FileMembers implements MemberSource, AutoCloseable {
    /** Samples that all members predict before the next are looked at; whole batches. */
    static final int BLOCK = 16 * Model.BATCH;

    private final Splits splits;
    private final Guard guard;
    private final Splits.Part part;
    private final List<ModelFile> models;
    private final Progress progress;
    private final Map<String, Model> opened = new HashMap<>();
    private final Map<Model, Path> loaded = new HashMap<>();

    /** @param part of the data that is predicted */
    public FileMembers(Splits splits, Splits.Part part, List<ModelFile> models, Progress progress) {
        this.splits = splits;
        guard = splits.device().guard().of("the files' ensemble");
        this.part = part;
        this.models = List.copyOf(models);
        this.progress = progress;
    }

    @Override
    public int members() {
        return models.size();
    }

    @Override
    public int classes() {
        return splits.set(part).classes();
    }

    @Override
    public void stream(MemberSink sink) {
        guard.run(() -> predictAll(sink));
    }

    private void predictAll(MemberSink sink) {
        Dataset set = splits.set(part);
        int batch = Math.min(Model.BATCH, set.count());
        int block = BLOCK / Model.BATCH;
        double[] p = new double[Math.min(set.count(), block * batch) * set.classes()];
        long batches = ((long) set.count() + batch - 1) / batch;
        String task = "predicting the " + part.name().toLowerCase(java.util.Locale.ROOT) + " part";
        try (Progress.Counter counter = progress.start(task, models.size() * batches, "batches")) {
            for (int first = 0; first * batch < set.count(); first += block) {
                int from = first * batch;
                int count = Math.min(block * batch, set.count() - from);
                sink.begin(Arrays.copyOfRange(set.labels(), from, from + count), count);
                for (ModelFile model : models) {
                    predict(model, first, block, p, counter);
                    sink.member(p);
                }
                sink.end();
            }
        }
    }

    private void predict(ModelFile file, int first, int batches, double[] p, Progress.Counter counter) {
        Model model = opened.computeIfAbsent(kind(file), k -> file.open(splits));
        Evaluator evaluator = model.on(splits, part);
        if (!file.file().equals(loaded.put(model, file.file()))) file.into(model);
        int[] at = {0};
        evaluator.predict(model.weights(), first, batches, (member, row, rows, probabilities) -> {
            for (int i = 0; i < rows * classes(); i++) p[at[0]++] = probabilities[i];
            counter.step(1);
        });
    }

    /** Files of one kind can take turns: the same net, reading its samples alike. */
    private static String kind(ModelFile model) {
        return model.origin().model()
                + Arrays.toString(model.origin().mean())
                + Arrays.toString(model.origin().std());
    }

    @Override
    public void close() {
        guard.close(() -> opened.values().forEach(Model::close));
    }
}
