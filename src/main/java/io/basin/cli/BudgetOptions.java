package io.basin.cli;

import io.basin.methods.Annealing;
import io.basin.methods.Budget;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** The flags that say how a budget is spent: how the rate falls, where training begins, at which budgets there is a product. */
final class BudgetOptions {
    @TrainingOptions.Sets("annealing")
    @Option(
            names = "--schedule",
            defaultValue = "swa-paper",
            converter = Named.class,
            description = {
                "the learning rate of sgd, and of what trains as it does: ema, lawa, independent, and fge up to its triangles",
                "swa-paper: constant to 0.5 of the budget, linear to a hundredth at 0.9",
                "cosine, linear: to 0; step: a tenth from 0.5, a hundredth from 0.75",
                "one-cycle: up from a 25th at 0.3, then down to 0; constant; wsd: constant to 0.8, linear to 0",
                "swa and its relatives descend to --swa-lr in all of them; default ${DEFAULT-VALUE}"
            })
    private Annealing annealing;

    static final class Named implements CommandLine.ITypeConverter<Annealing> {
        @Override
        public Annealing convert(String name) {
            for (Annealing a : Annealing.values()) if (a.label().equalsIgnoreCase(name)) return a;
            throw new CommandLine.TypeConversionException(
                    "'" + name + "' is none of swa-paper, cosine, step, one-cycle, linear, constant, wsd");
        }
    }

    @TrainingOptions.Sets("multiples")
    @Option(
            names = "--budgets",
            split = ",",
            defaultValue = "1",
            description =
                    "multiples of --epochs at which swa, swa-cyclic, swag and fge give a product, such as 1,1.25,1.5: one run"
                            + " that goes on, a row each; others train for --epochs; default ${DEFAULT-VALUE}")
    private List<Double> multiples;

    Budget of(Budget usual) {
        return usual.with(annealing).upTo(multiples);
    }
}
