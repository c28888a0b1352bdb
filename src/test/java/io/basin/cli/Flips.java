package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Flips single bits of a finished or interrupted run's files and resumes: each flip must be refused by the file's name, or change
 * nothing but that file. Longer campaigns call {@link #all} with seeds of their own.
 */
public final class Flips {
    /** A run that {@code resume} goes on with without training anything. */
    private record Run(Path folder, List<Object> resume) {
        Shell again() {
            return Shell.run(resume.toArray());
        }
    }

    private final Path data;
    private final Path folder;
    private final int count;
    private final SplittableRandom random;
    private int tried;

    private Flips(Path folder, long seed, int count) {
        this.folder = folder;
        this.count = count;
        data = Shell.grey(folder.resolve("data"), 120, 30);
        random = new SplittableRandom(seed);
    }

    /**
     * Flips {@code count} bits in each kind of file that a run's or a landscape's resume reads, one at a time.
     *
     * @return how many flips held; the first that does not is an AssertionError
     */
    public static int all(Path folder, long seed, int count) throws IOException {
        Flips flips = new Flips(folder, seed, count);
        Run finished = flips.trained("finished");
        for (String kind : List.of("config.json", "scores.json", "evidence.json", "metrics.jsonl"))
            flips.each(finished, kind);
        for (String kind : List.of("checkpoint", "member-", "swag.", "sample-")) flips.each(finished, kind);
        Run interrupted = flips.trained("interrupted");
        Files.delete(find(interrupted.folder(), "scores.json"));
        for (String kind : List.of("checkpoint", "member-", "metrics.jsonl")) flips.each(interrupted, kind);
        Run curve = flips.landscape("connect", 2, "--epochs", 1, "--points", 2);
        for (String kind : List.of("config.json", "curve.", "training.jsonl", "points.jsonl", "bend-1")) {
            flips.each(curve, kind);
        }
        flips.each(flips.landscape("width", 1, "--directions", 1, "--points", 1), "rays.jsonl");
        Run plane = flips.landscape("surface", 1, "--directions", "filter", "--grid", 2);
        flips.each(plane, "cells.jsonl");
        for (Run run : List.of(curve, plane)) flips.outputs(run);
        return flips.tried;
    }

    private Run trained(String name) {
        Path run = folder.resolve(name);
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--method", "swag"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 20, "--batch-size", 50, "--epochs", 2));
        args.addAll(List.of("--swa-start", 0.25, "--swa-cycle", 0.5, "--swag-samples", 1, "--swag-rank", 2));
        args.addAll(List.of("--keep", "all", "--keep-samples", "--device", "cpu", "--threads", 1));
        return begun(run, args);
    }

    private Run landscape(String command, int nets, Object... flags) throws IOException {
        List<Object> args = new ArrayList<>(List.of(command));
        try (Stream<Path> files = Files.walk(folder.resolve("finished"))) {
            args.addAll(files.filter(f -> f.getFileName().toString().startsWith("member-"))
                    .sorted()
                    .limit(nets)
                    .toList());
        }
        args.addAll(List.of("--data-dir", data, "--validation", 20, "--batch-size", 50, "--device", "cpu"));
        args.addAll(List.of("--samples", 20, "--bn-samples", 20, "--threads", 1));
        args.addAll(Arrays.asList(flags));
        return begun(folder.resolve(command), args);
    }

    private static Run begun(Path run, List<Object> args) {
        List<Object> out = new ArrayList<>(args);
        out.addAll(List.of("--out", run));
        Shell shell = Shell.run(out.toArray());
        assertEquals(0, shell.code(), shell.err());
        args.addAll(List.of("--resume", run));
        return new Run(run, args);
    }

    private static Path find(Path folder, String kind) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith(kind))
                    .sorted()
                    // The merged metrics lie above those of the group, which the resume reads.
                    .max((a, b) -> Integer.compare(a.getNameCount(), b.getNameCount()))
                    .orElseThrow(() -> new AssertionError(folder + " has no " + kind));
        }
    }

    /** One bit at a time, {@link #count} times. */
    private void each(Run run, String kind) throws IOException {
        Path file = find(run.folder(), kind);
        Map<Path, byte[]> before = files(run.folder());
        byte[] right = before.get(file);
        for (int i = 0; i < count; i++) {
            int bit = random.nextInt(8 * right.length);
            byte[] wrong = right.clone();
            wrong[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(file, wrong);
            Shell shell = run.again();
            String what = file + ", bit " + bit + ": " + shell.err();
            Map<Path, byte[]> after = files(run.folder());
            if (shell.code() != 0) {
                assertTrue(shell.complaint().contains(file.getFileName().toString()), what);
                assertTrue(!shell.complaint().contains("unexpected"), what);
            } else if (!Arrays.equals(after.get(file), right)) {
                assertArrayEquals(wrong, after.get(file), what);
            }
            restore(before, after, file, what);
            tried++;
        }
    }

    /** Many bits at once in files that nothing reads: the resume writes them anew. */
    private void outputs(Run run) throws IOException {
        Map<Path, byte[]> before = files(run.folder());
        for (Path file : before.keySet()) {
            String name = file.getFileName().toString();
            if (!name.matches("results\\.json|.*\\.(html|svg|png)")) continue;
            byte[] wrong = before.get(file).clone();
            for (int i = 0; i < count; i++) wrong[random.nextInt(wrong.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, wrong);
        }
        Shell shell = run.again();
        assertEquals(0, shell.code(), shell.err());
        Map<Path, byte[]> after = files(run.folder());
        for (Path file : before.keySet()) assertArrayEquals(before.get(file), after.get(file), file.toString());
    }

    /** Everything but the flipped file must be as it was, or not yet be there again. */
    private static void restore(Map<Path, byte[]> before, Map<Path, byte[]> after, Path flipped, String what)
            throws IOException {
        for (Map.Entry<Path, byte[]> entry : after.entrySet()) {
            byte[] known = before.get(entry.getKey());
            if (known == null) Files.delete(entry.getKey());
            else if (!entry.getKey().equals(flipped)) assertArrayEquals(known, entry.getValue(), what + entry.getKey());
        }
        assertTrue(after.keySet().containsAll(before.keySet()), what);
        Files.write(flipped, before.get(flipped));
    }

    private static Map<Path, byte[]> files(Path run) throws IOException {
        Map<Path, byte[]> found = new TreeMap<>();
        try (Stream<Path> all = Files.walk(run)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) found.put(file, timeless(file));
        }
        return found;
    }

    /** The file's bytes but for the minute in which a page was written. */
    private static byte[] timeless(Path file) throws IOException {
        if (!file.toString().endsWith(".html")) return Files.readAllBytes(file);
        String page = Files.readString(file, StandardCharsets.ISO_8859_1);
        return page.replaceAll("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC", "then").getBytes(StandardCharsets.ISO_8859_1);
    }
}
