package io.basin.cli;

import io.basin.landscape.LandscapeReport;
import io.basin.landscape.Net;
import io.basin.landscape.Rays;
import io.basin.landscape.WidthReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "width",
        description = {
            "How fast loss and error rise along the same random directions out of each net, and along the line from net to"
                    + " net. Files are grouped by the method and the seed in their headers. " + LandscapeReport.LOSS,
            LandscapeReport.STATISTICS
        },
        footer = {
            "",
            "Examples:",
            "  basin width runs/a/seed-1/sgd*/sgd.safetensors runs/a/seed-1/swa/swa.safetensors",
            "  basin width runs/a/seed-*/sgd*/sgd.safetensors runs/a/seed-*/swa/swa.safetensors --samples 10000"
                    + " --bn-samples 10000",
            "  basin width A.safetensors B.safetensors --directions 10 --points 12 --resume runs/width"
        })
final class WidthCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "weights that 'train' or 'compare' wrote, one model")
    private List<Path> files;

    @Mixin
    private LandscapeOptions options;

    @Option(names = "--directions", defaultValue = "5", description = "of each kind")
    private int directions;

    @Option(names = "--points", defaultValue = "10", description = "on each ray")
    private int points;

    @Option(
            names = "--distance",
            defaultValue = "0",
            description =
                    "length of the raw rays; default the first net's length; both kinds are made up to eight times as long"
                            + " until --rise is reached")
    private double distance;

    @Option(
            names = "--relative",
            defaultValue = "1",
            description = "length of the filter-normalised rays, 1 being as long as the filters")
    private double relative;

    @Option(
            names = "--rise",
            defaultValue = "0.1",
            description = "a net's width is where its mean training loss has risen by so many nats")
    private double rise;

    @Override
    public void run() {
        if (!(rise > 0)) throw new IllegalArgumentException("--rise must be positive, got " + rise);
        Rays.Config config = new Rays.Config(directions, points, distance, relative, options.seed);
        options.run("width", files, List.of(), new Carriers(), place -> {
            place.configuration().fixed("course", config);
            return (folder, facts) -> {
                facts.put(
                        "rays",
                        directions + " raw and " + directions + " filter-normalised directions, the same for all nets,"
                                + " seed " + options.seed);
                facts.put("measured", place.data().describe());
                Rays rays = new Rays(place.data(), config, folder, place.progress());
                return WidthReport.of(
                        rays.run(place.nets(), pairs(), rise), rise, place.data(), facts, FlagNames::said);
            };
        });
    }

    /** Lines within each seed from its first net to its others; where no seed has two nets, from the first file to the rest. */
    private List<int[]> pairs() {
        Map<String, List<Integer>> seeds = new LinkedHashMap<>();
        for (int i = 0; i < files.size(); i++) {
            seeds.computeIfAbsent(new Net("", files.get(i)).header("seed"), s -> new ArrayList<>())
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
}
