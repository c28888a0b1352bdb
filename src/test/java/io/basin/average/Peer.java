package io.basin.average;

/** Averages in float64, from the methods' definitions and not from their recursions. */
final class Peer {
    private Peer() {}

    static double[] mean(float[]... models) {
        double[] weights = new double[models.length];
        java.util.Arrays.fill(weights, 1.0 / models.length);
        return sum(weights, models);
    }

    static double[] sum(double[] weights, float[]... models) {
        double[] out = new double[models[0].length];
        for (int m = 0; m < models.length; m++) {
            for (int i = 0; i < out.length; i++) out[i] += weights[m] * models[m][i];
        }
        return out;
    }

    static double[] variance(float[]... models) {
        double[] mean = mean(models);
        double[] out = new double[mean.length];
        for (float[] model : models) {
            for (int i = 0; i < out.length; i++) out[i] += Math.pow(model[i] - mean[i], 2) / models.length;
        }
        return out;
    }

    /** The share of each model in an exponential average, d of each step: its own (1 - d) times all later d. */
    static double[] exponential(double[] decays) {
        double[] share = new double[decays.length];
        double later = 1;
        for (int k = decays.length - 1; k >= 0; k--) {
            share[k] = (k == 0 ? 1 : 1 - decays[k]) * later;
            later *= decays[k];
        }
        return share;
    }
}
