package io.basin.ensemble;

import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.device.Guard;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Weights files as an ensemble's members: of any runs and any nets of one data set, in one pass over a part of it.
 *
 * <p>Memory does not depend on how many members there are: they are read from disk one after another into the memory of one,
 * predict the part and hand their probabilities on. There is one such memory for each kind of net.
 *
 * <p>Any thread may call; a whole {@link #stream} is one turn on the device.
 */
public final class FileMembers implements MemberSource, AutoCloseable {
    private final Splits splits;
    private final Guard guard;
    private final Splits.Part part;
    private final List<ModelFile> models;
    private final Progress progress;
    private final Map<String, Model> opened = new HashMap<>();

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
    public int[] labels() {
        return splits.set(part).labels();
    }

    @Override
    public void stream(Consumer<double[]> sink) {
        guard.run(() -> predictAll(sink));
    }

    private void predictAll(Consumer<double[]> sink) {
        Dataset set = splits.set(part);
        int batch = Math.min(Model.BATCH, set.count());
        int batches = (set.count() + batch - 1) / batch;
        double[] p = new double[Math.multiplyExact(set.count(), set.classes())];
        String task = "predicting the " + part.name().toLowerCase(Locale.ROOT) + " part";
        try (Progress.Counter counter = progress.start(task, (long) models.size() * batches, "batches")) {
            for (ModelFile file : models) {
                Model model = opened.computeIfAbsent(kind(file), k -> file.open(splits));
                Evaluator evaluator = model.on(splits, part);
                file.into(model);
                evaluator.predict(List.of(model.weights()), (member, first, rows, probabilities) -> {
                    int at = first * set.classes();
                    for (int i = 0; i < rows * set.classes(); i++) p[at + i] = probabilities[i];
                    counter.step(1);
                });
                sink.accept(p);
            }
        }
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
