package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Optimizer;
import io.basin.device.ParameterStore;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.io.Notices;
import io.basin.io.OnFailure;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.text.Require;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A net with its memory on a device: what is trained, averaged, saved, loaded and predicts.
 *
 * <p>It keeps its evaluation plans: a second call costs its passes alone. The first plan allocates memory and chooses the layouts
 * of weights: let that be the training's where there is one. The training's seed draws the first weights, or 0.
 *
 * <p>Any thread may call; each call is one turn on the device ({@link Guard}), and {@link #fit} one for each step: meanwhile other
 * threads may predict with the weights as they stand, and may change nothing. Close it after everything that was made of it.
 */
@Api
public final class Model extends NetMemory {
    /** Samples that an evaluation takes at once. */
    public static final int BATCH = Predictor.BATCH;

    private final Predictor predictor = new Predictor(this);
    private ModelCard card = ModelCard.NONE;
    /** The header's entries on samples, see {@link ModelHeader#samples}. */
    private Map<String, String> samples = Map.of();

    private List<String> classNames = List.of();

    /** A classifier in float32, whose loss is cross-entropy; weight decay spares none of its parameters. */
    public Model(Device device, Graph graph) {
        this(device, graph, Loss.crossEntropy(0), Precision.FP32);
    }

    /** As {@link #Model(Device, Graph)}; its files name the class of {@code net}, see {@link Nets#build}. */
    public Model(Device device, Supplier<Graph> net) {
        this(device, Nets.of(net));
    }

    public Model(Device device, Graph graph, Loss loss, Precision precision) {
        this(device, graph, loss, precision, true);
    }

    /** @param decayEverything false: weight decay spares biases and batch norm's scale and shift */
    public Model(Device device, Graph graph, Loss loss, Precision precision, boolean decayEverything) {
        this(device, graph, loss, precision, new ParameterStore(decayEverything));
    }

    Model(Device device, Graph graph, Loss loss, Precision precision, ParameterStore store) {
        super(device, graph, loss, precision, store);
    }

    /** The model in a weights file, of a net that its header names. */
    public static Model load(Device device, Path file) {
        return load(device, file, null);
    }

    /** The same of {@code net}; null: its header names it. FormatException where it does not, or the file does not fit its net. */
    public static Model load(Device device, Path file, @Nullable Graph net) {
        Require.given("device", device);
        ModelHeader said = ModelHeader.of(Require.given("file", file));
        Graph graph = net != null ? net : said.net();
        Checkpoint.requireFits(file, graph);
        Model made = new Model(device, graph, said.loss(), Precision.FP32);
        return OnFailure.close(made, model -> {
            model.load(file);
            model.card = said.card();
            model.classNames = said.classNames();
            model.samples = said.samples();
            if (said.reading() != null) model.reading(said.reading());
        });
    }

    /** Takes up a file's weights and statistics; how samples are read is left. */
    public Model load(Path file) {
        return load(file, false);
    }

    /** The same; {@code part} where the file may hold more than this net. */
    public Model load(Path file, boolean part) {
        guard.run(() -> {
            requireIdle();
            Checkpoint.loadModel(Require.given("file", file), this, store().live(), part, true);
        });
        return this;
    }

    /**
     * Writes weights and statistics as a weights file of safetensors, whose header says how samples are read and which public
     * class builds the net: that of the {@code Supplier<Graph>} given to the constructor. A lambda or a bare graph has none, which
     * a note on stderr says; {@link #load(Device, Path, Graph)} loads such a file.
     *
     * @throws DivergedException if a weight is not finite
     */
    public void save(Path file) {
        Checkpoint.saveModel(Require.given("file", file), this, weights(), card.header());
        if (graph.source().isEmpty()) {
            Notices.note(
                    file + " does not name its net, which no public class builds: load it with Model.load(device, file,"
                            + " net), or make the model of a public class that implements Supplier<Graph>");
        }
    }

    /** Entries of a weights file from which {@link #load(Device, Path)} makes this model. */
    @Override
    Map<String, String> header() {
        Map<String, String> header = new LinkedHashMap<>(ModelHeader.of(graph, loss, classNames));
        Augmentation reading = predictor.reading();
        if (reading != null) header.putAll(ModelHeader.of(reading));
        header.putAll(samples);
        return header;
    }

    /** Its origin, as its files say it. */
    public ModelCard card() {
        return card;
    }

    /** As in the data set that it was trained on; empty where unknown. */
    public List<String> classNames() {
        return classNames;
    }

    /** Sets where the model comes from, how it reads samples and what its classes are called. */
    public Model described(ModelCard origin, List<String> classes) {
        Require.given("classes", classes);
        card = Require.given("origin", origin);
        classNames = List.copyOf(classes);
        return reading(origin.augmentation());
    }

    /** Sets how samples are normalised when it measures and predicts without {@link Splits}. */
    public Model reading(Augmentation normalisation) {
        guard.run(() -> predictor.reading(Require.given("normalisation", normalisation)));
        return this;
    }

    /** Reads samples in order, {@code batch} at once, as this model does; IllegalStateException if {@link #reading} is unknown. */
    public BatchReader reader(int batch) {
        return predictor.reader(batch);
    }

    @Override
    public Model initialise(long seed) {
        super.initialise(seed);
        return this;
    }

    /**
     * Trains with a method whose result is one model, and becomes that result: the last weights, or the average with batch-norm
     * statistics of its own. Remembers how samples are read, for {@link #predict}, and where it comes from, for {@link #save}.
     *
     * @param how such as {@link io.basin.methods.Methods#swa}
     * @param seed of first weights, where there are none yet, and of the order of samples
     * @param listener told each epoch's figures
     * @throws IllegalArgumentException if the method trains several nets or ends with several models
     * @throws DivergedException if the loss or a weight is no longer finite
     */
    public void fit(
            Splits splits,
            MethodSettings how,
            Budget budget,
            Optimizer optimizer,
            long seed,
            Consumer<Trainer.Epoch> listener) {
        int epoch = Require.given("splits", splits).stepsPerEpoch();
        fit(splits, Require.given("how", how).plan(Require.given("budget", budget), epoch), optimizer, seed, listener);
    }

    /** The same with the papers' {@link Sgd}, silently. */
    public void fit(Splits splits, MethodSettings how, Budget budget, long seed) {
        fit(splits, how, budget, new Sgd(), seed, epoch -> {});
    }

    /** The same with a method's tables, which may be the caller's own. */
    public void fit(Splits splits, Method method, Optimizer optimizer, long seed, Consumer<Trainer.Epoch> listener) {
        requireHere(splits);
        Require.given("optimizer", optimizer);
        Require.given("listener", listener);
        boolean average = Require.given("method", method).product() == Method.Product.AVERAGE;
        if (method.parts() > 1 || !average && method.product() != Method.Product.LAST) {
            throw new IllegalArgumentException(method.name()
                    + " ends with several models, and this is one: train it with MethodRun or Comparison");
        }
        trained(() -> {
            try (Training training = new Training(
                    this, splits.train(), splits.reader(seed), optimizer, method.schedule(), method.averaging())) {
                Trainer.Listener each = Trainer.Listener.of(listener);
                int epoch = splits.stepsPerEpoch();
                new Trainer(training, epoch, null, 0, Map.of(), false, each).run();
                if (average) store.averaged().copyTo(device, store.live());
                Checkpoint.requireFinite(this, store.live());
            }
            described(splits.card(graph.source(), method.name(), Long.toString(seed)), splits.classNames());
            samples = splits.samples();
            if (average) refresh(splits, BatchNormUpdate.EXACT, "batch-norm statistics", Progress.NONE);
        });
    }

    private void requireHere(Splits splits) {
        if (Require.given("splits", splits).device().guard() == device.guard()) return;
        throw new IllegalArgumentException("`splits` lies on another device than the model: make both on one");
    }

    /** Measures batch norm's statistics of the weights as they stand on the training part, read as this model was trained. */
    public void refresh(Splits splits, BatchNormUpdate update, String task, Progress progress) {
        requireHere(splits);
        Require.given("update", update);
        Require.given("task", task);
        Require.given("progress", progress);
        guard.run(() -> {
            requireIdle();
            Augmentation read = update.plain() ? reader(1).augmentation() : card.augmentation();
            int batch = Math.min(card.batch(), splits.train().count());
            Evaluator onTrain = evaluator(splits.train(), new BatchReader(batch, read, 0, false));
            update.measure(onTrain, weights(), task, progress);
        });
    }

    /** Plain passes over {@code images} with any weights of this net. Owned by this, and kept for the next caller. */
    public Evaluator evaluator(Images images, BatchReader reader) {
        return guard.get(() -> predictor.on(Require.given("images", images), Require.given("reader", reader)));
    }

    /** The same over samples that the caller uploaded, read as this model reads its samples. */
    public Evaluator on(Images images) {
        int batch = Math.min(BATCH, Require.given("images", images).count());
        return guard.get(() -> evaluator(images, reader(batch)));
    }

    /** The same over one part of a data set. */
    public Evaluator on(Splits splits, Splits.Part part) {
        requireHere(splits);
        return guard.get(() -> {
            if (predictor.reading() == null) reading(splits.augmentation());
            return on(splits.images(Require.given("part", part)));
        });
    }

    /** Loss and accuracy of the model as it stands, on one part of a data set. */
    public EpochMetrics evaluate(Splits splits, Splits.Part part) {
        return guard.get(() -> on(splits, part).evaluate(weights()));
    }

    /** The same on the test part. */
    public EpochMetrics test(Splits splits) {
        return evaluate(splits, Splits.Part.TEST);
    }

    /**
     * The net's answer to one sample: probabilities of classes or of independent labels, or regressed numbers, as its loss has
     * it. A net that learned from bytes takes floats that are bytes divided by 255, any other takes numbers as they are.
     *
     * @param sample flat (c, h, w), or (features); not normalised; finite, of a net that learned from bytes in [0, 1]
     * @throws IllegalArgumentException naming the first value that is not
     */
    public float[] predict(float[] sample) {
        return predict(new float[][] {Require.given("sample", sample)})[0];
    }

    /** The same of bytes, 0 to 255. */
    public float[] predict(byte[] sample) {
        return predict(new byte[][] {Require.given("sample", sample)})[0];
    }

    /** The same of several samples, (n)(outputs). */
    public float[][] predict(float[][] samples) {
        boolean pixels = ModelHeader.PIXELS.equals(this.samples.get(ModelHeader.SAMPLES));
        return guard.get(() -> predictor.predict(Require.given("samples", samples), pixels));
    }

    /** The same of several samples in bytes, (n)(outputs). */
    public float[][] predict(byte[][] samples) {
        return guard.get(() -> predictor.predict(Require.given("samples", samples)));
    }

    /** The class of the largest probability, the first of equals. */
    public static int likeliest(float[] probabilities) {
        int best = 0;
        for (int k = 1; k < Require.given("probabilities", probabilities).length; k++)
            if (probabilities[k] > probabilities[best]) best = k;
        return best;
    }

    @Override
    void prepare() {
        predictor.prepare();
    }

    @Override
    public void close() {
        guard.close(() -> {
            predictor.close();
            store.close();
        });
    }
}
