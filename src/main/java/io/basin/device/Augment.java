package io.basin.device;

import io.basin.Nullable;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * Turns one stored image into one network input: the reference that every device reproduces.
 *
 * <p>In training the image is cropped at a random place of its zero-padded self, then mirrored or not, then
 * normalised; padding is black pixels, normalised like any other, as with torchvision's RandomCrop before ToTensor
 * and Normalize. In evaluation it is only normalised, and no random number is drawn.
 *
 * <p>Definition of the draw, for other devices. Words 0 and 1 of the Philox block with key (seed low, seed high) and counter
 * (sample, epoch low, epoch high, {@link Streams#AUGMENTATION}): {@code dy = below(word 0, 2 pad + 1)}, {@code dx = below(word 1, 2
 * pad + 1)}, and the image is mirrored if bit 0 of word 0 is set, the bit on which dy depends least. Output pixel (y, x) is the
 * input pixel {@code (y + dy - pad, x' + dx - pad)} with x' = x, or W - 1 - x if mirrored.
 *
 * <p>A {@link Distortion} follows, each part by words 0 and 1 of a block with the same counter but a stream of its own, from which
 * come a number w of 64 bits, word 0 low. Arithmetic is in float, in the order written, every operation rounded.
 * <ul>
 *   <li>Jitter ({@link Streams#JITTER}), before normalisation, of v = pixel / 255: brightness v := clip(v f0), contrast v :=
 *       clip(mean[c] + f1 (v - mean[c])) and, of three channels, saturation v := clip(g + f2 (v - g)) with the grey g =
 *       0.2989 red + 0.587 green + 0.114 blue; clip to [0, 1]. Factor k is (1 - a) + 2 a u with u = bits 21 k to 21 k + 20 of
 *       w, times 2^-21. torchvision's ColorJitter(a, a, a) has the same factors, but a random order, and contrast about the
 *       picture's own mean grey, not the data set's mean; its hue is left out.
 *   <li>Cutout ({@link Streams#CUTOUT}), after normalisation: rows top to top + s - 1 and columns left to left + s - 1, as
 *       far as they lie in the image, become 0, the mean; top = below(word 0, H) - s / 2, left = below(word 1, W) - s / 2, so
 *       that the square's centre may be any pixel.
 *   <li>Mixup ({@link Streams#MIXUP}), at the end: {@link #mix}. A row's sample is mixed with that of the next row of its
 *       batch, the last one's with the first one's; a batch is shuffled, so any sample may come next.
 * </ul>
 *
 * <p>One table lookup per pixel replaces conversion and normalisation. Nothing is allocated per call, there is no
 * state, and any number of threads may share an instance.
 */
public final class Augment {
    private final int height;
    private final int width;
    private final int channels;
    private final int pad;
    private final boolean flip;
    private final Distortion distortion;
    private final float[] table; // (C, 256)
    private final float[] unit; // (C, 256): pixels scaled to [0, 1]
    private final float[] quantiles; // none where nothing is mixed
    private final float[] mean; // (C)
    private final float[] std; // (C)

    /** For images of one shape. */
    public Augment(Augmentation augmentation, int height, int width, int channels) {
        augmentation.requireFit(height, width, channels);
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.pad = augmentation.pad();
        this.flip = augmentation.flip();
        distortion = augmentation.distortion();
        this.table = augmentation.table();
        unit = distortion.jitter() > 0 ? unit() : table;
        quantiles = distortion.mixup() > 0 ? distortion.quantiles() : new float[0];
        this.mean = augmentation.mean();
        this.std = augmentation.std();
    }

    private float[] unit() {
        float[] ones = new float[channels];
        Arrays.fill(ones, 1);
        return new Augmentation(0, false, new float[channels], ones).table();
    }

    /** Floats of one output: C H W. */
    public int outputSize() {
        return channels * height * width;
    }

    /**
     * Writes one network input.
     *
     * @param pixels uint8 images, (N, H, W, C), from index 0 of a buffer, whose position does not matter
     * @param sample which of them, also the number its random draw is made from
     * @param train whether to augment; if false, seed and epoch are not looked at
     * @param out receives (C, H, W) from {@code offset} on
     */
    public void into(ByteBuffer pixels, int sample, long seed, long epoch, boolean train, float[] out, int offset) {
        Objects.checkIndex(sample, pixels.limit() / outputSize());
        into(pixels, null, sample, seed, epoch, train, out, offset);
    }

    /** The same for float32 values, (N, H, W, C): each becomes {@code (v - mean[c]) / std[c]}, in this order. */
    public void into(FloatBuffer values, int sample, long seed, long epoch, boolean train, float[] out, int offset) {
        Objects.checkIndex(sample, values.limit() / outputSize());
        into(null, values, sample, seed, epoch, train, out, offset);
    }

    private void into(
            @Nullable ByteBuffer pixels,
            @Nullable FloatBuffer values,
            int sample,
            long seed,
            long epoch,
            boolean train,
            float[] out,
            int offset) {
        Objects.checkFromIndexSize(offset, outputSize(), out.length);
        boolean jitter = train && distortion.jitter() > 0;
        long words = train ? draw(Streams.AUGMENTATION, sample, seed, epoch) : 0;
        place(pixels, values, sample, words, train, jitter ? unit : table, out, offset);
        if (jitter) jitter(draw(Streams.JITTER, sample, seed, epoch), out, offset);
        if (train && distortion.cutout() > 0) cut(draw(Streams.CUTOUT, sample, seed, epoch), out, offset);
    }

    private void place(
            @Nullable ByteBuffer pixels,
            @Nullable FloatBuffer values,
            int sample,
            long words,
            boolean train,
            float[] lookup,
            float[] out,
            int offset) {
        int down = train ? Philox.below((int) words, 2 * pad + 1) - pad : 0;
        int right = train ? Philox.below((int) (words >>> 32), 2 * pad + 1) - pad : 0;
        boolean mirror = train && flip && (words & 1) != 0;
        // u counts the crop's columns before mirroring; those in [first, last) lie inside the image.
        int first = Math.max(0, -right);
        int last = Math.min(width, width - right);
        int target = mirror ? width - 1 - first : first;
        int step = mirror ? -1 : 1;
        for (int c = 0; c < channels; c++) {
            for (int y = 0; y < height; y++) {
                int row = offset + (c * height + y) * width;
                boolean inside = y + down >= 0 && y + down < height;
                if (!inside || last - first < width) Arrays.fill(out, row, row + width, lookup[c * 256]);
                if (!inside) continue;
                int from = ((sample * height + y + down) * width + first + right) * channels + c;
                if (values != null) copy(values, from, c, out, row + target, step, last - first);
                else if (pixels != null) copy(pixels, from, lookup, c * 256, out, row + target, step, last - first);
            }
        }
    }

    private void jitter(long words, float[] out, int offset) {
        int plane = height * width;
        float brightness = factor(words);
        float contrast = factor(words >>> 21);
        float saturation = factor(words >>> 42);
        for (int i = offset; i < offset + plane; i++) {
            for (int c = 0; c < channels; c++) {
                float bright = clip(out[i + c * plane] * brightness);
                out[i + c * plane] = clip(mean[c] + contrast * (bright - mean[c]));
            }
            if (channels == 3) {
                float grey = 0.2989f * out[i] + 0.587f * out[i + plane] + 0.114f * out[i + 2 * plane];
                for (int at = i; at < i + 3 * plane; at += plane) out[at] = clip(grey + saturation * (out[at] - grey));
            }
            for (int c = 0; c < channels; c++) out[i + c * plane] = (out[i + c * plane] - mean[c]) / std[c];
        }
    }

    private float factor(long words) {
        float a = (float) distortion.jitter();
        return (1 - a) + 2 * a * ((words & 0x1FFFFF) * 0x1p-21f);
    }

    private static float clip(float v) {
        return v < 0 ? 0 : v > 1 ? 1 : v;
    }

    private void cut(long words, float[] out, int offset) {
        int side = distortion.cutout();
        int top = Philox.below((int) words, height) - side / 2;
        int left = Philox.below((int) (words >>> 32), width) - side / 2;
        for (int c = 0; c < channels; c++) {
            for (int y = Math.max(0, top); y < Math.min(height, top + side); y++) {
                int row = offset + (c * height + y) * width;
                Arrays.fill(out, row + Math.max(0, left), row + Math.min(width, left + side), 0);
            }
        }
    }

    /** The share of a sample in its mixture with another one: the quantile that the upper 10 bits of word 0 name. */
    public float share(int sample, long seed, long epoch) {
        return quantiles[(int) draw(Streams.MIXUP, sample, seed, epoch) >>> 22];
    }

    /** {@code own = share own + (1 - share) other}, elementwise over the inputs of two samples. */
    public static void mix(float[] own, float[] other, float share) {
        for (int i = 0; i < own.length; i++) own[i] = share * own[i] + (1 - share) * other[i];
    }

    private static long draw(int stream, int sample, long seed, long epoch) {
        return Philox.pair(sample, (int) epoch, (int) (epoch >>> 32), stream, (int) seed, (int) (seed >>> 32));
    }

    private void copy(FloatBuffer values, int from, int c, float[] out, int to, int step, int count) {
        for (int i = 0; i < count; i++) out[to + i * step] = (values.get(from + i * channels) - mean[c]) / std[c];
    }

    private void copy(ByteBuffer pixels, int from, float[] values, int base, float[] out, int to, int step, int count) {
        int stride = channels;
        for (int i = 0; i < count; i++) out[to + i * step] = values[base + (pixels.get(from + i * stride) & 0xFF)];
    }
}
