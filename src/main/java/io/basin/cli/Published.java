package io.basin.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** Accuracies that the papers' authors published, to stand beside a run's own and never among them. */
final class Published {
    private static final String HEAD = """
            Published by the authors, %% (not measured here; means and standard deviations over their runs; trained on all
            50,000 images, as with --validation 0):
            """;

    /** Data set, net, method and budgets, accuracy: READMEs of timgaripov/swa and timgaripov/dnn-mode-connectivity, SWA's paper. */
    private static final List<String> FIGURES = """
            cifar100 vgg16 SGD: 72.55+-0.10; SWA at 1, 1.25, 1.5 budgets: 73.91+-0.12, 74.17+-0.15, 74.27+-0.25
            cifar100 preresnet110 SGD: 76.77; SWA: 78.75
            cifar100 preresnet164 SGD: 78.49+-0.36; SWA at 1, 1.25, 1.5 budgets: 79.77+-0.17, 80.18+-0.23, 80.35+-0.16
            cifar100 wrn-28-10 SGD: 80.82+-0.23; SWA at 1, 1.25, 1.5 budgets: 81.46+-0.23, 81.91+-0.27, 82.15+-0.27
            cifar100 vgg16 independent nets at 1, 2, 3 budgets: 72.5, 74.8, 75.6; FGE: 74.6, 76.1, 76.6
            cifar100 preresnet164 independent nets at 1, 2, 3 budgets: 78.4, 80.5, 81.6; FGE: 80.3, 81.3, 81.7
            cifar100 wrn-28-10 independent nets at 1, 2, 3 budgets: 80.8, 82.4, 83.0; FGE: 82.3, 82.9, 83.2
            cifar10 vgg16 SGD: 93.25+-0.16; SWA at 1, 1.25, 1.5 budgets: 93.59+-0.16, 93.70+-0.22, 93.64+-0.18
            cifar10 preresnet110 SGD: 95.03; SWA: 95.51
            cifar10 preresnet164 SGD: 95.28+-0.10; SWA at 1, 1.25, 1.5 budgets: 95.56+-0.11, 95.77+-0.04, 95.83+-0.03
            cifar10 wrn-28-10 SGD: 96.18+-0.11; SWA at 1, 1.25, 1.5 budgets: 96.45+-0.11, 96.64+-0.08, 96.79+-0.05
            """.lines().toList();

    @Option(
            names = "--published",
            description = "print the figures that the papers publish for this net and data, beside ours")
    private boolean asked;

    /** Ends with an empty line; empty where it was not asked for. */
    String text(String dataset, String net) {
        if (!asked) return "";
        String key = dataset + " " + net + " ";
        List<String> found = FIGURES.stream()
                .filter(l -> l.startsWith(key))
                .map(l -> "  " + l.substring(key.length()))
                .toList();
        if (found.isEmpty()) return "The papers publish no figures for " + net + " on " + dataset + ".\n\n";
        return HEAD.replace("%%", "%") + String.join("\n", found) + "\n\n";
    }
}
