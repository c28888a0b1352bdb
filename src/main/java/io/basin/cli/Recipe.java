package io.basin.cli;

import io.basin.io.Notices;
import io.basin.text.Closest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The papers' settings of a net, as the flags that one would type (Izmailov et al. 2018 and Garipov et al. 2018, CIFAR; batches of
 * 128, momentum 0.9). FGE's start is moved by at most a hundredth of the budget, such that its last model ends the run.
 */
final class Recipe {
    static final String FLAG = "--recipe";

    private static final Map<String, String> ALL = new TreeMap<>(Map.of(
            "vgg16",
            "--epochs 200 --lr 0.05 --wd 5e-4 --swa-start 0.805 --swa-lr 0.01 --swa-cycle 1"
                    + " --fge-start 0.805 --cycle 2 --lr-1 0.01 --lr-2 0.0005",
            "preresnet110",
            preresnet(),
            "preresnet164",
            preresnet(),
            "wrn-28-10",
            "--epochs 200 --lr 0.1 --wd 5e-4 --swa-start 0.805 --swa-lr 0.05 --swa-cycle 1"
                    + " --fge-start 0.81 --cycle 4 --lr-1 0.05 --lr-2 0.0005"));
    /** Of all nets: momentum, batches and augmentation, and what the snapshot paper says of its ensembles. */
    private static final String COMMON =
            " --batch-size 128 --momentum 0.9 --augment crop_flip --cycles 5 --snapshot-lr 0.2";

    private Recipe() {}

    private static String preresnet() {
        return "--epochs 150 --lr 0.1 --wd 3e-4 --swa-start 0.84 --swa-lr 0.05 --swa-cycle 1"
                + " --fge-start 0.8 --cycle 4 --lr-1 0.05 --lr-2 0.0005";
    }

    /**
     * {@code args}, with the flags of the recipe that they name and do not give.
     *
     * @throws IllegalArgumentException for a recipe that is not known
     */
    static String[] complete(String[] args) {
        if (Arrays.stream(args).noneMatch(a -> a.equals(FLAG) || a.startsWith(FLAG + "="))) return args;
        ParseResult parsed = Resumption.parsed(args);
        OptionSpec asked = parsed.matchedOption(FLAG);
        if (asked == null || asked.originalStringValues().isEmpty()) return args;
        String name = asked.originalStringValues().get(0);
        if (!ALL.containsKey(name)) {
            throw new IllegalArgumentException(
                    FLAG + ": " + Closest.unknown("recipe", name, List.copyOf(ALL.keySet())));
        }
        List<String> data = parsed.matchedPositionals().stream()
                .map(ArgSpec::originalStringValues)
                .flatMap(List::stream)
                .toList();
        List<String> added = new ArrayList<>();
        for (String flag : flags(name, data).split(" (?=--)")) {
            String option = flag.split(" ")[0];
            if (parsed.commandSpec().findOption(option) != null && !parsed.hasMatchedOption(option)) added.add(flag);
        }
        if (added.isEmpty()) return args;
        Notices.note(FLAG + " " + name + " sets " + String.join(" ", added));
        List<String> all = new ArrayList<>(List.of(args));
        added.forEach(flag -> all.add(flag.replace(' ', '=')));
        return all.toArray(String[]::new);
    }

    /** Pre-activation residual nets have another SWA rate on ten classes. */
    private static String flags(String name, List<String> data) {
        String flags = "--model " + name + " " + ALL.get(name) + COMMON;
        boolean ten = name.startsWith("preresnet") && data.contains("cifar10");
        return ten ? flags.replace("--swa-lr 0.05", "--swa-lr 0.01") : flags;
    }
}
