package io.basin.examples;

import io.basin.average.Averager;
import java.util.Random;

/** A plain Java loop with its own weights, a line through noisy points, has them averaged: SWA in twelve lines. */
public final class PlainLoop {
    public static void main(String[] args) {
        Random random = new Random(1);
        float[] w = {0, 0};
        try (Averager swa = Averager.host().add("w", w).tail(1000)) {
            for (int t = 0; t < 5000; t++) {
                float x = 2 * random.nextFloat() - 1;
                float error = w[0] * x + w[1] - (3 * x + 1 + (float) random.nextGaussian());
                w[0] -= 0.1f * error * x;
                w[1] -= 0.1f * error;
                swa.step();
            }
            System.out.println("last " + w[0] + " " + w[1]);
            swa.swap();
            System.out.println("average " + w[0] + " " + w[1]);
        }
    }
}
