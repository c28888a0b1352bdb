package io.basin.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.OptionSpec;

/** The place of a flag in the help of commands with many flags. */
final class HelpSections {
    /** Of flags that only one command has. */
    static final String OWN = "Options";

    /** In the order in which they are printed; a flag that ends in a hyphen stands for all that begin so. */
    private static final Map<String, List<String>> SECTIONS = new LinkedHashMap<>();

    static {
        section(OWN, "");
        section("Methods", "--methods --method --seeds --seed");
        section(
                "Data",
                "--data-dir --image-size --grey --skip-bad --class-names --validation --train-samples --dataset-samples --label-noise --augment --color-jitter --cutout --mixup --batch-size --data-memory --tune");
        section("Net", "--model --recipe --precision");
        section("Going on", "--from --from-epochs --budgets");
        section(
                "Optimizer",
                "--epochs --lr --schedule --warmup --optimizer --momentum --nesterov --beta1 --beta2 --eps --wd --no-decay-vectors"
                        + " --label-smoothing");
        section("SWA", "--swa-");
        section("FGE", "--fge-");
        section("Snapshots", "--snapshot-");
        section("SWAG", "--swag- --keep-samples");
        section(
                "Other methods",
                "--ema- --switch-ema- --lawa- --pswa- --lookahead- --wsm- --posthoc-ema- --swap- --independent-");
        section("Workers", "--workers --inner-steps --outer- --switch-at --sweep --carrier --slots --spark --id");
        section("Measurement", "--bn- --samples --memory --corruptions --ood --all-combiners --published");
        section("Results", "--csv --json --metrics-csv --tensorboard --svg --reliability");
        section(
                "Run",
                "--out --resume --any-device --checkpoint-every --keep --device --threads --verbose --help --version");
    }

    private HelpSections() {}

    private static void section(String name, String flags) {
        SECTIONS.put(name, Arrays.asList(flags.split(" ")));
    }

    /** Sections that have any of {@code options}, and their options in order. */
    static Map<String, List<OptionSpec>> of(List<OptionSpec> options) {
        Map<String, List<OptionSpec>> all = new LinkedHashMap<>();
        SECTIONS.forEach((section, flags) -> {
            List<OptionSpec> here = options.stream()
                    .filter(o -> section(o).equals(section))
                    .sorted(Comparator.comparing(o -> rank(flags, o)))
                    .toList();
            if (!here.isEmpty()) all.put(section, here);
        });
        return all;
    }

    static String section(OptionSpec option) {
        List<String> found = new ArrayList<>(List.of(OWN));
        SECTIONS.forEach((section, flags) -> {
            if (rank(flags, option) >= 0) found.add(section);
        });
        return found.get(found.size() - 1);
    }

    private static int rank(List<String> flags, OptionSpec option) {
        String name = option.longestName();
        for (int i = 0; i < flags.size(); i++) {
            String flag = flags.get(i);
            if (flag.equals(name) || flag.endsWith("-") && name.startsWith(flag)) return i;
        }
        return -1;
    }
}
