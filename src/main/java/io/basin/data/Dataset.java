package io.basin.data;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Shape;
import io.basin.io.OnFailure;
import io.basin.io.Sha256;
import io.basin.text.Require;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;

/**
 * Samples as a device takes them: uint8 pixels or float32 values (N, H, W, C), and a class label or float32 targets for each.
 *
 * <p>One flat array, which a device takes as it is or in parts; gathering, augmentation and normalisation happen there ({@link
 * io.basin.device.Augment} is their definition). Bytes rather than floats keep CIFAR at 150 MB. A vector of d features is a sample
 * of d channels and one pixel. The factories {@code of} take arrays in the order of {@link Shape} instead, (C, H, W), and copy them.
 *
 * <p>Immutable by contract: arrays are shared, as a copy would double the memory. Neither the caller nor this class writes to them.
 */
@Api
public final class Dataset {
    private final String name;
    private final SampleValues values;
    private final Shape sample; // (C, H, W)
    private final Names names;
    /** The caller's own; null to measure it. */
    private final @Nullable Augmentation normalisation;
    /** Taken when first asked for: it is a pass over all pixels. */
    private volatile @Nullable String sha256;

    /**
     * Names.
     *
     * @param columns of a table's features, in order; empty for other samples
     */
    private record Names(List<String> classes, List<String> columns) {
        Names {
            classes = List.copyOf(Require.given("classNames", classes));
            columns = List.copyOf(columns);
        }

        static Names of(List<String> classes) {
            return new Names(classes, List.of());
        }
    }

    /**
     * Takes over the arrays.
     *
     * @param pixels uint8, (N, H, W, C)
     * @param labels (N), each in [0, number of class names)
     * @throws IllegalArgumentException if the sizes disagree, a size is below 1 or a label has no class
     */
    public Dataset(
            String name, byte[] pixels, int[] labels, int height, int width, int channels, List<String> classNames) {
        this(name, of(pixels, labels), Shape.of(channels, height, width), Names.of(classNames), null);
    }

    private Dataset(String name, SampleValues values, Shape sample, Names names, @Nullable Augmentation normalisation) {
        this.name = Require.given("name", name);
        this.values = values;
        this.sample = sample;
        this.names = names;
        this.normalisation = normalisation;
        if (count() < 1) throw new IllegalArgumentException(this + ": every size must be at least 1");
        long size = sample.elements();
        if (size > values.length() || size * count() != values.length()) {
            throw new IllegalArgumentException(
                    this + ": has " + values.length() + (values.pixels() != null ? " bytes of pixels" : " values")
                            + ", not " + count() + " images of " + size);
        }
        if (values.targets() != null) return;
        for (int i = 0; i < count(); i++) {
            int label = values.labels()[i];
            if (label < 0 || label >= classes()) {
                throw new IllegalArgumentException(this + ": label " + label + " of image " + i + " is not below "
                        + classes() + " and at least 0");
            }
        }
    }

    private static SampleValues of(byte[] pixels, int[] labels) {
        return new SampleValues(Require.given("pixels", pixels), null, Require.given("labels", labels), null);
    }

    /**
     * Vectors of features with class labels.
     *
     * @param x (n)(d), finite
     * @param labels (n), from 0 without a gap; the largest says how many classes there are
     * @throws IllegalArgumentException naming the first sample that does not fit
     */
    public static Dataset of(float[][] x, int[] labels) {
        return of(x, labels, SampleArrays.classes(labels));
    }

    /** The same with names of the labels 0, 1, ..., some of which may have no sample. */
    public static Dataset of(float[][] x, int[] labels, List<String> classNames) {
        return labelled(SampleArrays.flat(x), labels, SampleArrays.vector(x), classNames);
    }

    /** Images as floats: {@code x} is (n)(c)(h)(w); the rest as {@link #of(float[][], int[])}. */
    public static Dataset of(float[][][][] x, int[] labels) {
        return of(x, labels, SampleArrays.classes(labels));
    }

    /** The same with names of the labels 0, 1, ..., some of which may have no sample. */
    public static Dataset of(float[][][][] x, int[] labels, List<String> classNames) {
        return labelled(SampleArrays.flat(x), labels, SampleArrays.shape(x), classNames);
    }

    /** @param values (n, h, w, c) */
    static Dataset labelled(float[] values, int[] labels, Shape s, List<String> classNames) {
        SampleArrays.requireCount(values.length / s.elements(), Require.given("labels", labels).length, "labels");
        return new Dataset("own", new SampleValues(null, values, labels.clone(), null), s, Names.of(classNames), null);
    }

    /**
     * Images as bytes, 0 to 255, with class labels.
     *
     * @param images (n, c, h, w), flat
     * @param sample (c, h, w) of one image
     * @param classNames of the labels 0, 1, ...
     */
    public static Dataset of(byte[] images, int[] labels, Shape sample, List<String> classNames) {
        Require.given("sample", sample);
        Require.given("labels", labels);
        Require.given("classNames", classNames);
        Shape s = Shape.of(sample.dim(0), sample.rank() > 1 ? sample.dim(1) : 1, sample.rank() > 2 ? sample.dim(2) : 1);
        return new Dataset(
                "own", of(SampleArrays.channelsLast(images, s), labels.clone()), s, Names.of(classNames), null);
    }

    /**
     * Vectors of features with targets: numbers to regress, or 0 and 1 for labels of which several may hold at once.
     *
     * @param x (n)(d), finite
     * @param targets (n)(outputs), finite
     * @throws IllegalArgumentException naming the first sample that does not fit
     */
    public static Dataset of(float[][] x, float[][] targets) {
        return targeted(SampleArrays.flat(x), targets, SampleArrays.vector(x));
    }

    /** The same for images as floats, (n)(c)(h)(w). */
    public static Dataset of(float[][][][] x, float[][] targets) {
        return targeted(SampleArrays.flat(x), targets, SampleArrays.shape(x));
    }

    private static Dataset targeted(float[] values, float[][] targets, Shape s) {
        float[] flat = SampleArrays.flat("targets", targets);
        SampleArrays.requireCount(values.length / s.elements(), targets.length, "targets");
        return new Dataset(
                "own", new SampleValues(null, values, new int[targets.length], flat), s, Names.of(List.of()), null);
    }

    /** The same samples under a name, which weights files of nets trained on them keep. */
    public Dataset named(String other) {
        return new Dataset(other, values, sample, names, normalisation);
    }

    /** The same samples with other names of classes. */
    Dataset classNamed(List<String> classNames) {
        return new Dataset(name, values, sample, new Names(classNames, names.columns), normalisation);
    }

    /** The same samples as rows of a table with these names of features. */
    Dataset columnsNamed(List<String> columns) {
        if (columns.size() != sample.elements()) {
            throw new IllegalArgumentException(
                    this + ": columns have " + columns.size() + " names for " + sample.elements() + " features");
        }
        return new Dataset(name, values, sample, new Names(names.classes, columns), normalisation);
    }

    /** Whether samples are numbers as they are, and not bytes that stand for [0, 1]. */
    public boolean isFloat() {
        return values.pixels() == null;
    }

    /**
     * The same samples, normalised as the caller says instead of by their own mean and deviation.
     *
     * @param mean and std (channels), or (features); of bytes, as if they were scaled to [0, 1]
     */
    public Dataset normalised(float[] mean, float[] std) {
        Augmentation own = new Augmentation(0, false, mean, std);
        if (own.channels() != channels()) {
            throw new IllegalArgumentException(this + ": mean has " + own.channels() + " channels");
        }
        return new Dataset(name, values, sample, names, own);
    }

    /** Copies the samples to the device, which the caller closes. */
    public Images upload(Device device) {
        Memory x = device.allocate(values.samples());
        return OnFailure.close(x, () -> images(x, device.allocate(values.answers()), null));
    }

    /** The same for streaming: samples stay on the host, and those of the next steps go to the device. */
    public Images stream(Device device) {
        Memory none = device.allocate(0);
        return OnFailure.close(
                none, () -> images(none, device.allocate(0), new Images.Host(values.samples(), values.answers())));
    }

    private Images images(Memory x, Memory y, Images.@Nullable Host host) {
        boolean targets = values.targets() != null;
        return new Images(x, y, count(), height(), width(), channels(), outputs(), isFloat(), targets, host);
    }

    /** Bytes of samples, and of labels or targets, that {@link #upload} takes of a device's memory. */
    public long bytesOnDevice() {
        return (isFloat() ? 4L : 1) * values.length() + 4L * count() * (values.targets() != null ? outputs() : 1);
    }

    /** The set's name in messages. */
    public String name() {
        return name;
    }

    /** The pixels, uint8, (N, H, W, C): the set's own array, not to be written to. */
    public byte[] pixels() {
        if (values.pixels() == null) throw new IllegalStateException(this + ": its samples are floats");
        return values.pixels();
    }

    /** The labels, (N): the set's own array, not to be written to. */
    public int[] labels() {
        if (values.targets() != null) throw new IllegalStateException(this + ": it has targets and not class labels");
        return values.labels();
    }

    /** The groups that a split keeps in proportion, (N): the labels; samples with targets are one group. */
    int[] strata() {
        return values.labels();
    }

    /** (C, H, W) of a sample. */
    public Shape sample() {
        return sample;
    }

    /** Classes, or targets a sample: the size of a net's output. */
    public int outputs() {
        return values.targets() == null ? classes() : values.targets().length / count();
    }

    /** Number of images, N. */
    public int count() {
        return values.labels().length;
    }

    public int height() {
        return sample.dim(1);
    }

    public int width() {
        return sample.dim(2);
    }

    public int channels() {
        return sample.dim(0);
    }

    /** Number of classes, whether or not each has an image; 0 where samples have targets. */
    public int classes() {
        return names.classes.size();
    }

    public List<String> classNames() {
        return names.classes;
    }

    /** Names of a table's features, in order; empty for other samples. */
    public List<String> columns() {
        return names.columns;
    }

    /** SHA-256 of sizes, class names, names of columns, labels and pixels, on which training and measuring depend; not of the name. */
    public String sha256() {
        if (sha256 == null) {
            MessageDigest digest = Sha256.digest();
            String sizes = count() + " " + height() + " " + width() + " " + channels() + " " + names.classes;
            // A table whose columns are called otherwise, or stand in another order, is another one.
            if (!names.columns.isEmpty()) sizes += " " + names.columns;
            digest.update(sizes.getBytes(StandardCharsets.UTF_8));
            values.into(digest);
            sha256 = Sha256.hex(digest);
        }
        return sha256;
    }

    /** Bytes or floats of one image: H W C. */
    public int imageBytes() {
        return Math.toIntExact(sample.elements());
    }

    /** How many images each class has, (classes). */
    public int[] classCounts() {
        int[] counts = new int[values.targets() == null ? classes() : 1];
        for (int label : values.labels()) counts[label]++;
        return counts;
    }

    /**
     * The images at the given indices, in that order, copied.
     *
     * @throws IndexOutOfBoundsException if an index is not in [0, N)
     * @throws IllegalArgumentException if there is no index
     */
    public Dataset subset(int[] indices, String subsetName) {
        SampleValues part = values.subset(indices, imageBytes(), outputs());
        return new Dataset(subsetName, part, sample, names, normalisation);
    }

    /**
     * The same samples, of which a share has a wrong label: each of round(share N) gets one of the other classes, all equally
     * likely ("symmetric noise"). Which ones, and which label, depends on the seed and the sample's place only.
     *
     * @throws IllegalArgumentException where samples have targets, or there is only one class
     */
    public Dataset withLabelNoise(double share, long seed) {
        if (share == 0) return this;
        int[] noisy = labels().clone();
        if (classes() < 2)
            throw new IllegalArgumentException(this + ": labels can only be wrong with two classes or more");
        int wrong = LabelNoise.count(share, count());
        LabelNoise.into(noisy, wrong, classes(), seed);
        SampleValues same = new SampleValues(values.pixels(), values.floats(), noisy, null);
        return new Dataset(name + ", " + wrong + " labels wrong", same, sample, names, normalisation);
    }

    /** Other images of the same size, with the same classes. */
    public Dataset with(String otherName, byte[] otherPixels, int[] otherLabels) {
        return new Dataset(otherName, of(otherPixels, otherLabels), sample, names, null);
    }

    /** The samples of {@code sets}, of the same size and kind, without their labels, with the same classes. */
    public Dataset with(String otherName, List<Dataset> sets) {
        int all = Require.given("sets", sets).stream().mapToInt(Dataset::count).reduce(0, Math::addExact);
        float[] floats = isFloat() ? new float[Math.multiplyExact(all, imageBytes())] : null;
        byte[] bytes = isFloat() ? null : new byte[Math.multiplyExact(all, imageBytes())];
        int at = 0;
        for (Dataset s : sets) {
            Object from = floats == null ? s.pixels() : Objects.requireNonNull(s.values.floats());
            System.arraycopy(from, 0, floats == null ? bytes : floats, at, s.values.length());
            at += s.values.length();
        }
        return new Dataset(otherName, new SampleValues(bytes, floats, new int[all], null), sample, names, null);
    }

    /**
     * Augmentation with the normalisation that {@link #normalised} named, or this set's own to mean 0 and variance 1, where a
     * constant channel is only centred.
     */
    public Augmentation augmentation(int pad, boolean flip) {
        if (normalisation != null) return new Augmentation(pad, flip, normalisation.mean(), normalisation.std());
        return statistics().augmentation(pad, flip);
    }

    /** Mean and standard deviation of every channel over all pixels. */
    public ChannelStatistics statistics() {
        return values.pixels() == null
                ? ChannelStatistics.of(Objects.requireNonNull(values.floats()), channels())
                : ChannelStatistics.of(values.pixels(), channels());
    }

    @Override
    public String toString() {
        return name + " (" + count() + ", " + height() + ", " + width() + ", " + channels() + "), "
                + (values.targets() == null ? classes() + " classes" : outputs() + " targets each");
    }
}
