package io.basin.data;

import io.basin.device.Shape;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/** Checks callers' arrays and lays them out flat, channels last. */
final class SampleArrays {
    private SampleArrays() {}

    /** (n, d) of (n)(d). */
    static float[] flat(float[][] x) {
        return flat("x", x);
    }

    /** The same of the parameter {@code name}. */
    static float[] flat(String name, float[][] rows) {
        for (int i = 0; i < Require.given(name, rows).length; i++) Require.given(name + "[" + i + "]", rows[i]);
        if (rows.length == 0 || rows[0].length == 0) throw new IllegalArgumentException("there are no numbers");
        int width = rows[0].length;
        float[] flat = new float[Math.multiplyExact(rows.length, width)];
        for (int i = 0; i < rows.length; i++) {
            if (rows[i].length != width) {
                throw new IllegalArgumentException(
                        "sample " + i + " has " + rows[i].length + " numbers, sample 0 has " + width);
            }
            for (int k = 0; k < width; k++) flat[i * width + k] = finite(rows[i][k], i, k);
        }
        return flat;
    }

    private static float finite(float value, int sample, int at) {
        if (Float.isFinite(value)) return value;
        throw new IllegalArgumentException(
                "number " + at + " of sample " + sample + " is " + value + ": every number must be finite");
    }

    /** (d, 1, 1) of (n)(d). */
    static Shape vector(float[][] x) {
        return Shape.of(x[0].length, 1, 1);
    }

    /** (c, h, w) of the first of (n)(c)(h)(w). */
    static Shape shape(float[][][][] x) {
        return Shape.of(x[0].length, x[0][0].length, x[0][0][0].length);
    }

    /** (n, h, w, c) of (n)(c)(h)(w). */
    static float[] flat(float[][][][] x) {
        float[][] rows = new float[Require.given("x", x).length][];
        if (rows.length == 0) throw new IllegalArgumentException("there are no images");
        requireWhole("x", x);
        for (int i = 0; i < x.length; i++) {
            float[][] channels = new float[x[i].length][];
            for (int c = 0; c < channels.length; c++) channels[c] = joined(x[i][c]);
            boolean alike = x[i].length == x[0].length
                    && Arrays.stream(x[i])
                            .allMatch(c -> c.length == x[0][0].length
                                    && Arrays.stream(c).allMatch(row -> row.length == x[0][0][0].length));
            if (!alike) throw new IllegalArgumentException("image " + i + " has another size than image 0");
            rows[i] = joined(channels);
        }
        return channelsLast(flat(rows), shape(x));
    }

    private static float[] joined(float[][] parts) {
        float[] all = new float[Arrays.stream(parts).mapToInt(p -> p.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    /** (n, h, w, c) of (n, c, h, w). */
    static float[] channelsLast(float[] planes, Shape sample) {
        int[] from = order(planes.length, sample);
        float[] moved = new float[planes.length];
        for (int i = 0; i < moved.length; i++) moved[i] = planes[i - i % from.length + from[i % from.length]];
        return moved;
    }

    static byte[] channelsLast(byte[] planes, Shape sample) {
        int[] from = order(Require.given("images", planes).length, sample);
        byte[] moved = new byte[planes.length];
        for (int i = 0; i < moved.length; i++) moved[i] = planes[i - i % from.length + from[i % from.length]];
        return moved;
    }

    /** The index in (c, h, w) of each element of (h, w, c). */
    private static int[] order(int length, Shape sample) {
        int size = Math.toIntExact(sample.elements());
        if (length % size != 0) {
            throw new IllegalArgumentException(
                    length + " numbers are not whole samples of " + sample + ", " + size + " each");
        }
        int channels = sample.dim(0);
        int pixels = size / channels;
        return IntStream.range(0, size)
                .map(i -> i % channels * pixels + i / channels)
                .toArray();
    }

    static void requireCount(long samples, int answers, String what) {
        if (samples == answers) return;
        throw new IllegalArgumentException("there are " + samples + " samples and " + answers + " " + what);
    }

    private static void requireWhole(String name, Object[] arrays) {
        for (int i = 0; i < arrays.length; i++) {
            Object part = Require.given(name + "[" + i + "]", arrays[i]);
            if (part instanceof Object[] deeper) requireWhole(name + "[" + i + "]", deeper);
        }
    }

    /** {@code "0", "1", ...} up to the largest label, none of which may be missing: a gap is more often a slip than a wish. */
    static List<String> classes(int[] labels) {
        int largest = Arrays.stream(Require.given("labels", labels)).max().orElse(-1);
        // At most as many classes as samples have one each: higher labels need not be remembered.
        BitSet seen = new BitSet(labels.length);
        for (int label : labels) if (label >= 0 && label < labels.length) seen.set(label);
        if (seen.nextClearBit(0) < largest) {
            throw new IllegalArgumentException(
                    "`labels` has no sample of class " + seen.nextClearBit(0) + ", and one of " + largest
                            + ": number classes from 0 without a gap, or name all of them in `classNames`");
        }
        return IntStream.rangeClosed(0, largest).mapToObj(Integer::toString).toList();
    }
}
