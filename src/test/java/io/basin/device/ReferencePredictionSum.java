package io.basin.device;

/** Sums and votes of each sample, as the seam words them. */
final class ReferencePredictionSum implements PredictionSum {
    private final int rows;
    private final int classes;
    private final double[][] sums;
    private final double[][] votes;

    ReferencePredictionSum(int rows, int classes) {
        this.rows = rows;
        this.classes = classes;
        sums = new double[rows][classes];
        votes = new double[rows][classes];
    }

    @Override
    public void add(double weight, Memory from, long offset, int first, int count) {
        double[] cells = ((ReferenceMemory) from).values();
        int at = Math.toIntExact(offset / 4);
        for (int r = 0; r < count; r++) {
            int best = 0;
            for (int k = 0; k < classes; k++) {
                double p = cells[at + r * classes + k];
                sums[first + r][k] += weight * p;
                if (p > cells[at + r * classes + best]) best = k;
            }
            votes[first + r][best]++;
        }
    }

    @Override
    public double[] sums() {
        double[] all = new double[rows * classes];
        for (int r = 0; r < rows; r++) System.arraycopy(sums[r], 0, all, r * classes, classes);
        return all;
    }

    @Override
    public int[] likeliest() {
        return choices(new double[rows][classes], sums);
    }

    @Override
    public int[] elected() {
        return choices(votes, sums);
    }

    private int[] choices(double[][] x, double[][] tie) {
        int[] choices = new int[rows];
        for (int r = 0; r < rows; r++) {
            for (int k = 1; k < classes; k++) {
                int best = choices[r];
                if (x[r][k] > x[r][best] || x[r][k] == x[r][best] && tie[r][k] > tie[r][best]) choices[r] = k;
            }
        }
        return choices;
    }

    @Override
    public void close() {}
}
