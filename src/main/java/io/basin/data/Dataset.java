package io.basin.data;

import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Shape;
import io.basin.io.Sha256;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Samples as a device takes them: uint8 pixels or float32 values (N, H, W, C), and a class label or float32 targets for each.
 *
 * <p>One flat array, because it is uploaded once and as it is; gathering, augmentation and normalisation happen
 * later, on the device ({@link io.basin.device.Augment} is their definition). Bytes rather than floats keep CIFAR at 150 MB.
 * A vector of d features is a sample of d channels and one pixel. The factories {@code of} take arrays in the order of {@link
 * Shape} instead, (C, H, W), and copy them.
 *
 * <p>Immutable by contract: the arrays are shared, not copied, since a copy would double the memory. Whoever hands
 * them in or takes them out does not write to them.
 */
public final class Dataset {
    private final String name;
    private final byte[] pixels; // (N, H, W, C), or null
    private final float[] values; // (N, H, W, C), or null
    private final int[] labels; // (N), all 0 where there are targets
    private final float[] targets; // (N, outputs), or null
    private final int height;
    private final int width;
    private final int channels;
    private final List<String> classNames;
    /** The caller's own; null to measure it. */
    private final Augmentation normalisation;
    /** Taken when first asked for: it is a pass over all pixels. */
    private volatile String sha256;

    /**
     * Takes over the arrays.
     *
     * @param pixels uint8, (N, H, W, C)
     * @param labels (N), each in [0, number of class names)
     * @throws IllegalArgumentException if the sizes disagree, a size is below 1 or a label has no class
     */
    public Dataset(
            String name, byte[] pixels, int[] labels, int height, int width, int channels, List<String> classNames) {
        this(
                name,
                Objects.requireNonNull(pixels, "pixels"),
                null,
                Objects.requireNonNull(labels, "labels"),
                null,
                height,
                width,
                channels,
                classNames,
                null);
    }

    /** One of {@code pixels} and {@code values} is null; {@code labels} are all 0 where there are {@code targets}. */
    private Dataset(
            String name,
            byte[] pixels,
            float[] values,
            int[] labels,
            float[] targets,
            int height,
            int width,
            int channels,
            List<String> classNames,
            Augmentation normalisation) {
        this.name = Objects.requireNonNull(name, "name");
        this.pixels = pixels;
        this.values = values;
        this.labels = labels;
        this.targets = targets;
        this.classNames = List.copyOf(classNames);
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.normalisation = normalisation;
        if (labels.length < 1 || height < 1 || width < 1 || channels < 1) {
            throw new IllegalArgumentException(this + ": every size must be at least 1");
        }
        long size = Math.multiplyExact((long) height * width, (long) channels);
        int length = pixels != null ? pixels.length : values.length;
        if (size > length || size * labels.length != length) {
            throw new IllegalArgumentException(
                    this + ": has " + length + (pixels != null ? " bytes of pixels" : " values") + ", not "
                            + labels.length + " images of " + size);
        }
        if (targets != null) return;
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] < 0 || labels[i] >= this.classNames.size()) {
                throw new IllegalArgumentException(
                        this + ": label " + labels[i] + " of image " + i + " is not below " + classes());
            }
        }
    }

    /**
     * Vectors of features with class labels.
     *
     * @param x (n)(d), finite
     * @param labels (n), from 0; the largest says how many classes there are
     * @throws IllegalArgumentException naming the first sample that does not fit
     */
    public static Dataset of(float[][] x, int[] labels) {
        return labelled(SampleArrays.flat(x), labels, Shape.of(x[0].length), SampleArrays.classes(labels));
    }

    /** Images as floats: {@code x} is (n)(c)(h)(w); the rest as {@link #of(float[][], int[])}. */
    public static Dataset of(float[][][][] x, int[] labels) {
        return labelled(SampleArrays.flat(x), labels, SampleArrays.shape(x), SampleArrays.classes(labels));
    }

    /** @param values (n, h, w, c) */
    private static Dataset labelled(float[] values, int[] labels, Shape s, List<String> classNames) {
        SampleArrays.requireCount(values.length / s.elements(), labels.length, "labels");
        return new Dataset("own", null, values, labels.clone(), null, dim(s, 1), dim(s, 2), s.dim(0), classNames, null);
    }

    /**
     * Images as bytes, 0 to 255, with class labels.
     *
     * @param images (n, c, h, w), flat
     * @param sample (c, h, w) of one image
     * @param classNames of the labels 0, 1, ...
     */
    public static Dataset of(byte[] images, int[] labels, Shape sample, List<String> classNames) {
        byte[] pixels = SampleArrays.channelsLast(images, sample);
        return new Dataset("own", pixels, labels.clone(), dim(sample, 1), dim(sample, 2), sample.dim(0), classNames);
    }

    /**
     * Vectors of features with targets: numbers to regress, or 0 and 1 for labels of which several may hold at once.
     *
     * @param x (n)(d), finite
     * @param targets (n)(outputs), finite
     * @throws IllegalArgumentException naming the first sample that does not fit
     */
    public static Dataset of(float[][] x, float[][] targets) {
        return targeted(SampleArrays.flat(x), targets, Shape.of(x[0].length));
    }

    /** The same for images as floats, (n)(c)(h)(w). */
    public static Dataset of(float[][][][] x, float[][] targets) {
        return targeted(SampleArrays.flat(x), targets, SampleArrays.shape(x));
    }

    private static Dataset targeted(float[] values, float[][] targets, Shape s) {
        SampleArrays.requireCount(values.length / s.elements(), targets.length, "targets");
        float[] flat = SampleArrays.flat(targets);
        int[] none = new int[targets.length];
        return new Dataset("own", null, values, none, flat, dim(s, 1), dim(s, 2), s.dim(0), List.of(), null);
    }

    private static int dim(Shape s, int i) {
        return i < s.rank() ? s.dim(i) : 1;
    }

    /** The same samples under a name, which weights files of nets trained on them keep. */
    public Dataset named(String other) {
        return new Dataset(other, pixels, values, labels, targets, height, width, channels, classNames, normalisation);
    }

    /**
     * The same samples, normalised as the caller says instead of by their own mean and deviation.
     *
     * @param mean and std (channels), or (features); of bytes, as if they were scaled to [0, 1]
     */
    public Dataset normalised(float[] mean, float[] std) {
        Augmentation own = new Augmentation(0, false, mean, std);
        if (own.channels() != channels) {
            throw new IllegalArgumentException(this + ": mean has " + own.channels() + " channels");
        }
        return new Dataset(name, pixels, values, labels, targets, height, width, channels, classNames, own);
    }

    /** Copies the samples to the device, which the caller closes. */
    public Images upload(Device device) {
        Memory samples = upload(device, pixels != null ? ByteBuffer.wrap(pixels) : bytes(values));
        try {
            ByteBuffer ints = ByteBuffer.allocate(4 * labels.length).order(ByteOrder.nativeOrder());
            ints.asIntBuffer().put(labels);
            Memory answers = upload(device, targets != null ? bytes(targets) : ints);
            return new Images(
                    samples, answers, count(), height, width, channels, outputs(), values != null, targets != null);
        } catch (RuntimeException e) {
            samples.close();
            throw e;
        }
    }

    private static ByteBuffer bytes(float[] floats) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * floats.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(floats);
        return bytes;
    }

    private static Memory upload(Device device, ByteBuffer heap) {
        Memory memory = device.allocate(heap.remaining());
        try {
            device.upload(
                    memory,
                    0,
                    ByteBuffer.allocateDirect(heap.remaining()).put(heap).flip());
            return memory;
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    /** Parts off {@code test} samples, stratified, as what is only ever measured on; the same ones every time. */
    public TrainTest split(int test) {
        Split cut = Split.stratified(this, test, 0);
        return new TrainTest(name, cut.train(), cut.validation().named(name + " (test part)"));
    }

    /** What the set is called in messages. */
    public String name() {
        return name;
    }

    /** The pixels, uint8, (N, H, W, C): the set's own array, not to be written to. */
    public byte[] pixels() {
        if (pixels == null) throw new IllegalStateException(this + ": its samples are floats");
        return pixels;
    }

    /** The labels, (N): the set's own array, not to be written to. */
    public int[] labels() {
        if (targets != null) throw new IllegalStateException(this + ": it has targets and not class labels");
        return labels;
    }

    /** What a split keeps in proportion, (N): the labels; samples with targets are all alike. */
    int[] strata() {
        return labels;
    }

    /** (C, H, W) of a sample. */
    public Shape sample() {
        return Shape.of(channels, height, width);
    }

    /** Classes, or targets a sample: what a net's output must have. */
    public int outputs() {
        return targets == null ? classes() : targets.length / count();
    }

    /** Number of images, N. */
    public int count() {
        return labels.length;
    }

    public int height() {
        return height;
    }

    public int width() {
        return width;
    }

    public int channels() {
        return channels;
    }

    /** Number of classes, whether or not each has an image; 0 where samples have targets. */
    public int classes() {
        return classNames.size();
    }

    public List<String> classNames() {
        return classNames;
    }

    /** SHA-256 of sizes, class names, labels and pixels: of all that training and measuring depend on, not of the name. */
    public String sha256() {
        if (sha256 == null) {
            MessageDigest digest = Sha256.digest();
            String sizes = count() + " " + height + " " + width + " " + channels + " " + classNames;
            digest.update(sizes.getBytes(StandardCharsets.UTF_8));
            ByteBuffer bytes = ByteBuffer.allocate(4 * labels.length);
            bytes.asIntBuffer().put(labels);
            digest.update(bytes);
            digest.update(pixels != null ? ByteBuffer.wrap(pixels) : bytes(values));
            if (targets != null) digest.update(bytes(targets));
            sha256 = Sha256.hex(digest);
        }
        return sha256;
    }

    /** Bytes or floats of one image: H W C. */
    public int imageBytes() {
        return height * width * channels;
    }

    /** How many images each class has, (classes). */
    public int[] classCounts() {
        int[] counts = new int[targets == null ? classes() : 1];
        for (int label : labels) {
            counts[label]++;
        }
        return counts;
    }

    /**
     * The images at the given indices, in that order, copied.
     *
     * @throws IndexOutOfBoundsException if an index is not in [0, N)
     * @throws IllegalArgumentException if there is no index
     */
    public Dataset subset(int[] indices, String subsetName) {
        int[] chosen = new int[indices.length];
        for (int i = 0; i < indices.length; i++) chosen[i] = labels[Objects.checkIndex(indices[i], count())];
        byte[] bytes = pixels == null ? null : new byte[Math.multiplyExact(indices.length, imageBytes())];
        float[] floats = values == null ? null : new float[Math.multiplyExact(indices.length, imageBytes())];
        float[] answers = targets == null ? null : new float[indices.length * outputs()];
        if (bytes != null) copy(pixels, indices, bytes, imageBytes());
        if (floats != null) copy(values, indices, floats, imageBytes());
        if (answers != null) copy(targets, indices, answers, outputs());
        return new Dataset(
                subsetName, bytes, floats, chosen, answers, height, width, channels, classNames, normalisation);
    }

    /** Rows of {@code size} elements. */
    @SuppressWarnings("SuspiciousSystemArraycopy")
    private static void copy(Object from, int[] indices, Object to, int size) {
        for (int i = 0; i < indices.length; i++) System.arraycopy(from, indices[i] * size, to, i * size, size);
    }

    /** Other images of the same size, with the same classes. */
    public Dataset with(String otherName, byte[] otherPixels, int[] otherLabels) {
        return new Dataset(otherName, otherPixels, otherLabels, height, width, channels, classNames);
    }

    /**
     * Augmentation with the normalisation that {@link #normalised} named, or this set's own to mean 0 and variance 1, where a
     * constant channel is only centred.
     */
    public Augmentation augmentation(int pad, boolean flip) {
        if (normalisation != null) return new Augmentation(pad, flip, normalisation.mean(), normalisation.std());
        ChannelStatistics statistics = statistics();
        float[] mean = new float[channels];
        float[] std = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = (float) statistics.mean()[c];
            std[c] = statistics.std()[c] > 0 ? (float) statistics.std()[c] : 1;
        }
        return new Augmentation(pad, flip, mean, std);
    }

    /**
     * Mean and standard deviation of every channel over all pixels.
     */
    public ChannelStatistics statistics() {
        return pixels == null ? SampleArrays.statistics(values, channels) : SampleArrays.statistics(pixels, channels);
    }

    /**
     * Mean and population standard deviation of each channel, (C), of bytes scaled to [0, 1] and of floats as they are.
     */
    public record ChannelStatistics(double[] mean, double[] std) {
        @Override
        public boolean equals(Object other) {
            return other instanceof ChannelStatistics that
                    && Arrays.equals(mean, that.mean)
                    && Arrays.equals(std, that.std);
        }

        @Override
        public int hashCode() {
            return 31 * Arrays.hashCode(mean) + Arrays.hashCode(std);
        }

        @Override
        public String toString() {
            return "mean " + Arrays.toString(mean) + ", std " + Arrays.toString(std);
        }
    }

    @Override
    public String toString() {
        return name + " (" + labels.length + ", " + height + ", " + width + ", " + channels + "), "
                + (targets == null ? classNames.size() + " classes" : outputs() + " targets each");
    }
}
