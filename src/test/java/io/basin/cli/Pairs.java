package io.basin.cli;

import io.basin.io.JsonLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Two processes at one folder, and what must hold afterwards: {@link PairsTest} tries a few pairs, the campaign many. */
public final class Pairs {
    /** What the two processes do. */
    public enum Kind {
        START_AND_RESUME,
        TWO_RESUMES,
        TWO_STARTS
    }

    private static final int EPOCHS = 6;

    private final Path place;
    private final Path data;
    private final Map<String, String> environment;

    /**
     * @param place existing and empty, for all that is written
     * @param environment of the processes
     */
    public Pairs(Path place, Map<String, String> environment) {
        this.place = place;
        this.environment = environment;
        data = Shell.grey(place.resolve("data"), 120, 30);
    }

    private Child child(Object... more) throws IOException {
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--method", "sgd"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 20, "--batch-size", 10, "--epochs", EPOCHS));
        args.addAll(List.of("--device", "cpu", "--threads", 1, "--checkpoint-every", 3));
        args.addAll(List.of(more));
        return Child.start(place, environment, args);
    }

    /**
     * Lets a pair loose on one folder; when both have ended the run is resumed once more.
     *
     * @return what does not hold; empty if all does
     */
    public String onOneFolder(Kind kind, SplittableRandom random) throws IOException, InterruptedException {
        Path run = place.resolve("run-" + Long.toHexString(random.nextLong()));
        if (kind == Kind.TWO_RESUMES) killed(run, random);
        Child first = child(kind == Kind.TWO_RESUMES ? "--resume" : "--out", run);
        if (kind == Kind.START_AND_RESUME) await(run.resolve("config.json"), first);
        Thread.sleep(random.nextInt(300));
        Child second = child(kind == Kind.TWO_STARTS ? "--out" : "--resume", run);
        int[] codes = {first.code(), second.code()};
        String said = first.complained() + second.complained();
        if (codes[0] != 0 && codes[1] != 0) return "neither ended well: " + said;
        for (Child c : List.of(first, second)) {
            String words = c.complained();
            boolean refused = words.contains("in use by process")
                    || words.contains("is not empty")
                    || words.contains("holds no config.json");
            if (c.code() != 0 && !refused) return "one failed otherwise: " + words;
        }
        Child last = child("--resume", run);
        if (last.code() != 0) return "cannot be resumed any more: " + last.complained();
        int lines = JsonLines.read(run.resolve("seed-1/sgd/metrics.jsonl")).size();
        return lines == EPOCHS ? "" : lines + " lines of metrics";
    }

    /** A run that was killed after its first checkpoint. */
    private void killed(Path run, SplittableRandom random) throws IOException, InterruptedException {
        Child child = child("--out", run);
        await(run.resolve("seed-1/sgd/checkpoint.safetensors"), child);
        Thread.sleep(random.nextInt(50));
        child.process().destroyForcibly();
        child.code();
    }

    private static void await(Path file, Child child) throws InterruptedException {
        while (!Files.exists(file) && child.process().isAlive()) Thread.sleep(2);
    }

    /** Starts a pair at once that names no folder; each must have one of its own, and a whole run in it. */
    public String inOneSecond() throws IOException, InterruptedException {
        int before = runs();
        Child[] pair = {child(), child()};
        for (Child c : pair) if (c.code() != 0) return "failed: " + c.complained();
        if (pair[0].said()
                .substring(pair[0].said().indexOf("Weights: "))
                .equals(pair[1].said().substring(pair[1].said().indexOf("Weights: ")))) return "one folder for both";
        return runs() == before + 2 ? "" : "there are " + (runs() - before) + " whole runs";
    }

    private int runs() throws IOException {
        Path all = place.resolve("runs");
        if (!Files.exists(all)) return 0;
        try (Stream<Path> runs = Files.list(all)) {
            return (int) runs.filter(r -> Files.exists(r.resolve("seed-1/sgd/sgd.safetensors")))
                    .count();
        }
    }
}
