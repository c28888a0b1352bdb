package io.basin.models;

import io.basin.data.ImageSet;
import io.basin.data.Progress;
import io.basin.device.Guard;
import io.basin.ensemble.MemberSink;
import io.basin.ensemble.MemberSource;
import io.basin.train.Evaluator;
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
    static final int BLOCK = 16 * Stand.BATCH;

    private final Venue venue;
    private final Guard guard;
    private final Venue.Part part;
    private final List<StoredModel> models;
    private final Progress progress;
    private final Map<String, Stand> stands = new HashMap<>();
    private final Map<Stand, Path> standing = new HashMap<>();

    /** @param part of the data that is predicted */
    public FileMembers(Venue venue, Venue.Part part, List<StoredModel> models, Progress progress) {
        this.venue = venue;
        guard = venue.device().guard().of("the files' ensemble");
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
        return venue.set(part).classes();
    }

    @Override
    public void stream(MemberSink sink) {
        guard.run(() -> predictAll(sink));
    }

    private void predictAll(MemberSink sink) {
        ImageSet set = venue.set(part);
        int batch = Math.min(Stand.BATCH, set.count());
        int block = BLOCK / Stand.BATCH;
        double[] p = new double[Math.min(set.count(), block * batch) * set.classes()];
        long batches = ((long) set.count() + batch - 1) / batch;
        String task = "predicting the " + part.name().toLowerCase(java.util.Locale.ROOT) + " part";
        try (Progress.Counter counter = progress.start(task, models.size() * batches, "batches")) {
            for (int first = 0; first * batch < set.count(); first += block) {
                int from = first * batch;
                int count = Math.min(block * batch, set.count() - from);
                sink.begin(Arrays.copyOfRange(set.labels(), from, from + count), count);
                for (StoredModel model : models) {
                    predict(model, first, block, p, counter);
                    sink.member(p);
                }
                sink.end();
            }
        }
    }

    private void predict(StoredModel model, int first, int batches, double[] p, Progress.Counter counter) {
        Stand stand = stands.computeIfAbsent(kind(model), k -> new Stand(venue, model.origin()));
        if (!model.file().equals(standing.put(stand, model.file()))) stand.load(model.file());
        Evaluator evaluator = stand.on(part);
        int[] at = {0};
        evaluator.predict(stand.weights(), first, batches, (member, row, rows, probabilities) -> {
            for (int i = 0; i < rows * classes(); i++) p[at[0]++] = probabilities[i];
            counter.step(1);
        });
    }

    /** Files of one kind can take turns: the same net, reading its samples alike. */
    private static String kind(StoredModel model) {
        return model.origin().model()
                + Arrays.toString(model.origin().mean())
                + Arrays.toString(model.origin().std());
    }

    @Override
    public void close() {
        guard.close(() -> stands.values().forEach(Stand::close));
    }
}
