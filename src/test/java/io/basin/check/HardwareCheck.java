package io.basin.check;

import io.basin.check.Part.Outcome;
import io.basin.check.Part.Verdict;
import io.basin.text.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Proves Basin on a GPU within a given time: parts in processes of their own, one report in Markdown and one in JSON, written anew
 * after each part so that a check which is killed leaves what it had.
 *
 * <p>Exit codes: 0 every part passed, 1 a part failed or was stopped or the report could not be written, 2 wrong usage, 3 nothing
 * failed but something did not run.
 */
public final class HardwareCheck {
    static final double MINUTES = 12;
    /** Kept for writing the report. */
    private static final double RESERVE_SECONDS = 5;

    private final Path out;
    private final double seconds;
    private final double share;
    private final long start = System.nanoTime();
    private String unwritten = "";

    HardwareCheck(Path out, double minutes) {
        this.out = out;
        seconds = 60 * minutes - RESERVE_SECONDS;
        share = Math.min(1, minutes / MINUTES);
    }

    public static void main(String[] args) throws InterruptedException {
        try {
            System.exit(check(args));
        } catch (IllegalArgumentException e) {
            System.err.println("check.sh: " + e.getMessage());
            System.exit(2);
        }
    }

    private static int check(String... args) throws InterruptedException {
        Options options = Options.of(args);
        List<Part> parts = options.parts();
        options.open();
        HardwareCheck check = new HardwareCheck(options.out(), options.minutes());
        int code = code(check.run(parts));
        return check.unwritten().isEmpty() ? code : 1;
    }

    /** Why the report is not on the disk as it should be, or nothing. */
    String unwritten() {
        return unwritten;
    }

    /** Runs all parts in turn; each may take its own limit, shortened in a check of fewer than 12 minutes, or what is left. */
    List<Outcome> run(List<Part> parts) throws InterruptedException {
        List<Outcome> done = new ArrayList<>();
        CheckReport report = report(parts, done);
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            System.out.printf(Locale.ROOT, "%-60s ", part.title());
            System.out.flush();
            double left = seconds - (System.nanoTime() - start) / 1e9;
            Outcome outcome = PartRun.run(part, out.resolve(part.name() + ".log"), limit(parts, i, left));
            done.add(outcome);
            System.out.printf(
                    Locale.ROOT,
                    "%s, %.0f s%s%n",
                    outcome.verdict().text(),
                    outcome.seconds(),
                    outcome.reason().isEmpty() ? "" : ": " + outcome.reason());
            report = report(parts, done);
        }
        if (unwritten.isEmpty()) System.out.println("report: " + out.resolve(CheckReport.MARKDOWN));
        else System.out.println("the report, which could not be written: " + unwritten + "\n\n" + report.markdown());
        return done;
    }

    /** Seconds that the part of that number may take of those that are left; what is kept for later parts is not its own. */
    double limit(List<Part> parts, int number, double left) {
        int kept = parts.subList(number + 1, parts.size()).stream()
                .mapToInt(Part::kept)
                .sum();
        return Math.max(
                0, Math.min(left - share * kept, share * parts.get(number).seconds()));
    }

    /** A report that cannot be written, as on a full disk, ends no part: the next attempt may succeed, and the last is printed. */
    private CheckReport report(List<Part> parts, List<Outcome> done) {
        List<Outcome> all = new ArrayList<>(done);
        for (Part part : parts.subList(done.size(), parts.size())) {
            all.add(Outcome.notRun(part, "the check ended before it", share * part.seconds()));
        }
        CheckReport report = new CheckReport(all);
        try {
            report.write(out);
            unwritten = "";
        } catch (RuntimeException e) {
            unwritten = Reason.of(e);
            System.err.println("check.sh: " + unwritten + "; the check goes on");
        }
        return report;
    }

    static int code(List<Outcome> outcomes) {
        if (outcomes.stream().allMatch(o -> o.verdict() == Verdict.PASSED)) return outcomes.isEmpty() ? 2 : 0;
        return outcomes.stream().allMatch(o -> o.verdict() == Verdict.PASSED || o.verdict() == Verdict.NOT_RUN) ? 3 : 1;
    }
}
