package io.basin.cli;

import io.basin.rounds.RoundMethods;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Which flag of 'basin rounds' is of which method: what would be without effect is refused, and what is of none is not shown. */
final class RoundFlags {
    static final String SWEEP = "--sweep";

    private static final List<String> EVERYBODY = List.of("everybody");
    /** Sections of flags that methods of comparisons have. */
    private static final Set<String> OTHERS = Set.of("Going on", "SWA", "FGE", "Snapshots", "SWAG", "Other methods");

    /** What is not named here is of all, a sweep included. */
    private static final Map<String, List<String>> OF = Map.of(
            "--inner-steps", List.of("local-sgd", "diloco", "post-local-sgd"),
            "--outer-lr", List.of("diloco"),
            "--outer-momentum", List.of("diloco"),
            "--switch-at", List.of("post-local-sgd"),
            "--swa-start", List.of("swap", "parallel-swa"),
            "--swa-lr", List.of("swap", "parallel-swa"),
            "--swa-low", List.of("swap"),
            "--method", RoundMethods.names(),
            "--workers", RoundMethods.names(),
            "--lr", RoundMethods.names());

    private RoundFlags() {}

    /** Takes what is of no method out of the help. */
    static void hide(CommandSpec rounds) {
        for (OptionSpec flag : List.copyOf(rounds.options())) {
            if (!owners(flag).isEmpty()) continue;
            rounds.remove(flag);
            rounds.addOption(OptionSpec.builder(flag).hidden(true).build());
        }
    }

    private static List<String> owners(OptionSpec flag) {
        boolean foreign = OTHERS.contains(HelpSections.section(flag));
        return OF.getOrDefault(flag.longestName(), foreign ? List.of() : EVERYBODY);
    }

    /**
     * @param who a method, or the sweep
     * @throws IllegalArgumentException naming the first flag that would be without effect; a recipe names those of all methods
     */
    static void require(ParseResult parsed, String who) {
        boolean recipe = parsed.hasMatchedOption(Recipe.FLAG);
        for (OptionSpec flag : parsed.matchedOptions()) {
            String name = flag.longestName();
            List<String> owners = owners(flag);
            if (owners.contains(who) || owners.equals(EVERYBODY) || recipe && Recipe.decides(name)) continue;
            throw new IllegalArgumentException(
                    owners.isEmpty()
                            ? name + " has no effect in 'basin rounds': leave it out; 'compare' and 'train' have it"
                            : name + " has no effect with " + (who.equals(SWEEP) ? SWEEP : "--method " + who)
                                    + ": leave it out; it is of " + String.join(", ", owners));
        }
    }
}
