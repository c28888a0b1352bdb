package io.basin.cpu;

import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.Tally;
import java.nio.FloatBuffer;

/** Sums and votes in plain arrays: beside the forward passes that make the probabilities they cost nothing. */
final class CpuTally implements Tally {
    private final Guard guard;
    private final int rows;
    private final int classes;
    private final double[] sums;
    private final int[] votes;

    CpuTally(Guard device, int rows, int classes) {
        guard = device.of("the tally");
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
        FloatBuffer p = ((CpuMemory) from).floats(offset, 4L * count * classes);
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
        return guard.get(this::largest);
    }

    private int[] largest() {
        int[] choices = new int[rows];
        for (int i = 0; i < rows; i++) {
            for (int k = 1; k < classes; k++) {
                if (sum(i, k) > sum(i, choices[i])) choices[i] = k;
            }
        }
        return choices;
    }

    @Override
    public int[] elected() {
        return guard.get(this::winners);
    }

    private int[] winners() {
        int[] choices = new int[rows];
        for (int i = 0; i < rows; i++) {
            for (int k = 1; k < classes; k++) {
                int more = votes[i * classes + k] - votes[i * classes + choices[i]];
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
