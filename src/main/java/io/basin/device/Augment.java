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
 * <p>Definition of the draw, for other devices. Words 0 and 1 of the Philox block with key (seed low, seed high) and
 * counter (sample, epoch low, epoch high, {@link Streams#AUGMENTATION}): {@code dy = below(word 0, 2 pad + 1)},
 * {@code dx = below(word 1, 2 pad + 1)}, and the image is mirrored if bit 0 of word 0 is set, the bit on which dy
 * depends least. Output pixel (y, x) is the input pixel {@code (y + dy - pad, x' + dx - pad)} with x' = x, or W - 1 -
 * x if mirrored.
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
    private final float[] table; // (C, 256)
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
        this.table = augmentation.table();
        this.mean = augmentation.mean();
        this.std = augmentation.std();
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
     * @param train whether to crop and mirror; if false, seed and epoch are not looked at
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
        long words = train ? draw(sample, seed, epoch) : 0;
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
                if (!inside || last - first < width) Arrays.fill(out, row, row + width, table[c * 256]);
                if (!inside) continue;
                int from = ((sample * height + y + down) * width + first + right) * channels + c;
                if (values != null) copy(values, from, c, out, row + target, step, last - first);
                else if (pixels != null) copy(pixels, from, c * 256, out, row + target, step, last - first);
            }
        }
    }

    private static long draw(int sample, long seed, long epoch) {
        return Philox.pair(
                sample, (int) epoch, (int) (epoch >>> 32), Streams.AUGMENTATION, (int) seed, (int) (seed >>> 32));
    }

    private void copy(FloatBuffer values, int from, int c, float[] out, int to, int step, int count) {
        for (int i = 0; i < count; i++) out[to + i * step] = (values.get(from + i * channels) - mean[c]) / std[c];
    }

    private void copy(ByteBuffer pixels, int from, int base, float[] out, int to, int step, int count) {
        float[] values = table;
        int stride = channels;
        for (int i = 0; i < count; i++) out[to + i * step] = values[base + (pixels.get(from + i * stride) & 0xFF)];
    }
}
