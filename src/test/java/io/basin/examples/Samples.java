package io.basin.examples;

import java.util.Arrays;
import java.util.Random;

/** What the examples learn: arrays as a program of the reader's would have them. */
final class Samples {
    static final int COUNT = 600;

    private Samples() {}

    /** Points of the plane, (n)(2). */
    static float[][] points() {
        Random random = new Random(1);
        float[][] x = new float[COUNT][2];
        for (float[] point : x) for (int k = 0; k < 2; k++) point[k] = (float) random.nextGaussian();
        return x;
    }

    /** Whether both coordinates have the same sign. */
    static int[] quadrants(float[][] points) {
        int[] labels = new int[points.length];
        for (int i = 0; i < labels.length; i++) labels[i] = points[i][0] * points[i][1] > 0 ? 1 : 0;
        return labels;
    }

    /** Two numbers that depend smoothly on the point. */
    static float[][] waves(float[][] points) {
        float[][] y = new float[points.length][];
        for (int i = 0; i < y.length; i++) {
            y[i] = new float[] {(float) Math.sin(2 * points[i][0]), points[i][0] * points[i][1]};
        }
        return y;
    }

    /** One yes-no answer: whether both coordinates have the same sign. */
    static float[][] answers(float[][] points) {
        int[] labels = quadrants(points);
        float[][] y = new float[points.length][];
        for (int i = 0; i < y.length; i++) y[i] = new float[] {labels[i]};
        return y;
    }

    /** Three yes-no answers, any of which may hold together. */
    static float[][] tags(float[][] points) {
        float[][] y = new float[points.length][];
        for (int i = 0; i < y.length; i++) {
            float[] p = points[i];
            y[i] = new float[] {p[0] > 0 ? 1 : 0, p[1] > 0 ? 1 : 0, p[0] + p[1] > 1 ? 1 : 0};
        }
        return y;
    }

    /** Grey pictures of 8 x 8 pixels, flat: with a bright row or a bright column. */
    static byte[] pictures(int[] labels) {
        Random random = new Random(2);
        byte[] pixels = new byte[64 * labels.length];
        random.nextBytes(pixels);
        for (int i = 0; i < pixels.length; i++) pixels[i] &= 0x3F;
        for (int i = 0; i < labels.length; i++) {
            int line = random.nextInt(8);
            for (int k = 0; k < 8; k++) pixels[64 * i + (labels[i] == 0 ? 8 * line + k : 8 * k + line)] = (byte) 200;
        }
        return pixels;
    }

    /** The first of those pictures, one by one. */
    static byte[][] images() {
        byte[] all = pictures(quadrants(points()));
        byte[][] images = new byte[5][];
        for (int i = 0; i < images.length; i++) images[i] = Arrays.copyOfRange(all, 64 * i, 64 * (i + 1));
        return images;
    }

    /** Euclidean, as a program of the reader's may have it. */
    static double norm(float[] values) {
        double square = 0;
        for (float v : values) square += (double) v * v;
        return Math.sqrt(square);
    }
}
