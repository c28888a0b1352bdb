package io.basin.check;

import io.basin.check.Part.Outcome;
import io.basin.check.Part.Verdict;
import io.basin.text.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** Runs a part's programs in processes of their own, so that one that hangs or crashes is the end of that part alone. */
final class PartRun {
    /** Exit code of a program that has nothing to run on; its last line says what is missing. */
    static final int ABSENT = 3;

    private static final String UNCOVERED = "NOT COVERED";
    /** A part that has less time than this is not begun. */
    private static final double LEAST_SECONDS = 2;
    /** Waited for a program that was killed. */
    private static final int KILL_SECONDS = 5;

    private final Part part;
    private final Path log;
    private final double limit;
    private final long start = System.nanoTime();
    private final List<String> faults = new ArrayList<>();
    private int absent;
    private boolean late;

    private PartRun(Part part, Path log, double limit) {
        this.part = part;
        this.log = log;
        this.limit = limit;
    }

    /**
     * Runs it.
     *
     * @param log of what its programs print
     * @param limit in seconds
     */
    static Outcome run(Part part, Path log, double limit) throws InterruptedException {
        if (limit < LEAST_SECONDS) return Outcome.notRun(part, "no time was left for it", limit);
        PartRun run = new PartRun(part, log, limit);
        try {
            Files.writeString(log, "");
            for (List<String> program : part.programs()) run.program(program);
            return run.outcome();
        } catch (IOException e) {
            // What it printed is its proof.
            String why = "its log " + log + " cannot be written or read: " + Reason.of(e);
            return new Outcome(part, Verdict.FAILED, why, run.elapsed(), limit, List.of());
        }
    }

    private double elapsed() {
        return (System.nanoTime() - start) / 1e9;
    }

    private void program(List<String> command) throws IOException, InterruptedException {
        double left = limit - elapsed();
        if (late || left <= 0) {
            late = true;
            return;
        }
        long before = Files.size(log);
        try {
            String seconds = String.valueOf((int) left);
            Process process = new ProcessBuilder(command.stream()
                            .map(w -> w.replace(Part.LIMIT, seconds))
                            .toList())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor((long) (1000 * left), TimeUnit.MILLISECONDS)) {
                late = true;
                if (!kill(process, KILL_SECONDS)) {
                    faults.add("a program did not end within " + KILL_SECONDS
                            + " s of being killed and may hold the GPU through the parts after this one");
                }
            } else if (process.exitValue() == ABSENT) {
                absent++;
            } else if (process.exitValue() != 0) {
                String error = LastError.of(lines(before));
                faults.add("a program ended with exit code " + process.exitValue()
                        + (error.isEmpty() ? "" : ": " + error));
            }
        } catch (IOException e) {
            faults.add("a program does not start: " + e.getMessage());
            absent++;
        }
    }

    /**
     * First the program, which would go on after a child that is gone; then what it leaves, which may hold the GPU.
     *
     * @return whether the program is gone; one that is stuck in the driver heeds no signal until that lets go of it
     */
    static boolean kill(Process process, int seconds) throws InterruptedException {
        List<ProcessHandle> children = process.descendants().toList();
        boolean gone = process.destroyForcibly().waitFor(seconds, TimeUnit.SECONDS);
        children.forEach(ProcessHandle::destroyForcibly);
        return gone;
    }

    /** Of the log, from a byte on. */
    private List<String> lines(long from) throws IOException {
        byte[] bytes = Files.readAllBytes(log);
        int at = (int) Math.min(from, bytes.length);
        return new String(bytes, at, bytes.length - at, StandardCharsets.UTF_8)
                .lines()
                .toList();
    }

    private Outcome outcome() throws IOException {
        List<String> lines = lines(0);
        Outcome bare = new Outcome(part, Verdict.PASSED, "", elapsed(), limit, lines);
        String found = bare.proven() + " of the " + part.times() + " results that it should have are there";
        if (absent == part.programs().size()) {
            String last = lines.isEmpty() ? String.join("; ", faults) : lines.get(lines.size() - 1);
            return with(bare, Verdict.NOT_RUN, last);
        }
        if (late) {
            faults.add(0, String.format(Locale.ROOT, "stopped after %.0f s", limit));
            return with(bare, Verdict.TIMED_OUT, faults(found));
        }
        if (!faults.isEmpty()) return with(bare, Verdict.FAILED, faults(found));
        // Tests say so where they could not look at something; they count as successful all the same.
        String open = String.join(
                "; ",
                lines.stream().filter(l -> l.startsWith(UNCOVERED)).distinct().toList());
        if (bare.proven() >= part.times()) return with(bare, Verdict.PASSED, open);
        faults.add(LastError.likely(lines).orElse("every program ended well"));
        return with(bare, bare.proven() == 0 ? Verdict.FAILED : Verdict.INCOMPLETE, faults(found));
    }

    private String faults(String found) {
        return faults.stream().distinct().collect(Collectors.joining("; ")) + "; " + found;
    }

    private static Outcome with(Outcome o, Verdict verdict, String reason) {
        return new Outcome(o.part(), verdict, reason, o.seconds(), o.limit(), o.lines());
    }
}
