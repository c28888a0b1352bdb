package io.basin.campaign;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Tries to make Basin lose work or compute something else without a word, with chances that change from run to run: {@code mvn
 * -Pcampaign verify [-Dcampaign.minutes=20] [-Dcampaign.seed=N] [-Dcampaign.only=kills|pairs|flips|files|rounds]}. The counts are printed
 * and written to {@code bench/results/campaign-DATE.md}; any failure ends it with exit code 1.
 */
public final class Campaign {
    private static final List<Part> PARTS =
            List.of(new KillsPart(), new PairsPart(), new FlipsPart(), new FilesPart(), new RoundsPart());

    private Campaign() {}

    /** @param args minutes for all parts together, the seed or {@code fresh}, and the name of the only part or {@code all} */
    public static void main(String[] args) throws Exception {
        double minutes = Double.parseDouble(args[0]);
        long seed = args[1].equals("fresh") ? System.nanoTime() : Long.parseLong(args[1]);
        System.out.println("campaign of " + minutes + " minutes, seed " + seed);
        StringBuilder table = new StringBuilder("| part | tried | held | failed |\n|---|---:|---:|---:|\n");
        StringBuilder notes = new StringBuilder();
        int failed = 0;
        Instant start = Instant.now();
        List<Part> parts = PARTS.stream()
                .filter(p -> args[2].equals("all") || p.name().equals(args[2]))
                .toList();
        if (parts.isEmpty()) throw new IllegalArgumentException("no part of the campaign is called " + args[2]);
        for (int i = 0; i < parts.size(); i++) {
            Part part = parts.get(i);
            // What one part leaves of its time is the next ones'.
            Instant deadline = start.plus(Duration.ofMillis((long) (minutes * 60_000 * (i + 1) / parts.size())));
            Counts counts = run(part, seed + i, deadline);
            int held = counts.tried() - counts.failed();
            table.append(String.format(
                    Locale.ROOT, "| %s | %d | %d | %d |%n", part.name(), counts.tried(), held, counts.failed()));
            for (String note : counts.notes())
                notes.append("- ").append(part.name()).append(": ").append(note).append('\n');
            failed += counts.failed();
        }
        System.out.println(table + "\n" + notes);
        write(minutes, seed, args[2], Duration.between(start, Instant.now()), table + "\n" + notes);
        if (failed > 0) System.exit(1);
    }

    private static Counts run(Part part, long seed, Instant deadline) throws Exception {
        Path place = Files.createTempDirectory("campaign");
        try {
            return part.run(place, seed, deadline);
        } finally {
            try (Stream<Path> files = Files.walk(place)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
            }
        }
    }

    private static void write(double minutes, long seed, String only, Duration took, String results)
            throws IOException {
        Path file = Path.of(
                "bench", "results", "campaign-" + (only.equals("all") ? "" : only + "-") + LocalDate.now() + ".md");
        Files.writeString(
                file,
                "# Campaign\n\nCommand: `mvn -Pcampaign verify -Dcampaign.minutes=" + minutes + " -Dcampaign.seed="
                        + seed + (only.equals("all") ? "" : " -Dcampaign.only=" + only)
                        + "`, commit " + commit() + ", " + took.toMinutes() + " minutes.\nMachine: " + machine()
                        + "\n\nA case holds where a killed run ends with the bytes of an undisturbed one, a pair leaves one"
                        + " whole run or two, a job whose workers are killed ends with the bits of a quiet one, and a damaged file is read or refused by name.\n\n"
                        + results);
        System.out.println("written to " + file);
    }

    private static String commit() throws IOException {
        Process git = new ProcessBuilder("git", "describe", "--always", "--dirty").start();
        return new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    private static String machine() throws IOException {
        String processor = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(l -> l.startsWith("model name"))
                .map(l -> l.substring(l.indexOf(':') + 2))
                .findFirst()
                .orElse("unknown");
        return processor + ", " + Runtime.getRuntime().availableProcessors() + " cores, JDK "
                + System.getProperty("java.runtime.version") + ", Linux " + System.getProperty("os.version") + ".";
    }
}
