package io.basin.bench;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Basin against libtorch: alternates the two, each run in a fresh process, and prints the median of the paired ratios.
 * Pairs, because a shared machine's speed drifts by more than the two differ; fresh processes, because the two OpenMP
 * runtimes must not meet and because memory layout differs from start to start.
 */
@Command(name = "compare", mixinStandardHelpOptions = true, showDefaultValues = true)
public final class CompareMain implements Runnable {
    @Option(
            names = "--nets",
            split = ",",
            description =
                    "mlp, smallcnn, preresnet20, vgg16-bn, smallcnn-bf16, smallcnn-bf16-autocast, step and step-fused"
                            + " (the update alone), average (alone), combine, bend and moments (other passes over all weights), plane"
                            + " and plane-batched (a loss surface, in one pass over all samples or as the peer does it)")
    private List<String> nets = Contest.all();

    @Option(names = "--rounds", description = "pairs of runs")
    private int rounds = 5;

    @Option(names = "--iterations", description = "measured iterations of a run; its score is their median")
    private int iterations = 5;

    @Option(names = "--seconds", description = "length of an iteration")
    private double seconds = 2;

    @Option(names = "--tune", description = "tune the peer again, even where its best settings are known")
    private boolean tune;

    @Option(names = "--peer", description = "settings of the peer as the tuner prints them, instead of tuned ones")
    private String peer;

    @Option(names = "--tuned", description = "where tuned settings are kept")
    private Path tuned = Path.of(System.getProperty("user.home"), ".cache", "basin", "peer.properties");

    @Option(names = "--results", description = "directory of the Markdown report")
    private Path results = Path.of("bench", "results");

    private final String commandLine;

    private CompareMain(String commandLine) {
        this.commandLine = commandLine;
    }

    public static void main(String[] args) {
        System.exit(new CommandLine(new CompareMain(String.join(" ", args))).execute(args));
    }

    @Override
    public void run() {
        Fork.Length length = new Fork.Length(2, iterations, Math.round(seconds * 1000));
        Tuner tuner = new Tuner(tuned);
        Report report = new Report(commandLine);
        for (String name : nets) {
            run(new Contest(name), tuner, length, report);
            write(report);
        }
        System.out.println(report.markdown());
        System.out.println("Written to " + write(report));
    }

    private void run(Contest contest, Tuner tuner, Fork.Length length, Report report) {
        if (!supports(contest.precision())) {
            String why = "this processor does not compute in " + contest.precision();
            System.out.println(contest.name() + ": " + why);
            report.skip(contest, why);
            return;
        }
        PeerConfig config = peer == null ? tuner.best(contest, tune) : PeerConfig.parse(peer);
        report.add(contest, config, rounds(contest, config, length));
    }

    private static boolean supports(Precision precision) {
        try (Device device = Devices.open("cpu", 1)) {
            return device.supports(precision);
        }
    }

    /** After each contest anew, so that an interrupted comparison keeps what it has. */
    private Path write(Report report) {
        try {
            return report.write(results);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A B A B; each pair is two neighbours in time. */
    private List<Report.Pair> rounds(Contest contest, PeerConfig config, Fork.Length length) {
        System.out.println(contest.name() + ": libtorch with " + config);
        List<Report.Pair> pairs = new ArrayList<>();
        for (int i = 0; i < rounds; i++) {
            Fork.MethodScore basin = Fork.basin(contest, length);
            Fork.MethodScore torch = Fork.peer(contest, config, length);
            Report.Pair pair = new Report.Pair(basin, torch, Fork.ceiling(contest, length));
            System.out.printf(Locale.ROOT, "  round %d of %d: %s, load %s%n", i + 1, rounds, pair, Machine.load());
            pairs.add(pair);
        }
        return pairs;
    }
}
