package io.basin.models;

import io.basin.compare.Material;
import io.basin.data.Augmentation;
import io.basin.data.ImageSet;
import io.basin.data.Split;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.train.Provenance;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The data set of stored models, cut as their runs cut it; each part goes to the device when it is first needed.
 *
 * <p>The validation part is one that no model was trained on: runs that held out more or fewer samples share the smallest part,
 * since a larger part of the same split contains a smaller one. Any thread may call.
 */
public final class Venue implements AutoCloseable {
    /** What a part of the data may be used for. */
    public enum Part {
        /** Batch-norm statistics are measured on it. */
        TRAIN,
        /** Members, weights and lambda are chosen on it. */
        VALIDATION,
        /** Results are reported on it, and nothing is chosen. */
        TEST
    }

    private static final int USUAL_VALIDATION = 5000;

    private final Device device;
    private final Guard guard;
    private final TrainTest data;
    private final Lenience lenience;
    private final int validation;
    private final int trainSamples;
    /** One that does not say what it was not trained on; null if all do. */
    private final StoredModel silent;

    private final Map<Part, ImageSet> sets = new EnumMap<>(Part.class);
    private final Map<Part, Images> uploaded = new EnumMap<>(Part.class);

    /** Where models must have been trained on {@code data} and files hold nothing but their net. */
    public Venue(Device device, TrainTest data, List<StoredModel> models) {
        this(device, data, models, Lenience.NONE);
    }

    /**
     * @param data the models' data set
     * @throws IllegalArgumentException if two models are of different data sets, naming both, or one was trained on other data
     */
    public Venue(Device device, TrainTest data, List<StoredModel> models, Lenience lenience) {
        this.device = device;
        guard = device.guard().of("the venue");
        this.data = data;
        this.lenience = lenience;
        requireSameData(models);
        for (StoredModel m : models) m.requireTrainedOn(data, lenience);
        validation = models.stream()
                .mapToInt(m -> m.origin().validation())
                .filter(n -> n > 0)
                .min()
                .orElse(Math.min(USUAL_VALIDATION, data.train().count() / 10));
        trainSamples = trainSamples(models);
        silent = models.stream()
                .filter(m -> m.origin().validation() == 0)
                .findFirst()
                .orElse(null);
        sets.put(Part.TEST, data.test());
    }

    private static void requireSameData(List<StoredModel> models) {
        StoredModel first = models.get(0);
        for (StoredModel m : models) {
            if (!m.origin().dataset().equals(first.origin().dataset())) {
                throw new IllegalArgumentException(first + " was trained on "
                        + first.origin().dataset() + ", " + m + " on "
                        + m.origin().dataset()
                        + ": only models of one data set can be measured together");
            }
        }
    }

    /** All of them where runs differ: none saw a sample that is no training sample. */
    private static int trainSamples(List<StoredModel> models) {
        int[] counts = models.stream()
                .mapToInt(m -> m.origin().trainSamples())
                .distinct()
                .toArray();
        return counts.length == 1 ? counts[0] : 0;
    }

    public Device device() {
        return device;
    }

    /** What models are forgiven here. */
    public Lenience lenience() {
        return lenience;
    }

    /** Whether every model says which samples were held out of its training. */
    public boolean holdsOut() {
        return silent == null;
    }

    /**
     * The part's images; the training set is split when a part of it is first asked for: measuring needs only the test part.
     *
     * @throws IllegalArgumentException for the validation part, where a model may have been trained on it
     */
    public ImageSet set(Part part) {
        if (part == Part.VALIDATION && silent != null) {
            throw new IllegalArgumentException(silent + " does not say which samples were held out of its training, so"
                    + " nothing can be chosen or fitted on such samples: leave it out, or ask for what needs no fit");
        }
        return guard.get(() -> cut(part));
    }

    private ImageSet cut(Part part) {
        if (!sets.containsKey(part)) {
            Split split = Split.stratified(data.train(), validation, Material.SPLIT_SEED);
            sets.put(Part.TRAIN, Material.fewer(split.train(), trainSamples));
            sets.put(Part.VALIDATION, split.validation());
        }
        return sets.get(part);
    }

    /** The part on the device. */
    public Images images(Part part) {
        return guard.get(() -> uploaded.computeIfAbsent(part, p -> Material.upload(device, set(p))));
    }

    /** How the model's net reads samples: normalised as in its training, which its header says. */
    public Augmentation normalisation(Provenance origin, int pad, boolean flip) {
        boolean known = origin.mean().length == data.test().channels();
        if (known) return new Augmentation(pad, flip, origin.mean(), origin.std());
        return Augmentation.of(set(Part.TRAIN), pad, flip);
    }

    @Override
    public void close() {
        guard.close(() -> uploaded.values().forEach(Images::close));
    }
}
