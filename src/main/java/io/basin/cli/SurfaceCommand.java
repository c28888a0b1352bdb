package io.basin.cli;

import io.basin.Nullable;
import io.basin.landscape.LandscapeReport;
import io.basin.landscape.Net;
import io.basin.landscape.Surface;
import io.basin.landscape.SurfaceReport;
import io.basin.rounds.Shares;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "surface",
        description = {
            "Training loss and test error over the plane through three nets, or around one net, as contours. "
                    + LandscapeReport.LOSS,
            LandscapeReport.STATISTICS
        },
        footer = {
            "",
            "Examples:",
            "  basin surface A.safetensors B.safetensors C.safetensors --samples 10000 --bn-samples 10000",
            "  basin surface A.safetensors B.safetensors C.safetensors --average swa.safetensors"
                    + " --trajectory member-100.safetensors member-200.safetensors",
            "  basin surface A.safetensors --plane-directions filter --grid 15",
            "  basin surface --curve runs/curve",
            "  basin surface A.safetensors B.safetensors C.safetensors --carrier processes --slots 4",
            "  basin surface --resume runs/plane"
        })
final class SurfaceCommand implements Runnable, Carriers.Carried {
    @Parameters(
            paramLabel = "FILE",
            arity = "0..*",
            description = "three weights files, or one with --plane-directions; with --curve default its ends and its"
                    + " middle bend")
    private List<Path> files = List.of();

    @Mixin
    private LandscapeOptions options;

    @Mixin
    private Carriers carriers;

    @Option(names = "--trajectory", arity = "1..*", description = "weights files to project, in the order of training")
    private List<Path> trajectory = List.of();

    @Option(
            names = "--curve",
            paramLabel = "DIR",
            description = "draw the curve of a 'connect' run on the plane; default none")
    private @Nullable Path curve;

    @Option(names = "--average", description = "weights file to mark as the average")
    private Path average;

    enum Around {
        RANDOM,
        FILTER
    }

    @Option(
            names = {"--plane-directions", "--directions"},
            description = "around one net: random, or filter (scaled to the net's filters)")
    private Around around;

    @Option(names = "--grid", defaultValue = "21", description = "cells along each axis")
    private int grid;

    @Option(
            names = {"--axis-from", "--from"},
            description = "start of both axes in extents; default -0.2, around one net -1")
    private Double from;

    @Option(
            names = {"--axis-to", "--to"},
            description = "end of both axes in extents; default 1.2, around one net 1")
    private Double to;

    @Option(
            names = "--distance",
            defaultValue = "0",
            description = "an extent around one net; default half of its length, with filter 1")
    private double distance;

    @Override
    public void run() {
        CurveMembers joined = joined();
        requireCount();
        Surface.Grid plan = plan();
        List<Path> drawn = marks();
        if (joined != null) joined.ends().forEach(end -> drawn.add(end.file()));
        options.run("surface", files, drawn, carriers, place -> {
            if (around == null) Surface.requirePlane(place.data(), place.nets());
            place.configuration().fixed("grid", plan);
            return (folder, facts) -> {
                if (curve != null) facts.put("curve", curve + ", projected");
                if (average != null) facts.put("average", average.toString());
                if (!trajectory.isEmpty()) {
                    facts.put("trajectory", trajectory.size() + " files, " + trajectory.get(0) + " first");
                }
                facts.put("plane", described(plan));
                facts.put("measured", place.data().describe() + ", at each of " + grid * grid + " cells");
                Surface.Result result = place.measured(folder, grid, run -> {
                    Surface surface = new Surface(place.data(), plan, folder, place.progress());
                    if (run != null) surface.by(run);
                    return surface.run(
                            place.nets(),
                            track(),
                            average == null ? null : new Net("average", average),
                            joined == null ? List.of() : joined.curves());
                });
                return SurfaceReport.of(result, plan, place.data(), warnings(), facts);
            };
        });
    }

    /** Null where no curve is named; else the plane goes through it where no files are. */
    private @Nullable CurveMembers joined() {
        CurveMembers joined = curve == null ? null : CurveMembers.of(curve);
        if (joined != null && files.isEmpty() && around == null) files = through(joined);
        return joined;
    }

    @Override
    public Flags.On on() {
        return options;
    }

    @Override
    public Shares shares() {
        joined();
        requireCount();
        return options.shares(files);
    }

    /** The first two ends of several curves and the one that follows, or both ends of one and its middle point. */
    private static List<Path> through(CurveMembers joined) {
        List<Path> first = joined.legs().get(0);
        List<Path> second = joined.legs().get(joined.legs().size() > 1 ? 1 : 0);
        Path middle = joined.legs().size() > 1 ? second.get(0) : first.get(first.size() / 2);
        return List.of(first.get(0), middle, second.get(second.size() - 1));
    }

    private List<Path> marks() {
        List<Path> marks = new ArrayList<>(trajectory);
        if (average != null) marks.add(average);
        return marks;
    }

    private void requireCount() {
        if (around == null && files.size() != 3) {
            throw new IllegalArgumentException("a plane takes three FILEs, got " + files.size()
                    + "; for the plane around one net say --plane-directions random or filter");
        }
        if (around != null && files.size() != 1) {
            throw new IllegalArgumentException(
                    "--plane-directions: the plane around a net takes one FILE, got " + files.size());
        }
    }

    private Surface.Grid plan() {
        Surface.Span span = around == null
                ? Surface.Span.NETS
                : around == Around.RANDOM ? Surface.Span.RANDOM : Surface.Span.FILTER;
        double low = from != null ? from : around == null ? -0.2 : -1;
        double high = to != null ? to : around == null ? 1.2 : 1;
        return new Surface.Grid(span, grid, low, high, distance, options.seed);
    }

    /** For people. */
    private String described(Surface.Grid plan) {
        String how = around == null
                ? "through three nets"
                : "around one net along two "
                        + (around == Around.RANDOM ? "random" : "random, filter-normalised")
                        + " directions, seed " + options.seed;
        return how + ", " + grid + " x " + grid + " points, from " + plan.low() + " to " + plan.high() + " of "
                + (around == null
                        ? "the nets' extents"
                        : distance > 0 ? "the distance " + distance : "the usual distance");
    }

    private List<Net> track() {
        return trajectory.stream()
                .map(f -> new Net(f.getFileName().toString(), f))
                .toList();
    }

    /** Notes on the origin of the picture's marks. */
    private List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        String run = init(files.get(0));
        long others = marks().stream().filter(f -> !init(f).equals(run)).count();
        if (others > 0) {
            warnings.add("Warning: " + others + " of the marked files come from another initialisation than "
                    + files.get(0).getFileName() + " (" + run + "): their places are projections from far away.");
        }
        return warnings;
    }

    private static String init(Path file) {
        return new Net("", file).header("init");
    }
}
