package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Dataset;
import io.basin.data.Split;
import io.basin.data.TrainTest;
import io.basin.device.Arena;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.MemoryEstimate;
import io.basin.device.Shape;
import io.basin.io.Json;
import io.basin.io.Notices;
import io.basin.text.Require;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A data set cut into training, validation and test parts, each of which goes to the device when it is first needed.
 *
 * <p>The validation part is cut from the training set, stratified; everything that is chosen is chosen on it, and the test part
 * is only ever measured on. The cut has its own fixed seed, so that all seeds and methods of a comparison share it, and a larger
 * validation part contains a smaller one.
 *
 * <p>Any thread may use it; close it after what computes with it.
 */
@Api
public final class Splits implements AutoCloseable {
    /** A part of the data, by what it may be used for. */
    public enum Part {
        /** Weights and batch-norm statistics come from it. */
        TRAIN,
        /** Everything is chosen on it. */
        VALIDATION,
        /** Results are reported on it, and nothing is chosen. */
        TEST
    }

    /** Of the cut between training and validation samples, the same for every run. */
    public static final long SPLIT_SEED = 20180314;

    /** Samples of {@link #glance}. */
    public static final int GLANCE = 2048;

    /** Why there is no validation part. */
    public static final String NOTHING =
            "no sample is held out, as `validation` is 0: there is no validation curve, and"
                    + " nothing is chosen or fitted";

    private final Device device;
    private final Guard guard;
    private final TrainTest data;
    private final Settings.Data how;
    private final Map<Part, Dataset> sets = new EnumMap<>(Part.class);
    private final Map<Part, Images> uploaded = new EnumMap<>(Part.class);
    private @Nullable Images glance;
    private @Nullable Augmentation augmentation;
    private @Nullable String withheld;
    /** Bytes of a part that the device may hold; below 0: half of what is free. */
    private long most = -1;

    /** Without augmentation, and with all training samples that are not held out. */
    public Splits(Device device, TrainTest data, int validation, int batch) {
        this(device, data, new Settings.Data(batch, validation));
    }

    /** @param how many samples go where, and how training reads them */
    public Splits(Device device, TrainTest data, Settings.Data how) {
        this.device = Require.given("device", device);
        guard = device.guard().of("Splits");
        this.data = Require.given("data", data);
        this.how = Require.given("how", how);
        sets.put(Part.TEST, data.test());
    }

    /** Cuts at once, not at the first use, so that settings that do not fit the samples are refused now. */
    public Splits cut() {
        stepsPerEpoch();
        Dataset train = trainSet();
        how.distortion().requireFit(train.height(), train.width(), train.isFloat(), train.classes() == 0);
        return this;
    }

    /** Refuses the validation part from now on, for {@code reason}. */
    public Splits withholding(String reason) {
        withheld = reason;
        return this;
    }

    /**
     * Makes parts of more than {@code bytes} stream from the host to the device, with the same results. By default, parts
     * stream that would take more than half of the device's free memory.
     */
    public Splits holding(long bytes) {
        most = bytes;
        return this;
    }

    /** Whether a part streams from the host. */
    public boolean streams(Part part) {
        return images(part).host() != null;
    }

    private Images upload(Dataset set) {
        if (fits(set.bytesOnDevice())) return set.upload(device);
        Notices.note(set + " takes " + MemoryEstimate.mebibytes(set.bytesOnDevice())
                + ": its samples stay in the host's memory and stream to the device");
        return set.stream(device);
    }

    private boolean fits(long bytes) {
        if (most >= 0) return bytes <= most;
        try {
            MemoryEstimate twice = new MemoryEstimate(
                    Map.of(Arena.ACTIVATIONS, 2 * bytes),
                    how.batch(),
                    MemoryEstimate.Later.NONE,
                    MemoryEstimate.Scratch.NONE);
            device.checkMemory(twice);
            return true;
        } catch (DeviceException e) {
            return false;
        }
    }

    /** Whether there are samples that nothing was trained on and that are not the test part's. */
    public boolean holdsOut() {
        return withheld == null && how.validation() > 0;
    }

    /** A stratified part of {@code count} samples, the same for every run; 0 for the whole set. */
    private static Dataset fewer(Dataset set, int count) {
        return count == 0 ? set : Split.sample(set, count, SPLIT_SEED);
    }

    /**
     * The samples of a part.
     *
     * @throws IllegalArgumentException where the counts leave none, or the validation part is withheld or there is none
     */
    public Dataset set(Part part) {
        if (part == Part.VALIDATION && withheld != null) throw new IllegalArgumentException(withheld);
        if (part == Part.VALIDATION && how.validation() == 0) throw new IllegalArgumentException(NOTHING);
        return guard.get(() -> {
            if (!sets.containsKey(part)) cutTraining();
            return sets.get(part);
        });
    }

    private void cutTraining() {
        Dataset own = data.validation();
        if (own != null || how.validation() == 0) {
            putTraining(data.train());
            if (own != null) sets.put(Part.VALIDATION, own);
            return;
        }
        if (how.validation() >= data.train().count()) {
            throw new IllegalArgumentException("`validation` " + how.validation() + " leaves none of the "
                    + data.train().count() + " training images to train on");
        }
        Split split = Require.naming("validation", () -> Split.stratified(data.train(), how.validation(), SPLIT_SEED));
        putTraining(split.train());
        sets.put(Part.VALIDATION, split.validation());
    }

    private void putTraining(Dataset all) {
        Dataset train = Require.naming("trainSamples", () -> fewer(all, how.trainSamples()));
        sets.put(Part.TRAIN, Require.naming("labelNoise", () -> train.withLabelNoise(how.labelNoise(), SPLIT_SEED)));
    }

    /** A part on the device. Owned by this. */
    public Images images(Part part) {
        return guard.get(() -> uploaded.computeIfAbsent(part, p -> upload(set(p))));
    }

    /** At most {@link #GLANCE} training samples, stratified: enough for statistics that are looked at and not kept. */
    public Images glance() {
        return guard.get(() -> {
            if (glance == null) glance = upload(glanceSet());
            return glance;
        });
    }

    /** The samples of {@link #glance}. */
    public Dataset glanceSet() {
        return fewer(trainSet(), Math.min(GLANCE, trainSet().count()));
    }

    public Dataset trainSet() {
        return set(Part.TRAIN);
    }

    public Dataset validationSet() {
        return set(Part.VALIDATION);
    }

    public Dataset testSet() {
        return set(Part.TEST);
    }

    public Images train() {
        return images(Part.TRAIN);
    }

    public Images validation() {
        return images(Part.VALIDATION);
    }

    public Images test() {
        return images(Part.TEST);
    }

    public Device device() {
        return device;
    }

    /** {@link TrainTest#fingerprint} of the whole data set. */
    public String fingerprint() {
        return data.fingerprint();
    }

    /** How training reads samples: crops, flips and distortion, and normalisation by the training part's own pixels. */
    public Augmentation augmentation() {
        return guard.get(() -> {
            if (augmentation == null)
                augmentation = trainSet().augmentation(how.pad(), how.flip()).with(how.distortion());
            return augmentation;
        });
    }

    /** Whole batches of the training part. */
    public int stepsPerEpoch() {
        if (trainSet().count() < how.batch()) {
            throw new IllegalArgumentException(
                    "`batch` " + how.batch() + " exceeds the " + trainSet().count() + " training samples");
        }
        return trainSet().count() / how.batch();
    }

    /** How training draws its batches: shuffled and augmented as {@code seed} says. */
    public BatchReader reader(long seed) {
        return new BatchReader(how.batch(), augmentation(), seed, true);
    }

    /** How evaluation reads samples: normalised, in order, not augmented. */
    public BatchReader plainBatch() {
        return reader(0).plain();
    }

    /** How the pass for batch norm's statistics reads samples: in order, augmented as the net was trained, and not mixed. */
    public BatchReader augmentedBatch() {
        return reader(0).ordered();
    }

    /** (C, H, W) of a sample. */
    public Shape sample() {
        return data.test().sample();
    }

    public List<String> classNames() {
        return data.test().classNames();
    }

    /** The name of the data set. */
    public String dataset() {
        return data.name();
    }

    /** The card of a net trained on this. */
    public ModelCard card(String net, String method, String init) {
        Augmentation read = augmentation();
        return new ModelCard(
                net,
                data.name(),
                method,
                init,
                0,
                read.mean(),
                read.std(),
                how.validation(),
                how.trainSamples(),
                how.labelNoise(),
                how.batch(),
                how.pad(),
                how.flip(),
                fingerprint(),
                how.distortion());
    }

    /** Header entries of nets that take its samples. */
    Map<String, String> samples() {
        return ModelHeader.samples(data.train());
    }

    /** The same as entries of a file's header, with the names of the classes and the kind of samples. */
    public Map<String, String> header(String net, String method, String init) {
        Map<String, String> header = new LinkedHashMap<>(card(net, method, init).header());
        if (!classNames().isEmpty()) header.put(ModelHeader.CLASSES, Json.line(classNames()));
        header.putAll(samples());
        return header;
    }

    @Override
    public void close() {
        guard.close(() -> {
            uploaded.values().forEach(Images::close);
            if (glance != null) glance.close();
        });
    }
}
