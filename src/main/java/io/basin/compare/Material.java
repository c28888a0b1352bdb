package io.basin.compare;

import io.basin.data.Augmentation;
import io.basin.data.ImageSet;
import io.basin.data.Split;
import io.basin.data.TrainTest;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Spec;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.train.Averaging;
import io.basin.train.Recipe;
import io.basin.train.Schedule;
import io.basin.train.Session;
import io.basin.train.Settings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * A data set cut into training, validation and test parts, all on the device.
 *
 * <p>The validation part is cut from the training set, stratified; everything that is chosen is chosen on it, and the test part
 * is only ever measured on. The split has its own fixed seed, so that all seeds and methods of a comparison share it.
 *
 * <p>Any thread may use it; close it after what computes with it.
 */
public final class Material implements AutoCloseable {
    /** Of the split of training and validation samples, the same for every run. */
    public static final long SPLIT_SEED = 20180314;

    private final Device device;
    private final Guard guard;
    private final Settings settings;
    private final String fingerprint;
    private final ImageSet trainSet;
    private final ImageSet validationSet;
    private final ImageSet testSet;
    private final float[] mean;
    private final float[] std;
    private final Images train;
    private final Images validation;
    private final Images test;

    /** Splits and uploads; {@code settings} says how many samples to hold out and to train on. */
    public Material(Device device, TrainTest data, Settings settings) {
        this.device = device;
        guard = device.guard().of("the material");
        this.settings = settings;
        fingerprint = data.fingerprint();
        if (settings.validation() >= data.train().count()) {
            throw new IllegalArgumentException("--validation " + settings.validation() + " leaves none of the "
                    + data.train().count() + " training images to train on");
        }
        Split split = naming("--validation", () -> Split.stratified(data.train(), settings.validation(), SPLIT_SEED));
        trainSet = naming("--train-samples", () -> fewer(split.train(), settings.trainSamples()));
        validationSet = split.validation();
        testSet = data.test();
        if (trainSet.count() < settings.batch()) {
            throw new IllegalArgumentException(
                    "--batch-size " + settings.batch() + " exceeds the " + trainSet.count() + " training samples");
        }
        Augmentation normalisation = Augmentation.of(trainSet, 0, false);
        mean = normalisation.mean();
        std = normalisation.std();
        List<Images> uploaded = new ArrayList<>();
        try {
            for (ImageSet set : List.of(trainSet, validationSet, testSet)) uploaded.add(upload(device, set));
        } catch (RuntimeException e) {
            uploaded.forEach(Images::close);
            throw e;
        }
        train = uploaded.get(0);
        validation = uploaded.get(1);
        test = uploaded.get(2);
    }

    /** A stratified part of {@code count} images, the same for every run; 0 for the whole set. */
    public static ImageSet fewer(ImageSet set, int count) {
        return count == 0 ? set : Split.sample(set, count, SPLIT_SEED);
    }

    /** Calls {@code cut}, whose complaint is about the value of {@code flag}. */
    public static <T> T naming(String flag, Supplier<T> cut) {
        try {
            return cut.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(flag + ": " + e.getMessage(), e);
        }
    }

    /** Copies a set to the device: pixels (N, H, W, C) uint8, labels (N) int32. */
    public static Images upload(Device device, ImageSet set) {
        Memory pixels = device.allocate(set.pixels().length);
        Memory on = null;
        try {
            ByteBuffer direct = ByteBuffer.allocateDirect(set.pixels().length).put(set.pixels());
            device.upload(pixels, 0, direct.flip());
            ByteBuffer labels = ByteBuffer.allocateDirect(4 * set.count()).order(ByteOrder.nativeOrder());
            labels.asIntBuffer().put(set.labels());
            on = device.allocate(labels.capacity());
            device.upload(on, 0, labels);
            return new Images(pixels, on, set.count(), set.height(), set.width(), set.channels(), set.classes());
        } catch (RuntimeException e) {
            pixels.close();
            if (on != null) on.close();
            throw e;
        }
    }

    /**
     * Trains a net of the caller's own with all that the method does, from its own initialisation or several, and measures on the
     * test part what it ends with: the last weights, the average, the mean of members' weights (SWAP), or the mean of the
     * probabilities of members (snapshots, FGE, independent nets) or samples (SWAG). Nothing is written to disk.
     *
     * @param seed as of {@code compare}: the same weights come out where the net is the same
     */
    public Control.Totals run(Graph net, Recipe recipe, long seed) {
        return new MethodRun(device, this, net, recipe).run(seed);
    }

    /**
     * A net of the caller's own in training on the training part, step by step.
     *
     * @throws IllegalArgumentException if the method trains several nets, as one session cannot
     */
    public Session session(Graph net, Recipe recipe, long seed) {
        if (recipe.parts() > 1) {
            throw new IllegalArgumentException(recipe.name() + " trains " + recipe.parts()
                    + " times, and a session once: call Material.run, which does all of it");
        }
        return session(net, recipe, 0, seed);
    }

    Session session(Graph net, Recipe recipe, int part, long seed) {
        guard.requireOpen();
        Schedule schedule = recipe.isTrunk(part) ? recipe.trunk() : recipe.schedule();
        Averaging averaging = recipe.isTrunk(part) ? Averaging.none(schedule.steps()) : recipe.averaging();
        return new Session(device, net, train, settings, schedule, averaging, seed, mean, std);
    }

    /**
     * Loss and accuracy on the test part of what the method ends with, as {@link #run} says; batch-norm statistics of weights that
     * were not trained themselves are measured first.
     *
     * @param session of {@code recipe}, at its end; before it, only of a method that ends with the last weights
     * @throws IllegalArgumentException if {@code session} is not of {@code recipe}
     * @throws IllegalStateException if the method's result is not there yet
     */
    public Control.Totals test(Graph net, Recipe recipe, Session session) {
        guard.requireOpen();
        if (recipe.parts() > 1 || !session.follows(recipe.schedule(), recipe.averaging())) {
            throw new IllegalArgumentException("the session does not train what " + recipe.name()
                    + " does: make it with Material.session of the same recipe, or call Material.run");
        }
        if (session.step() < session.steps() && recipe.product() != Recipe.Product.LAST) {
            throw new IllegalStateException(recipe.name() + " has a result after " + session.steps()
                    + " steps, and this session has done " + session.step());
        }
        List<Weights> members =
                session.members().stream().map(Session.Member::weights).toList();
        return new MethodRun(device, this, net, recipe).test(session, members, session.seed());
    }

    public int stepsPerEpoch() {
        return trainSet.count() / settings.batch();
    }

    public Settings settings() {
        return settings;
    }

    /** {@link TrainTest#fingerprint} of the whole data set. */
    public String fingerprint() {
        return fingerprint;
    }

    public ImageSet trainSet() {
        return trainSet;
    }

    public ImageSet validationSet() {
        return validationSet;
    }

    public ImageSet testSet() {
        return testSet;
    }

    public Images train() {
        return train;
    }

    public Images validation() {
        return validation;
    }

    public Images test() {
        return test;
    }

    /** Per channel, of the training part's pixels scaled to [0, 1]. */
    public float[] mean() {
        return mean;
    }

    public float[] std() {
        return std;
    }

    /** How evaluation reads samples: normalised, in order, not augmented. */
    public Spec.Batch plainBatch() {
        return augmentedBatch().plain();
    }

    /** How the pass for batch norm's statistics reads samples: in order, augmented as the net was trained. */
    public Spec.Batch augmentedBatch() {
        return new Spec.Batch(settings.batch(), settings.pad(), settings.flip(), mean, std, 0, false);
    }

    @Override
    public void close() {
        guard.close(() -> {
            train.close();
            validation.close();
            test.close();
        });
    }
}
