package io.basin.models;

import io.basin.compare.Material;
import io.basin.compare.Options;
import io.basin.compare.Probabilities;
import io.basin.data.Augmentation;
import io.basin.data.ImageSet;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.nn.Nets;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import io.basin.train.Provenance;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * One net with memory for one set of weights, planned on each part of a data set when it is first run there. Files take turns on
 * it, so that any number of them needs the memory of one.
 *
 * <p>Each call is one turn on the device, but the weights that one thread loads another may replace: between loading and
 * measuring, a stand is for one thread, or {@code venue.device().guard()} holds both together.
 */
public final class Stand implements AutoCloseable {
    /** Samples of an evaluation's batch, the same for all nets: they take turns on the same samples. */
    static final int BATCH = 128;

    private final Venue venue;
    private final Guard guard;
    private final Provenance origin;
    private final Graph graph;
    private final Storage storage = new Storage(true);
    private final Map<Venue.Part, Evaluator> evaluators = new EnumMap<>(Venue.Part.class);
    private Evaluator refresher;

    /** @param origin which net, and how it reads samples */
    public Stand(Venue venue, Provenance origin) {
        this.venue = venue;
        guard = venue.device().guard().of("the stand");
        this.origin = origin;
        ImageSet like = venue.set(Venue.Part.TEST);
        graph = Nets.build(origin.model(), Shape.of(like.channels(), like.height(), like.width()), like.classes());
    }

    /** Plain forward passes over one part. */
    public Evaluator on(Venue.Part part) {
        return guard.get(() -> evaluators.computeIfAbsent(part, p -> on(venue.images(p))));
    }

    /** Plain forward passes over other images of the same size; the caller closes it. */
    public Evaluator on(Images images) {
        Augmentation norm = venue.normalisation(origin, 0, false);
        int batch = Math.min(BATCH, images.count());
        return evaluator(images, new Spec.Batch(batch, 0, false, norm.mean(), norm.std(), 0, false));
    }

    /** Probabilities of the weights now standing on images that are no part of the data. */
    public Probabilities elsewhere(ImageSet set) {
        try (Images images = Material.upload(device(), set);
                Evaluator evaluator = on(images)) {
            return Probabilities.mean(evaluator, List.of(weights()));
        }
    }

    private Evaluator evaluator(Images images, Spec.Batch batch) {
        return new Evaluator(venue.device(), graph, storage, images, batch, Precision.FP32);
    }

    /** Takes up a file's weights and statistics. */
    public Stand load(Path file) {
        allocated();
        Checkpoint.loadModel(
                file, device(), storage, storage.live(), venue.lenience().extraTensors());
        return this;
    }

    /** Takes up a mean of files, rounded to float32. */
    public Stand load(FileMean mean) {
        guard.run(() -> take(mean));
        return this;
    }

    private void take(FileMean mean) {
        allocated();
        if (!venue.lenience().extraTensors()) mean.requireNoOthers(Checkpoint.names(storage));
        for (Parameter p : storage.parameters()) {
            float[] values = mean.rounded(p.name(), p.shape());
            Memory to = storage.live().params();
            device().pack(FloatBuffer.wrap(values), p.layout(), to, p.slot().offset());
        }
        for (Storage.State s : storage.states()) {
            float[] values = mean.rounded(s.name(), s.shape());
            Memory to = storage.live().state();
            device().pack(FloatBuffer.wrap(values), null, to, s.slot().offset());
        }
    }

    /** The weights now standing. */
    public Weights weights() {
        allocated();
        return storage.live();
    }

    /** The first plan allocates. */
    private void allocated() {
        guard.run(() -> {
            if (!storage.allocated()) on(Venue.Part.TEST);
        });
    }

    /** Measures batch-norm statistics of the weights now standing, on the training part. */
    public void refresh(Options options, String task, Progress progress) {
        guard.run(() -> measure(options, task, progress));
    }

    private void measure(Options options, String task, Progress progress) {
        if (refresher == null) {
            boolean plain = options.plainRefresh();
            Augmentation norm = venue.normalisation(origin, plain ? 0 : origin.pad(), !plain && origin.flip());
            Images train = venue.images(Venue.Part.TRAIN);
            int batch = Math.min(origin.batch(), train.count());
            refresher =
                    evaluator(train, new Spec.Batch(batch, norm.pad(), norm.flip(), norm.mean(), norm.std(), 0, false));
        }
        Evaluator.Refresh how = options.refresh(refresher);
        long batches = (long) refresher.refreshPasses(how) * refresher.batches();
        if (batches == 0) return;
        try (Progress.Counter counter = progress.start(task, batches, "batches")) {
            refresher.refresh(weights(), how, pass -> counter.step(1));
        }
    }

    /** Writes the weights and statistics now standing. */
    public void save(Path file, Map<String, String> header) {
        Checkpoint.saveModel(file, device(), storage, weights(), header);
    }

    private Device device() {
        return venue.device();
    }

    @Override
    public void close() {
        guard.close(() -> {
            evaluators.values().forEach(Evaluator::close);
            if (refresher != null) refresher.close();
            storage.close();
        });
    }
}
