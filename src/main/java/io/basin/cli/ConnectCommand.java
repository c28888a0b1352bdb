package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.device.Sgd;
import io.basin.io.Folders;
import io.basin.io.Json;
import io.basin.io.Notices;
import io.basin.landscape.ConnectReport;
import io.basin.landscape.Connection;
import io.basin.landscape.Curve;
import io.basin.landscape.CurveTraining;
import io.basin.landscape.LandscapeReport;
import io.basin.landscape.Net;
import io.basin.methods.Budget;
import io.basin.methods.Remarks;
import io.basin.methods.Schedule;
import io.basin.rounds.Shares;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "connect",
        description =
                "Trains a curve of low loss between two nets, or from net to net through several, and measures loss and"
                        + " error along it and along the straight line. " + LandscapeReport.LOSS,
        footer = {
            "",
            "Examples:",
            "  basin connect runs/a/seed-1/sgd*/sgd.safetensors runs/a/seed-2/sgd*/sgd.safetensors",
            "  basin connect A.safetensors B.safetensors C.safetensors --curve PolyChain --num-bends 4 --epochs 20",
            "  basin connect A.safetensors B.safetensors --samples 10000 --bn-samples 10000 --out runs/curve",
            "  basin connect --resume runs/curve"
        })
final class ConnectCommand implements Runnable, Carriers.Carried {
    private static final String CONTROLS = "num_bends";

    @Parameters(paramLabel = "FILE", arity = "2..*", description = "weights that 'train' or 'compare' wrote, one model")
    private List<Path> files;

    @Mixin
    private LandscapeOptions options;

    @Mixin
    private Carriers carriers;

    @Option(names = "--curve", defaultValue = "Bezier", description = "Bezier or PolyChain")
    private Curve curve;

    @Option(
            names = "--num-bends",
            description = "control points, the two ends included, as the authors' code counts; default 3: one bend")
    private Integer controls;

    @TrainingOptions.Sets("bends")
    @Option(names = "--bends", description = "the same without the ends; default 1")
    private Integer between;

    @Option(names = "--epochs", defaultValue = "10", description = "of each curve's training")
    private double epochs;

    @Option(names = "--lr", defaultValue = "0.03", description = "initial learning rate")
    private double lr;

    @Option(names = "--momentum", defaultValue = "0.9", description = "default ${DEFAULT-VALUE}")
    private double momentum;

    @Option(names = "--nesterov", description = "Nesterov's momentum")
    private boolean nesterov;

    @Option(names = "--wd", defaultValue = "5e-4", description = "weight decay of w(t)")
    private double weightDecay;

    @Option(names = "--no-decay-vectors", description = "spare biases and batch norm from weight decay")
    private boolean spareVectors;

    @Option(names = "--free-ends", description = "train the curve's ends, too, from the nets on; default: they stay")
    private boolean freeEnds;

    @Option(names = "--points", defaultValue = "61", description = "values of t that are measured, evenly from 0 to 1")
    private int points;

    @Override
    public void run() {
        if (points < 2) throw new IllegalArgumentException("--points must be at least 2, got " + points);
        int bends = bends();
        Sgd sgd = new Sgd(momentum, weightDecay, nesterov);
        options.run("connect", files, List.of(), carriers, sgd, !spareVectors, place -> {
            CurveTraining.CurveConfig config = config(place, bends);
            place.configuration()
                    .fixed("budget", new Budget(epochs, lr))
                    .fixed("curve", curve)
                    .fixed("bends", bends)
                    .fixed("points", points)
                    .fixed("free-ends", freeEnds)
                    .free(CONTROLS, bends + 2);
            return (folder, facts) -> connect(place, config, folder, facts);
        });
    }

    private CurveTraining.CurveConfig config(LandscapeOptions.Place place, int bends) {
        Splits splits = place.splits();
        FlagNames.say(Remarks.of(epochs, splits.stepsPerEpoch()), Notices::note);
        int steps = (int) Math.max(1, Math.round(epochs * splits.stepsPerEpoch()));
        Schedule rates = Schedule.sgdPaper(steps, lr);
        return new CurveTraining.CurveConfig(
                curve, bends, rates, place.settings(), options.seed, splits.augmentation(), freeEnds);
    }

    private LandscapeReport connect(
            LandscapeOptions.Place place, CurveTraining.CurveConfig config, Path folder, Map<String, String> facts) {
        List<Net> nets = place.nets();
        List<Connection.Result> results = place.measured(folder, points, run -> {
            List<Connection.Result> legs = new ArrayList<>();
            for (int i = 0; i + 1 < nets.size(); i++) {
                Path leg = nets.size() == 2 ? folder : Folders.make(folder.resolve("leg-" + (i + 1)));
                Connection joined = new Connection(place.data(), config, leg, place.progress());
                if (run != null) joined.by(run, i);
                legs.add(joined.run(nets.get(i), nets.get(i + 1), points));
            }
            return legs;
        });
        int bends = config.bends();
        facts.put(
                "curve",
                curve + ", " + (bends + 2) + " control points with the ends, so " + bends
                        + (bends == 1 ? " bend" : " bends") + " between them" + (freeEnds ? ", ends free" : "")
                        + ", seed " + options.seed);
        facts.put(
                "training",
                epochs + " epochs, lr " + lr + ", momentum " + momentum + ", weight decay " + weightDecay
                        + ", batches of " + place.settings().data().batch());
        facts.put("measured", place.data().describe() + ", " + points + " points");
        return ConnectReport.of(results, place.data().samplingError(), facts);
    }

    @Override
    public Flags.On on() {
        return options;
    }

    @Override
    public Shares shares() {
        return options.shares(files);
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
        if (options.resume == null) return;
        Path kept = options.resume.resolve(Configuration.FILE);
        if (!Files.exists(kept)) return;
        JsonNode there = Json.read(kept);
        int bends = there.path("bends").asInt(controls - 2);
        if (there.has(CONTROLS) || bends == controls - 2) return;
        throw new IllegalArgumentException(
                "--resume: " + options.resume + " was made when --num-bends left the ends out;" + " it has " + bends
                        + " between them, which is --num-bends " + (bends + 2) + " now");
    }
}
