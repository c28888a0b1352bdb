package io.basin.device;

import java.util.Random;

/** Seeded test data. */
public final class Draws {
    private Draws() {}

    public static float[] normal(long seed, long count) {
        Random random = new Random(seed * 7919 + 17);
        float[] out = new float[Math.toIntExact(count)];
        for (int i = 0; i < out.length; i++) out[i] = (float) random.nextGaussian();
        return out;
    }

    public static byte[] bytes(long seed, int count) {
        byte[] out = new byte[count];
        new Random(seed * 104729 + 3).nextBytes(out);
        return out;
    }

    public static int[] labels(long seed, int count, int classes) {
        Random random = new Random(seed * 15485863 + 5);
        int[] out = new int[count];
        for (int i = 0; i < count; i++) out[i] = random.nextInt(classes);
        return out;
    }
}
