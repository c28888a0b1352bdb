package io.basin.cli;

import io.basin.geometry.Connection;
import io.basin.geometry.Curve;
import io.basin.geometry.CurveTraining;
import io.basin.geometry.Net;
import io.basin.train.Schedule;
import io.basin.train.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Joins trained nets by curves of low loss. */
@Command(
        name = "connect",
        description =
                "Trains a curve of low loss between two nets, or from net to net through several, and measures loss and"
                        + " error along it and along the straight line. " + Site.LOSS,
        footer = {
            "",
            "Examples:",
            "  basin connect runs/a/seed-1/sgd/sgd.safetensors runs/a/seed-2/sgd/sgd.safetensors",
            "  basin connect A.safetensors B.safetensors C.safetensors --curve PolyChain --bends 2 --epochs 20",
            "  basin connect A.safetensors B.safetensors --samples 10000 --bn-samples 10000 --out runs/curve",
            "  basin connect A.safetensors B.safetensors --samples 10000 --bn-samples 10000 --resume runs/curve"
        })
final class ConnectCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "2..*", description = "weights that 'train' or 'compare' wrote, one model")
    private List<Path> files;

    @Mixin
    private LandscapeOptions options;

    @Option(names = "--curve", defaultValue = "Bezier", description = "Bezier or PolyChain; default ${DEFAULT-VALUE}")
    private Curve curve;

    @Option(
            names = {"--bends", "--num-bends"},
            defaultValue = "1",
            description = "control points between the ends; default ${DEFAULT-VALUE}")
    private int bends;

    @Option(names = "--epochs", defaultValue = "10", description = "of each curve's training; default ${DEFAULT-VALUE}")
    private double epochs;

    @Option(names = "--lr", defaultValue = "0.03", description = "initial learning rate; default ${DEFAULT-VALUE}")
    private double lr;

    @Option(names = "--momentum", defaultValue = "0.9", description = "default ${DEFAULT-VALUE}")
    private double momentum;

    @Option(names = "--nesterov", description = "Nesterov's momentum")
    private boolean nesterov;

    @Option(names = "--wd", defaultValue = "5e-4", description = "weight decay of w(t); default ${DEFAULT-VALUE}")
    private double weightDecay;

    @Option(names = "--no-decay-vectors", description = "spare biases and batch norm from weight decay")
    private boolean spareVectors;

    @Option(names = "--points", defaultValue = "61", description = "values of t that are measured, evenly from 0 to 1")
    private int points;

    @Override
    public void run() {
        if (points < 2) throw new IllegalArgumentException("--points must be at least 2, got " + points);
        Model model = LandscapeOptions.sameModel(files);
        Settings settings = settings(model);
        Bars bars = new Bars();
        try (Site site = Site.open(options, model, settings, files, bars)) {
            int steps = (int) Math.max(1, Math.round(epochs * site.material().stepsPerEpoch()));
            CurveTraining.Course course = new CurveTraining.Course(
                    curve,
                    bends,
                    Schedule.sgdPaper(steps, lr),
                    settings,
                    options.seed,
                    site.material().mean(),
                    site.material().std());
            Path folder = options.folder("connect", model);
            options.configuration("connect", settings, site.nets())
                    .fixed("curve", curve)
                    .fixed("bends", bends)
                    .fixed("points", points)
                    .keep(folder);
            List<Net> nets = site.nets();
            List<Connection.Result> results = new ArrayList<>();
            for (int i = 0; i + 1 < nets.size(); i++) {
                Path place = nets.size() == 2 ? folder : LandscapeOptions.make(folder.resolve("leg-" + (i + 1)));
                results.add(new Connection(
                                site.device(),
                                site.material(),
                                site.terrain(),
                                site.graph(),
                                course,
                                place,
                                bars.progress())
                        .run(nets.get(i), nets.get(i + 1), points));
            }
            new ConnectReport(results, facts(site, settings)).write(folder);
        }
    }

    private Settings settings(Model model) {
        List<String> flags = new ArrayList<>(
                List.of("--epochs=" + epochs, "--lr=" + lr, "--momentum=" + momentum, "--wd=" + weightDecay));
        if (nesterov) flags.add("--nesterov");
        if (spareVectors) flags.add("--no-decay-vectors");
        return options.settings(model, flags.toArray(String[]::new));
    }

    private Map<String, String> facts(Site site, Settings s) {
        Map<String, String> facts = site.facts();
        facts.put("curve", curve + ", " + bends + (bends == 1 ? " bend" : " bends") + ", seed " + options.seed);
        facts.put(
                "training",
                epochs + " epochs, lr " + s.lr() + ", momentum " + s.momentum() + ", weight decay " + s.weightDecay()
                        + ", batches of " + s.batch());
        facts.put("measured", site.terrain().describe(site.graph()) + ", " + points + " points");
        return facts;
    }
}
