package io.basin.bench;

import java.util.Arrays;

/** The two numbers the table needs. */
final class Statistics {
    private Statistics() {}

    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }
}
