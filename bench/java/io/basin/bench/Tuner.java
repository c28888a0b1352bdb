package io.basin.bench;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;

/**
 * Finds the peer's best settings for a net, one dimension after the other, and keeps them in a file by machine and net.
 * A challenger meets the champion in pairs of neighbouring runs, because a shared machine's speed drifts, and each run
 * counts by its best iteration, because what disturbs it only ever makes it slower.
 */
final class Tuner {
    private static final Fork.Length TRIAL = new Fork.Length(1, 4, 600);
    /** A challenger must win by this much; otherwise noise would pick exotic settings. */
    private static final double MARGIN = 1.01;

    private static final double DISTURBED = 0.7;
    private static final int MOST_PAIRS = 5;

    private final Path file;
    private final Properties known = new Properties();

    Tuner(Path file) {
        this.file = file;
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                known.load(reader);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    /** The kept settings, or after {@code again} or on a machine not seen before, freshly tuned ones. */
    PeerConfig best(Contest contest, boolean again) {
        String key = Machine.cpu() + "/" + Nets.threads() + "/" + (contest.isStep() ? contest.name() : contest.net());
        String kept = known.getProperty(key);
        if (kept != null && !again) {
            return PeerConfig.parse(kept);
        }
        PeerConfig winner = tune(contest);
        if (Machine.load() > 2.0 * Nets.threads()) {
            System.out.println("The machine is busy with other work: these settings serve this time and are not kept");
        } else {
            known.setProperty(key, winner.toString());
            save();
        }
        return winner;
    }

    private PeerConfig tune(Contest contest) {
        System.out.println("Tuning libtorch for " + contest.name() + ", load " + Machine.load());
        PeerConfig champion = PeerConfig.first(contest);
        for (Map.Entry<String, List<String>> dimension :
                PeerConfig.dimensions(contest).entrySet()) {
            String start = champion.choices().get(dimension.getKey());
            for (String option : dimension.getValue()) {
                PeerConfig challenger = champion.with(dimension.getKey(), option);
                if (!option.equals(start) && wins(contest, challenger, champion)) {
                    champion = challenger;
                }
            }
        }
        return champion;
    }

    /** Best of three pairs of runs; a pair whose champion ran far below its own record was disturbed and says nothing. */
    private static boolean wins(Contest contest, PeerConfig challenger, PeerConfig champion) {
        int won = 0;
        int lost = 0;
        double record = 0;
        for (int pair = 0; pair < MOST_PAIRS && won < 2 && lost < 2; pair++) {
            double reference = trial(contest, champion);
            double score = trial(contest, challenger);
            record = Math.max(record, reference);
            if (score > Math.max(reference, DISTURBED * record) * MARGIN) {
                won++;
            } else if (reference > DISTURBED * record) {
                lost++;
            }
        }
        return won > lost;
    }

    /** A setting that does not even start (no such library, no such instruction) simply loses. */
    private static double trial(Contest contest, PeerConfig config) {
        try {
            double best = Fork.peer(contest, config, TRIAL).best();
            System.out.printf(Locale.ROOT, "  %10.1f %s  %s%n", best, contest.unit(), config);
            return best;
        } catch (IllegalStateException e) {
            String[] lines = e.getMessage().strip().split("\n");
            System.out.printf(Locale.ROOT, "      failed %s  %s%n", config, lines[lines.length - 1]);
            return 0;
        }
    }

    private void save() {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (Writer writer = Files.newBufferedWriter(file)) {
                known.store(writer, "libtorch's best settings: cpu/threads/net");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
