package io.basin.data;

import io.basin.io.Sha256;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Labelled images as a device takes them: uint8 pixels (N, H, W, C) and one label each.
 *
 * <p>One flat array, because it is uploaded once and as it is; gathering, augmentation and normalisation happen
 * later, on the device ({@link Augment} is their definition). Bytes rather than floats keep CIFAR at 150 MB.
 *
 * <p>Immutable by contract: the arrays are shared, not copied, since a copy would double the memory. Whoever hands
 * them in or takes them out does not write to them.
 */
public final class ImageSet {
    private final String name;
    private final byte[] pixels; // (N, H, W, C)
    private final int[] labels; // (N)
    private final int height;
    private final int width;
    private final int channels;
    private final List<String> classNames;
    /** Taken when first asked for: it is a pass over all pixels. */
    private volatile String sha256;

    /**
     * Takes over the arrays.
     *
     * @param pixels uint8, (N, H, W, C)
     * @param labels (N), each in [0, number of class names)
     * @throws IllegalArgumentException if the sizes disagree, a size is below 1 or a label has no class
     */
    public ImageSet(
            String name, byte[] pixels, int[] labels, int height, int width, int channels, List<String> classNames) {
        this.name = Objects.requireNonNull(name, "name");
        this.pixels = Objects.requireNonNull(pixels, "pixels");
        this.labels = Objects.requireNonNull(labels, "labels");
        this.classNames = List.copyOf(classNames);
        this.height = height;
        this.width = width;
        this.channels = channels;
        if (labels.length < 1 || height < 1 || width < 1 || channels < 1) {
            throw new IllegalArgumentException(this + ": every size must be at least 1");
        }
        long imageBytes = Math.multiplyExact((long) height * width, (long) channels);
        if (imageBytes > pixels.length || imageBytes * labels.length != pixels.length) {
            throw new IllegalArgumentException(this + ": has " + pixels.length + " bytes of pixels, not "
                    + labels.length + " images of " + imageBytes);
        }
        for (int i = 0; i < labels.length; i++) {
            if (labels[i] < 0 || labels[i] >= this.classNames.size()) {
                throw new IllegalArgumentException(
                        this + ": label " + labels[i] + " of image " + i + " is not below " + classes());
            }
        }
    }

    /** What the set is called in messages. */
    public String name() {
        return name;
    }

    /** The pixels, uint8, (N, H, W, C): the set's own array, not to be written to. */
    public byte[] pixels() {
        return pixels;
    }

    /** The labels, (N): the set's own array, not to be written to. */
    public int[] labels() {
        return labels;
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

    /** Number of classes, whether or not each has an image. */
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
            digest.update(pixels);
            sha256 = Sha256.hex(digest);
        }
        return sha256;
    }

    /** Bytes of one image: H W C. */
    public int imageBytes() {
        return height * width * channels;
    }

    /** How many images each class has, (classes). */
    public int[] classCounts() {
        int[] counts = new int[classes()];
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
    public ImageSet subset(int[] indices, String subsetName) {
        int size = imageBytes();
        byte[] chosen = new byte[Math.multiplyExact(indices.length, size)];
        int[] chosenLabels = new int[indices.length];
        for (int i = 0; i < indices.length; i++) {
            int index = Objects.checkIndex(indices[i], count());
            System.arraycopy(pixels, index * size, chosen, i * size, size);
            chosenLabels[i] = labels[index];
        }
        return new ImageSet(subsetName, chosen, chosenLabels, height, width, channels, classNames);
    }

    /**
     * Mean and standard deviation of every channel over all pixels.
     *
     * <p>From a histogram, whose sums are exact integers, so the result does not depend on the order of the images.
     */
    public ChannelStatistics statistics() {
        long[][] histogram = new long[channels][256];
        for (int i = 0; i < pixels.length; ) {
            for (int c = 0; c < channels; c++) {
                histogram[c][pixels[i++] & 0xFF]++;
            }
        }
        double[] mean = new double[channels];
        double[] std = new double[channels];
        double n = (double) pixels.length / channels;
        for (int c = 0; c < channels; c++) {
            long sum = 0;
            for (int v = 0; v < 256; v++) {
                sum += v * histogram[c][v];
            }
            double centre = sum / n;
            double squares = 0;
            for (int v = 0; v < 256; v++) {
                squares += histogram[c][v] * (v - centre) * (v - centre);
            }
            mean[c] = centre / 255;
            std[c] = Math.sqrt(squares / n) / 255;
        }
        return new ChannelStatistics(mean, std);
    }

    /**
     * Mean and population standard deviation of each channel, (C), of pixels scaled to [0, 1].
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
        return name + " (" + labels.length + ", " + height + ", " + width + ", " + channels + "), " + classNames.size()
                + " classes";
    }
}
