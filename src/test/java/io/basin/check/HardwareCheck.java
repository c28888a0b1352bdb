package io.basin.check;

import io.basin.check.Part.Outcome;
import io.basin.check.Part.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Proves Basin on a GPU within a given time: parts in processes of their own, one report in Markdown and one in JSON, written anew
 * after each part so that a check which is killed leaves what it had.
 *
 * <p>Exit codes: 0 every part passed, 1 a part failed or was stopped, 2 wrong usage, 3 nothing failed but something did not run.
 */
public final class HardwareCheck {
    private static final double MINUTES = 12;
    /** Kept for writing the report. */
    private static final double RESERVE_SECONDS = 5;

    private final Path out;
    private final double seconds;
    private final long start = System.nanoTime();

    HardwareCheck(Path out, double minutes) {
        this.out = out;
        seconds = 60 * minutes - RESERVE_SECONDS;
    }

    public static void main(String[] args) throws IOException, InterruptedException {
        Path home = Path.of("");
        Path out = Path.of("basin-check-results");
        double minutes = MINUTES;
        boolean rehearsal = false;
        List<String> only = List.of();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rehearsal" -> rehearsal = true;
                case "--home" -> home = Path.of(args[++i]);
                case "--out" -> out = Path.of(args[++i]);
                case "--minutes" -> minutes = Double.parseDouble(args[++i]);
                case "--parts" -> only = List.of(args[++i].split(","));
                default -> {
                    System.err.println(
                            "usage: check.sh [--out FOLDER] [--minutes N] [--rehearsal] [--parts NAME,...]; there is no "
                                    + args[i]);
                    System.exit(2);
                }
            }
        }
        List<String> wanted = only;
        List<Part> parts = new Parts(home, rehearsal)
                .all().stream()
                        .filter(p -> wanted.isEmpty() || wanted.contains(p.name()))
                        .toList();
        System.exit(code(new HardwareCheck(out, minutes).run(parts)));
    }

    /** Runs all parts in turn; each may take its own limit, shortened in a check of fewer than 12 minutes, or what is left. */
    List<Outcome> run(List<Part> parts) throws IOException, InterruptedException {
        Files.createDirectories(out);
        List<Outcome> done = new ArrayList<>();
        report(parts, done);
        double share = Math.min(1, (seconds + RESERVE_SECONDS) / (60 * MINUTES));
        for (Part part : parts) {
            System.out.printf(Locale.ROOT, "%-60s ", part.title());
            System.out.flush();
            double left = seconds - (System.nanoTime() - start) / 1e9;
            Outcome outcome =
                    PartRun.run(part, out.resolve(part.name() + ".log"), Math.min(left, share * part.seconds()));
            done.add(outcome);
            report(parts, done);
            System.out.printf(
                    Locale.ROOT,
                    "%s, %.0f s%s%n",
                    outcome.verdict().text(),
                    outcome.seconds(),
                    outcome.reason().isEmpty() ? "" : ": " + outcome.reason());
        }
        System.out.println("report: " + out.resolve(CheckReport.MARKDOWN));
        return done;
    }

    private void report(List<Part> parts, List<Outcome> done) throws IOException {
        List<Outcome> all = new ArrayList<>(done);
        for (Part part : parts.subList(done.size(), parts.size()))
            all.add(Outcome.notRun(part, "the check ended before it"));
        new CheckReport(all).write(out);
    }

    static int code(List<Outcome> outcomes) {
        if (outcomes.stream().allMatch(o -> o.verdict() == Verdict.PASSED)) return outcomes.isEmpty() ? 2 : 0;
        return outcomes.stream().allMatch(o -> o.verdict() == Verdict.PASSED || o.verdict() == Verdict.NOT_RUN) ? 3 : 1;
    }
}
