package io.basin.cli;

import io.basin.methods.Lookahead;
import io.basin.methods.MethodSettings;
import io.basin.methods.PowerEma;
import io.basin.methods.Pswa;
import io.basin.methods.SwitchEma;
import io.basin.methods.Wsm;
import java.util.List;
import picocli.CommandLine.Option;

/** The flags of averages that training goes on from, of averages chosen afterwards and of merged checkpoints. */
final class AveragingOptions {
    @TrainingOptions.Sets("switch-ema.decay")
    @Option(
            names = "--switch-ema-decay",
            defaultValue = "0.999",
            description = "of the average, per step, that switch-ema goes on from at the end of every epoch")
    private double switchDecay;

    @TrainingOptions.Sets("pswa.period")
    @Option(
            names = "--pswa-period",
            description =
                    "epochs that pswa averages, and goes on from their average; about as many, so that the run has whole periods;"
                            + " default a tenth of the run")
    private Double pswaPeriod;

    @TrainingOptions.Sets("lookahead.every")
    @Option(
            names = "--lookahead-every",
            defaultValue = "5",
            description = "steps after which lookahead's slow weights move; the paper's k")
    private int lookaheadEvery;

    @TrainingOptions.Sets("lookahead.rate")
    @Option(
            names = "--lookahead-rate",
            defaultValue = "0.5",
            description = "how far they move toward the weights, up to 1; the paper's alpha")
    private double lookaheadRate;

    @TrainingOptions.Sets("wsm.start")
    @Option(
            names = "--wsm-start",
            defaultValue = "0.8",
            description = "fraction of the budget, at a constant rate, before wsm's first checkpoint to be merged")
    private double wsmStart;

    @TrainingOptions.Sets("wsm.models")
    @Option(
            names = "--wsm-models",
            defaultValue = "10",
            description = "checkpoints after that one, at even distances; they weigh as a decay by 1 - sqrt would")
    private int wsmModels;

    @TrainingOptions.Sets("posthoc-ema.snapshots")
    @Option(
            names = "--posthoc-ema-snapshots",
            defaultValue = "40",
            description =
                    "how often posthoc-ema stores its two averages, of which it makes one of the width that does best on the"
                            + " validation part; more of them err less")
    private int snapshots;

    /** These methods, as their flags say. */
    List<MethodSettings> methods() {
        return List.of(
                new SwitchEma(switchDecay),
                new Pswa(pswaPeriod == null ? 0 : pswaPeriod),
                new Lookahead(lookaheadEvery, lookaheadRate),
                new Wsm(wsmStart, wsmModels),
                new PowerEma(snapshots));
    }
}
