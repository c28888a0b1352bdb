package io.basin.cli;

import io.basin.Nullable;
import io.basin.compare.Start;
import io.basin.methods.Annealing;
import io.basin.methods.Budget;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The flags that say how a budget is spent: how the rate falls, where training begins, at which budgets there is a product. */
final class BudgetOptions {
    @TrainingOptions.Sets("annealing")
    @Option(
            names = "--schedule",
            defaultValue = "SWA_PAPER",
            description = {
                "the learning rate of sgd, and of what trains as it does: ema, switch-ema, posthoc-ema, pswa, lookahead, lawa, independent, and fge"
                        + " up to its triangles",
                "swa-paper: constant to 0.5 of the budget, linear to a hundredth at 0.9",
                "cosine, linear: to 0; step: a tenth from 0.5, a hundredth from 0.75",
                "one-cycle: up from a 25th at 0.3, then down to 0; constant; wsd: constant to 0.8, linear to 0",
                "swa and its relatives descend to --swa-lr in all of them, wsm's is constant; default swa-paper"
            })
    private Annealing annealing;

    @TrainingOptions.Sets("multiples")
    @Option(
            names = "--budgets",
            split = ",",
            defaultValue = "1",
            description =
                    "multiples of --epochs at which swa, swa-cyclic, swag and fge give a product, such as 1,1.25,1.5: one run"
                            + " that goes on, a row each; others train for --epochs; default ${DEFAULT-VALUE}")
    private List<Double> multiples;

    @TrainingOptions.Sets({"done", "from"})
    @Option(
            names = "--from",
            paramLabel = "FILE",
            description =
                    "go on from this net instead of first weights: a run's checkpoint.safetensors (with its momentum), or a"
                            + " weights file of the same net and data. The epochs that it has behind it count as part of the"
                            + " budget: raise --epochs, or name --budgets beyond 1, where it was trained for all of it; default none")
    private Path from;

    @Option(
            names = "--from-epochs",
            description = "epochs that the file of --from has behind it; default what it says, 0 where it was imported")
    private Double fromEpochs;

    @Option(
            names = Recipe.FLAG,
            paramLabel = "NET",
            description =
                    "the papers' settings of vgg16, preresnet110, preresnet164 or wrn-28-10: net, budget, rates, weight decay, starts"
                            + " and cycles; or lenet-bn, a setting of minutes, which 'compare fashion-mnist' and 'schedule fashion-mnist' take without"
                            + " --model, --epochs and --train-samples; flags that are given too come first; default none")
    @SuppressWarnings("unused") // the command line is completed with its flags before it is parsed
    private String recipe;

    private @Nullable Start start;

    /** The net from which training goes on; null for first weights. */
    @Nullable
    Start start() {
        if (from == null && fromEpochs != null) {
            throw new IllegalArgumentException(
                    "--from-epochs says what the file of --from has behind it: name that too");
        }
        if (start == null && from != null) start = Start.of(from);
        return start;
    }

    /** Refuses a net to go on from, where {@code what} takes none. */
    void requireFirstWeights(String what) {
        if (from == null) return;
        throw new IllegalArgumentException("--from: " + what + " from first weights on, so " + from
                + " would not be read: leave it out, or go on with 'basin train --from'");
    }

    /** What tells the net of {@link #start} from others; empty where there is none. */
    String identity() {
        Start net = start();
        return net == null ? "" : net.identity();
    }

    Budget of(Budget usual) {
        Start net = start();
        double done =
                net == null ? 0 : fromEpochs != null ? fromEpochs : net.epochs().orElse(0);
        if (net != null && done == 0 && !net.isImport()) {
            throw new IllegalArgumentException("--from: " + from
                    + " does not say for how many epochs it was trained: name them with --from-epochs");
        }
        Budget spent = usual.with(annealing).upTo(multiples);
        return net == null ? spent : spent.goingOn(done);
    }
}
