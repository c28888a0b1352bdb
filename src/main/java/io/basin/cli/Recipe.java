package io.basin.cli;

import io.basin.io.Notices;
import io.basin.text.Closest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The papers' settings of a net, as the flags that one would type (Izmailov et al. 2018 and Garipov et al. 2018, CIFAR; batches of
 * 128, momentum 0.9). FGE's start is moved by at most a hundredth of the budget, such that its last model ends the run. Beside them
 * the shortest setting of ours in which a net has its budget and cycles have the papers' lengths, chosen as
 * {@code bench/results/protocol.md} says; 'compare fashion-mnist' and 'schedule' without a net, epochs and samples mean it.
 */
final class Recipe {
    static final String FLAG = "--recipe";

    private static final String OURS = "lenet-bn";
    /** Commands that a recipe completes unasked: who looks at a plan sees what will be compared. */
    private static final Set<String> PLAIN = Set.of("compare", "schedule");

    private static final Map<String, String> ALL = new TreeMap<>(Map.of(
            OURS,
            "--epochs 30 --train-samples 10000 --augment none --lr 0.05 --swa-start 0.5 --swa-lr 0.05 --swa-cycle 1"
                    + " --fge-start 0.8 --fge-cycle 2.4 --fge-lr-high 0.02 --fge-lr-low 0.0005"
                    + " --snapshot-cycles 3 --snapshot-lr 0.1",
            "vgg16",
            "--epochs 200 --lr 0.05 --wd 5e-4 --swa-start 0.805 --swa-lr 0.01 --swa-cycle 1"
                    + " --fge-start 0.805 --fge-cycle 2 --fge-lr-high 0.01 --fge-lr-low 0.0005",
            "preresnet110",
            preresnet(),
            "preresnet164",
            preresnet(),
            "wrn-28-10",
            "--epochs 200 --lr 0.1 --wd 5e-4 --swa-start 0.805 --swa-lr 0.05 --swa-cycle 1"
                    + " --fge-start 0.81 --fge-cycle 4 --fge-lr-high 0.05 --fge-lr-low 0.0005"));
    /** Of all nets: all samples, momentum, batches and augmentation, and what the snapshot paper says of its ensembles. */
    private static final String COMMON =
            " --validation 0 --batch-size 128 --momentum 0.9 --augment crop_flip --snapshot-cycles 5 --snapshot-lr 0.2";

    private Recipe() {}

    private static String preresnet() {
        return "--epochs 150 --lr 0.1 --wd 3e-4 --swa-start 0.84 --swa-lr 0.05 --swa-cycle 1"
                + " --fge-start 0.8 --fge-cycle 4 --fge-lr-high 0.05 --fge-lr-low 0.0005";
    }

    /** Whether a recipe may name it. */
    static boolean decides(String flag) {
        return ALL.values().stream().anyMatch(r -> (r + COMMON + " ").contains(flag + " "));
    }

    /** {@code args}, with the flags of the recipe that they name and do not give. */
    static String[] complete(String[] args) {
        boolean named = Arrays.stream(args).anyMatch(a -> a.equals(FLAG) || a.startsWith(FLAG + "="));
        if (!named && Arrays.stream(args).noneMatch(PLAIN::contains)) return args;
        ParseResult parsed = Resumption.parsed(args);
        OptionSpec asked = parsed.matchedOption(FLAG);
        boolean plain = asked == null && isPlain(parsed);
        if (!plain && (asked == null || asked.originalStringValues().isEmpty())) return args;
        String name = plain ? OURS : asked.originalStringValues().get(0);
        if (!ALL.containsKey(name)) {
            throw new IllegalArgumentException(
                    FLAG + ": " + Closest.unknown("recipe", name, List.copyOf(ALL.keySet())));
        }
        List<String> data = data(parsed);
        List<String> added = new ArrayList<>();
        for (String flag : flags(name, data).split(" (?=--)")) {
            String option = flag.split(" ")[0];
            OptionSpec known = parsed.commandSpec().findOption(option);
            if (known != null && !known.hidden() && !parsed.hasMatchedOption(option)) added.add(flag);
        }
        if (added.isEmpty()) return args;
        List<String> all = new ArrayList<>(List.of(args));
        added.forEach(flag -> all.add(flag.replace(' ', '=')));
        String[] whole = all.toArray(String[]::new);
        if (parses(whole)) {
            Notices.note(FLAG + " " + name + (plain ? ", the default without a net, epochs and samples," : "")
                    + " sets " + String.join(" ", added));
        }
        return whole;
    }

    /** After a mistyped flag the error should be about that flag alone. */
    private static boolean parses(String[] args) {
        try {
            Main.commandLine().parseArgs(args);
            return true;
        } catch (CommandLine.ParameterException e) {
            return false;
        }
    }

    /** A comparison of which nothing is said that a recipe would decide. */
    private static boolean isPlain(ParseResult parsed) {
        return PLAIN.contains(parsed.commandSpec().name())
                && data(parsed).contains("fashion-mnist")
                && Stream.of("--model", "--epochs", "--train-samples", "--resume", "--from", "--help")
                        .noneMatch(parsed::hasMatchedOption);
    }

    private static List<String> data(ParseResult parsed) {
        return parsed.matchedPositionals().stream()
                .map(ArgSpec::originalStringValues)
                .flatMap(List::stream)
                .toList();
    }

    /** Pre-activation residual nets have another SWA rate on ten classes. */
    private static String flags(String name, List<String> data) {
        String flags = "--model " + name + " " + ALL.get(name) + (name.equals(OURS) ? "" : COMMON);
        boolean ten = name.startsWith("preresnet") && data.contains("cifar10");
        return ten ? flags.replace("--swa-lr 0.05", "--swa-lr 0.01") : flags;
    }
}
