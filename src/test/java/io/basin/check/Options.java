package io.basin.check;

import io.basin.text.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The hardware check's command line; what is wrong with it is an IllegalArgumentException of one sentence that names the flag.
 *
 * @param home folder of the archive
 * @param work folder for what the check leaves beside its report
 * @param names of the parts to run; all where empty
 */
record Options(Path home, Path work, Path out, double minutes, boolean rehearsal, List<String> names) {
    static final String USAGE = "usage: check.sh [--out FOLDER] [--minutes N] [--rehearsal] [--parts NAME,...]";
    private static final double LEAST = 0.1;
    private static final double MOST = 1440;

    static Options of(String... args) {
        Path home = Path.of("");
        Path work = home;
        Path out = Path.of("basin-check-results");
        double minutes = HardwareCheck.MINUTES;
        boolean rehearsal = false;
        List<String> names = List.of();
        Iterator<String> words = List.of(args).iterator();
        while (words.hasNext()) {
            String flag = words.next();
            switch (flag) {
                case "--rehearsal" -> rehearsal = true;
                case "--home" -> home = Path.of(value(flag, "a folder", words));
                case "--work" -> work = Path.of(value(flag, "a folder", words));
                case "--out" -> out = Path.of(value(flag, "a folder for the results", words));
                case "--minutes" -> minutes = minutes(value(flag, "a number of minutes", words));
                case "--parts" ->
                    names = List.of(value(flag, "names of parts", words).split(",", -1));
                default -> throw new IllegalArgumentException("there is no " + flag + "; " + USAGE);
            }
        }
        return new Options(home, work, out, minutes, rehearsal, names);
    }

    private static String value(String flag, String what, Iterator<String> words) {
        String value = words.hasNext() ? words.next() : "";
        if (value.isBlank() || value.startsWith("--")) {
            throw new IllegalArgumentException(flag + " must be followed by " + what + "; " + USAGE);
        }
        return value;
    }

    private static double minutes(String value) {
        double minutes;
        try {
            minutes = Double.parseDouble(value);
        } catch (NumberFormatException e) {
            minutes = Double.NaN;
        }
        if (minutes >= LEAST && minutes <= MOST) return minutes;
        throw new IllegalArgumentException("--minutes is " + value + "; it must be a number from " + LEAST + " to "
                + (int) MOST + ", such as the default, " + (int) HardwareCheck.MINUTES);
    }

    /** Those asked for, in their own order. */
    List<Part> parts() {
        List<Part> all = new Parts(home, work, rehearsal).all();
        List<String> known = all.stream().map(Part::name).toList();
        String unknown = names.stream()
                .filter(n -> !known.contains(n))
                .map(n -> "'" + n + "'")
                .collect(Collectors.joining(", "));
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "--parts names " + unknown + ", but the parts are " + String.join(", ", known));
        }
        return all.stream()
                .filter(p -> names.isEmpty() || names.contains(p.name()))
                .toList();
    }

    /** Makes the folder of the results: one that takes no files is better found before twelve minutes than after them. */
    void open() {
        try {
            // A link to a folder is one, which createDirectories refuses.
            if (!Files.isDirectory(out)) Files.createDirectories(out);
            Files.delete(Files.createTempFile(out, ".probe", ".tmp"));
        } catch (IOException e) {
            String why = Files.exists(out) && !Files.isDirectory(out) ? "it is a file, not a folder" : Reason.of(e);
            throw new IllegalArgumentException(
                    "--out: no results can be written to " + out + " (" + why + "); name a folder that takes files", e);
        }
    }
}
