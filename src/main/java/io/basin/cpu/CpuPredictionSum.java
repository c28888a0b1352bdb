package io.basin.cpu;

import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.PredictionSum;
import java.nio.FloatBuffer;

/** Sums and votes in plain arrays: beside the forward passes that make the probabilities they cost nothing. */
final class CpuPredictionSum implements PredictionSum {
    private final Guard guard;
    private final int rows;
    private final int classes;
    private final double[] sums;
    private final int[] votes;

    CpuPredictionSum(Guard device, int rows, int classes) {
        guard = device.of("the prediction sum");
        this.rows = rows;
        this.classes = classes;
        sums = new double[Math.multiplyExact(rows, classes)];
        votes = new int[sums.length];
    }

    @Override
    public void add(double weight, Memory from, long offset, int first, int count) {
        guard.run(() -> accumulate(weight, from, offset, first, count));
    }

    private void accumulate(double weight, Memory from, long offset, int first, int count) {
        FloatBuffer p = CpuMemory.bytes(from, offset, 4L * count * classes).asFloatBuffer();
        for (int i = 0; i < count; i++) {
            int to = (first + i) * classes;
            int best = 0;
            for (int k = 0; k < classes; k++) {
                sums[to + k] += weight * p.get(i * classes + k);
                if (p.get(i * classes + k) > p.get(i * classes + best)) best = k;
            }
            votes[to + best]++;
        }
    }

    @Override
    public double[] sums() {
        return guard.get(sums::clone);
    }

    @Override
    public int[] likeliest() {
        return guard.get(() -> best(false));
    }

    @Override
    public int[] elected() {
        return guard.get(() -> best(true));
    }

    /** @param voted by votes first, and only of equal ones by sums */
    private int[] best(boolean voted) {
        int[] choices = new int[rows];
        for (int i = 0; i < rows; i++) {
            for (int k = 1; k < classes; k++) {
                int more = voted ? votes[i * classes + k] - votes[i * classes + choices[i]] : 0;
                if (more > 0 || more == 0 && sum(i, k) > sum(i, choices[i])) choices[i] = k;
            }
        }
        return choices;
    }

    private double sum(int row, int k) {
        return sums[row * classes + k];
    }

    @Override
    public void close() {
        guard.close(() -> {});
    }
}
