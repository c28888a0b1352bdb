package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.compare.Material;
import io.basin.geometry.Connection;
import io.basin.geometry.Curve;
import io.basin.geometry.CurveTraining;
import io.basin.geometry.Net;
import io.basin.io.Json;
import io.basin.train.Schedule;
import io.basin.train.Settings;
import java.nio.file.Files;
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
            "  basin connect A.safetensors B.safetensors C.safetensors --curve PolyChain --num-bends 4 --epochs 20",
            "  basin connect A.safetensors B.safetensors --samples 10000 --bn-samples 10000 --out runs/curve",
            "  basin connect A.safetensors B.safetensors --samples 10000 --bn-samples 10000 --resume runs/curve"
        })
final class ConnectCommand implements Runnable {
    private static final String CONTROLS = "num_bends";

    @Parameters(paramLabel = "FILE", arity = "2..*", description = "weights that 'train' or 'compare' wrote, one model")
    private List<Path> files;

    @Mixin
    private LandscapeOptions options;

    @Option(names = "--curve", defaultValue = "Bezier", description = "Bezier or PolyChain; default ${DEFAULT-VALUE}")
    private Curve curve;

    @Option(
            names = "--num-bends",
            description = "control points, the two ends included, as the authors' code counts; default 3: one bend")
    private Integer controls;

    @Option(names = "--bends", description = "the same without the ends; default 1")
    private Integer between;

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
        int bends = bends();
        Model model = LandscapeOptions.sameModel(files);
        Settings settings = settings(model);
        Bars bars = new Bars();
        try (Site site = Site.open(options, model, settings, files, bars)) {
            CurveTraining.Course course = course(site.material(), settings, bends);
            try (Claim claim = options.claim("connect", model)) {
                connect(site, course, settings, bends, bars, claim.folder());
            }
        }
    }

    private void connect(Site site, CurveTraining.Course course, Settings settings, int bends, Bars bars, Path folder) {
        Configuration configuration = options.configuration("connect", settings, site)
                .fixed("curve", curve)
                .fixed("bends", bends)
                .fixed("points", points)
                .free(CONTROLS, bends + 2);
        configuration.keep(folder);
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
        new ConnectReport(results, facts(site, settings, bends, configuration)).write(folder);
    }

    private Settings settings(Model model) {
        List<String> flags = new ArrayList<>(
                List.of("--epochs=" + epochs, "--lr=" + lr, "--momentum=" + momentum, "--wd=" + weightDecay));
        if (nesterov) flags.add("--nesterov");
        if (spareVectors) flags.add("--no-decay-vectors");
        return options.settings(model, flags.toArray(String[]::new));
    }

    private CurveTraining.Course course(Material material, Settings settings, int bends) {
        int steps = (int) Math.max(1, Math.round(epochs * material.stepsPerEpoch()));
        Schedule rates = Schedule.sgdPaper(steps, lr);
        return new CurveTraining.Course(curve, bends, rates, settings, options.seed, material.mean(), material.std());
    }

    /** Bends between the ends. */
    private int bends() {
        if (controls == null) return between == null ? 1 : between;
        if (controls < 3) {
            throw new IllegalArgumentException(
                    "--num-bends counts the two ends too, so 3 is a curve with one bend; got " + controls
                            + (controls == 2 ? ", the straight line, which is measured beside every curve" : ""));
        }
        if (between != null && between != controls - 2) {
            throw new IllegalArgumentException("--num-bends " + controls + " is --bends " + (controls - 2) + ", not "
                    + between + ": name one of them");
        }
        requireSameCount();
        return controls - 2;
    }

    /** Folders from before {@link #CONTROLS} was kept were made when --num-bends left the ends out. */
    private void requireSameCount() {
        if (options.resume == null || !Files.exists(options.resume.resolve("config.json"))) return;
        JsonNode there = Json.read(options.resume.resolve("config.json"));
        int bends = there.path("bends").asInt(controls - 2);
        if (there.has(CONTROLS) || bends == controls - 2) return;
        throw new IllegalArgumentException(
                "--resume: " + options.resume + " was made when --num-bends left the ends out;" + " it has " + bends
                        + " between them, which is --num-bends " + (bends + 2) + " now");
    }

    private Map<String, String> facts(Site site, Settings s, int bends, Configuration configuration) {
        Map<String, String> facts = site.facts(configuration);
        facts.put(
                "curve",
                curve + ", " + (bends + 2) + " control points with the ends, so " + bends
                        + (bends == 1 ? " bend" : " bends") + " between them, seed " + options.seed);
        facts.put(
                "training",
                epochs + " epochs, lr " + s.lr() + ", momentum " + s.momentum() + ", weight decay " + s.weightDecay()
                        + ", batches of " + s.batch());
        facts.put("measured", site.terrain().describe(site.graph()) + ", " + points + " points");
        return facts;
    }
}
