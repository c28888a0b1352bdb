package io.basin.train;

import io.basin.device.Precision;

/**
 * Everything that decides what a run computes: echoed into its folder, compared when it resumes.
 *
 * <p>Epochs may be fractions, for cycles and starts are counted in steps. Factories throw {@link IllegalArgumentException}
 * naming the command line's flag.
 *
 * @param epochs the budget: passes over the training set that one method may spend, all its runs together
 * @param decayEverything false: weight decay spares biases and batch norm's scale and shift
 * @param validation samples cut from the training set
 * @param trainSamples use only so many of the rest; 0 for all
 * @param swaStart fraction of the budget after which SWA's rate is reached and averaging begins
 * @param swaLow lowest rate of cyclic SWA
 * @param swaCycle epochs between SWA's collections
 * @param fgeStart fraction of the budget after which FGE's triangles begin
 * @param fgeCycle epochs of one triangle
 * @param runs nets of the independent ensemble, which share the budget
 * @param family what only SWAG and SWAP look at
 */
public record Settings(
        String dataset,
        String model,
        double epochs,
        int batch,
        double lr,
        double momentum,
        double weightDecay,
        boolean nesterov,
        boolean decayEverything,
        double smoothing,
        double warmUp,
        int pad,
        boolean flip,
        Precision precision,
        int validation,
        int trainSamples,
        double swaStart,
        double swaLr,
        double swaLow,
        double swaCycle,
        double emaDecay,
        int lawa,
        int snapshots,
        double snapshotLr,
        double fgeStart,
        double fgeHigh,
        double fgeLow,
        double fgeCycle,
        int runs,
        Family family) {
    /**
     * What SWAG and SWAP need beyond SWA's settings.
     *
     * @param samples nets drawn from SWAG's Gaussian, whose probabilities are averaged; the paper takes 30
     * @param rank columns of its low-rank part: the newest deviations kept, the paper's K
     * @param scale of its covariance; 1 is the paper's posterior, which the published code calls 0.5
     * @param workers nets that SWAP trains from one checkpoint; the paper trains that in large batches, we do not
     */
    public record Family(int samples, int rank, double scale, int workers) {
        public static final Family USUAL = new Family(10, 20, 1, 3);

        public Family {
            atLeast("--swag-samples", samples, 1);
            atLeast("--swag-rank", rank, 2);
            notNegative("--swag-scale", scale);
            atLeast("--swap-workers", workers, 2);
        }
    }

    public Settings {
        positive("--epochs", epochs);
        positive("--lr", lr);
        atLeast("--batch-size", batch, 1);
        within("--momentum", momentum, 0, 1);
        notNegative("--wd", weightDecay);
        within("--label-smoothing", smoothing, 0, 1);
        notNegative("--warmup", warmUp);
        if (warmUp >= epochs) {
            throw new IllegalArgumentException("--warmup must be shorter than --epochs " + epochs + ", got " + warmUp);
        }
        atLeast("--pad", pad, 0);
        atLeast("--validation", validation, 1);
        atLeast("--train-samples", trainSamples, 0);
        fraction("--swa-start", swaStart);
        positive("--swa-lr", swaLr);
        positive("--swa-low", swaLow);
        positive("--swa-cycle", swaCycle);
        within("--ema-decay", emaDecay, 0, 1);
        atLeast("--lawa", lawa, 1);
        atLeast("--cycles", snapshots, 1);
        positive("--snapshot-lr", snapshotLr);
        fraction("--fge-start", fgeStart);
        positive("--lr-1", fgeHigh);
        positive("--lr-2", fgeLow);
        positive("--cycle", fgeCycle);
        atLeast("--runs", runs, 2);
        if (nesterov && momentum == 0) throw new IllegalArgumentException("--nesterov needs --momentum above 0");
    }

    /** What the command line takes for a grey data set when no flag is given. */
    public static Settings standard(String dataset, String model, double epochs) {
        return new Settings(
                dataset,
                model,
                epochs,
                128,
                0.05,
                0.9,
                5e-4,
                false,
                true,
                0,
                0,
                0,
                false,
                Precision.FP32,
                5000,
                0,
                0.75,
                0.01,
                0.001,
                usualSwaCycle(epochs, 0.75),
                0.999,
                3,
                3,
                0.1,
                0.8,
                0.02,
                0.0005,
                usualFgeCycle(epochs, 0.8),
                2,
                Family.USUAL);
    }

    /** SWA's cycle where none is named: ten collections follow the start. */
    public static double usualSwaCycle(double scheduled, double swaStart) {
        return (1 - swaStart) * scheduled / 10;
    }

    /** FGE's cycle where none is named: four models, of which the last ends the run. */
    public static double usualFgeCycle(double scheduled, double fgeStart) {
        return (1 - fgeStart) * scheduled / 3.5;
    }

    private static void positive(String flag, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(flag + " must be positive and finite, got " + value);
        }
    }

    private static void notNegative(String flag, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(flag + " must not be negative, and finite, got " + value);
        }
    }

    private static void within(String flag, double value, double low, double high) {
        if (!(value >= low && value < high)) {
            throw new IllegalArgumentException(flag + " must lie in [" + low + ", " + high + "), got " + value);
        }
    }

    private static void fraction(String flag, double value) {
        if (!(value > 0 && value < 1)) {
            throw new IllegalArgumentException(flag + " is a fraction of the budget between 0 and 1, got " + value);
        }
    }

    private static void atLeast(String flag, int value, int low) {
        if (value < low) throw new IllegalArgumentException(flag + " must be at least " + low + ", got " + value);
    }
}
