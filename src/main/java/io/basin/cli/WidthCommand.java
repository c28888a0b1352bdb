package io.basin.cli;

import io.basin.geometry.Rays;
import io.basin.train.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures how wide the optima are that nets lie in. */
@Command(
        name = "width",
        description = {
            "How fast loss and error rise along the same random directions out of each net, and along the line from net to"
                    + " net. Files are grouped by the method and the seed in their headers. " + Site.LOSS,
            Site.STATISTICS
        },
        footer = {
            "",
            "Examples:",
            "  basin width runs/a/seed-1/sgd/sgd.safetensors runs/a/seed-1/swa/swa.safetensors",
            "  basin width runs/a/seed-*/sgd/sgd.safetensors runs/a/seed-*/swa/swa.safetensors --samples 5000"
                    + " --bn-samples 5000",
            "  basin width A.safetensors B.safetensors --directions 10 --points 12 --resume runs/width"
        })
final class WidthCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "weights that 'train' or 'compare' wrote, one model")
    private List<Path> files;

    @Mixin
    private LandscapeOptions options;

    @Option(names = "--directions", defaultValue = "5", description = "of each kind; default ${DEFAULT-VALUE}")
    private int directions;

    @Option(names = "--points", defaultValue = "10", description = "on each ray; default ${DEFAULT-VALUE}")
    private int points;

    @Option(
            names = "--distance",
            defaultValue = "0",
            description = "length of the raw rays; default the first net's length")
    private double distance;

    @Option(
            names = "--relative",
            defaultValue = "1",
            description =
                    "length of the filter-normalised rays, 1 being as long as the filters; default ${DEFAULT-VALUE}")
    private double relative;

    @Option(
            names = "--rise",
            defaultValue = "0.1",
            description =
                    "a net's width is where its mean training loss has risen by so many nats; default ${DEFAULT-VALUE}")
    private double rise;

    @Override
    public void run() {
        if (!(rise > 0)) throw new IllegalArgumentException("--rise must be positive, got " + rise);
        Model model = LandscapeOptions.sameModel(files);
        Rays.Course course = new Rays.Course(directions, points, distance, relative, options.seed);
        Settings settings = options.settings(model);
        Bars bars = new Bars();
        try (Site site = Site.open(options, model, settings, files, bars);
                Claim claim = options.claim("width", model)) {
            Path folder = claim.folder();
            Configuration configuration =
                    options.configuration("width", settings, site).fixed("course", course);
            configuration.keep(folder);
            Rays.Result result = new Rays(site.device(), site.terrain(), site.graph(), course, folder, bars.progress())
                    .run(site.nets(), pairs());
            new WidthReport(result, rise, facts(site, configuration)).write(folder);
        }
    }

    /** Lines within each seed from its first net to its others; where no seed has two nets, from the first file to the rest. */
    private List<int[]> pairs() {
        Map<String, List<Integer>> seeds = new LinkedHashMap<>();
        for (int i = 0; i < files.size(); i++) {
            seeds.computeIfAbsent(LandscapeOptions.seed(files.get(i)), s -> new ArrayList<>())
                    .add(i);
        }
        boolean together = seeds.values().stream().anyMatch(g -> g.size() > 1);
        List<int[]> pairs = new ArrayList<>();
        for (List<Integer> group : seeds.values()) {
            for (int k = 1; k < group.size(); k++) pairs.add(new int[] {group.get(0), group.get(k)});
        }
        if (!together) for (int k = 1; k < files.size(); k++) pairs.add(new int[] {0, k});
        return pairs;
    }

    private Map<String, String> facts(Site site, Configuration configuration) {
        Map<String, String> facts = site.facts(configuration);
        facts.put(
                "rays",
                directions + " raw and " + directions + " filter-normalised directions, the same for all nets,"
                        + " seed " + options.seed);
        facts.put("measured", site.terrain().describe(site.graph()));
        return facts;
    }
}
