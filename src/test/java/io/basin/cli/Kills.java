package io.basin.cli;

import io.basin.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Commands that are killed at random moments and resumed: {@link KilledCommandTest} tries a few, the campaign many. */
public final class Kills {
    /** Of all runs of a method together. */
    private static final int STEPS = 60;

    private final Path place;
    private final Path data;
    private final int lives;
    private int kills;

    /**
     * @param place existing and empty, for all that is written
     * @param lives of a command that end by a kill
     */
    public Kills(Path place, int lives) {
        this.place = place;
        this.lives = lives;
        data = Shell.grey(place.resolve("data"), 120, 30);
    }

    /** Processes that were killed before they had ended. */
    public int kills() {
        return kills;
    }

    /**
     * Kills the training of {@code method} several times and lets it end.
     *
     * @return how its files differ from those of a run that nobody disturbed; empty if they do not
     */
    public String training(String method, SplittableRandom random) throws IOException, InterruptedException {
        Path whole = place.resolve("whole-" + method);
        String failure = Files.exists(whole) ? "" : ended(train(method, "--out", whole));
        if (!failure.isEmpty()) return failure;
        Path killed = place.resolve("killed-" + Long.toHexString(random.nextLong()));
        for (int life = 0; life < lives; life++) {
            int share = STEPS / lives;
            int until = life * share + random.nextInt(share * 3 / 4);
            Child child = Child.start(place, train(method, flag(killed), killed));
            while (child.process().isAlive() && steps(killed) < until) Thread.sleep(2);
            Thread.sleep(random.nextInt(20));
            kill(child);
        }
        failure = ended(train(method, flag(killed), killed));
        return failure.isEmpty() ? difference(files(whole), files(killed)) : failure;
    }

    /**
     * The same of a command that measures; it is killed after a random time.
     *
     * @param command without its folder
     */
    public String measuring(List<Object> command, SplittableRandom random) throws IOException, InterruptedException {
        String name = Long.toHexString(random.nextLong());
        Path whole = place.resolve("whole-" + name);
        long before = System.nanoTime();
        String failure = ended(with(command, "--out", whole));
        if (!failure.isEmpty()) return failure;
        long took = (System.nanoTime() - before) / 1_000_000;
        Path killed = place.resolve("killed-" + name);
        for (int life = 0; life < lives; life++) {
            Child child = Child.start(place, with(command, flag(killed), killed));
            Thread.sleep(random.nextLong(took));
            kill(child);
        }
        failure = ended(with(command, flag(killed), killed));
        return failure.isEmpty() ? difference(files(whole), files(killed)) : failure;
    }

    /** Two nets of different seeds, and the command on both. */
    public List<Object> landscape(String command, Object... more) throws IOException, InterruptedException {
        List<Object> args = new ArrayList<>(List.of(command));
        for (int seed = 1; seed <= (command.equals("surface") ? 3 : 2); seed++) {
            Path run = place.resolve("net-" + seed);
            if (!Files.exists(run)) ended(with(train("sgd", "--out", run), "--seed", seed));
            args.add(run.resolve("seed-" + seed + "/sgd/sgd.safetensors"));
        }
        args.addAll(List.of("--data-dir", data, "--validation", 20, "--batch-size", 10, "--device", "cpu"));
        args.addAll(List.of("--threads", 2));
        args.addAll(Arrays.asList(more));
        return args;
    }

    private static List<Object> with(List<Object> command, Object... more) {
        List<Object> args = new ArrayList<>(command);
        args.addAll(Arrays.asList(more));
        return args;
    }

    private void kill(Child child) throws InterruptedException {
        child.process().destroyForcibly();
        if (child.code() != 0) kills++;
    }

    private String ended(List<Object> args) throws IOException, InterruptedException {
        Child child = Child.start(place, args);
        return child.code() == 0 ? "" : args + ": " + child.complained();
    }

    private List<Object> train(String method, String flag, Path out) {
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--method", method));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 20, "--batch-size", 10, "--epochs", 6));
        args.addAll(List.of("--lr", 0.02, "--device", "cpu", "--threads", 2, "--checkpoint-every", 4, flag, out));
        return args;
    }

    private static String flag(Path run) {
        return Files.exists(run.resolve("config.json")) ? "--resume" : "--out";
    }

    /** What the checkpoints of all its runs count. */
    private static int steps(Path run) throws IOException {
        int steps = 0;
        for (Path file : files(run).values()) {
            if (!file.endsWith("checkpoint.safetensors")) continue;
            steps += Trainer.progress(file.getParent());
        }
        return steps;
    }

    /** All files below by their names there; what vanishes while one looks was a temporary one. */
    private static TreeMap<String, Path> files(Path run) throws IOException {
        TreeMap<String, Path> found = new TreeMap<>();
        if (!Files.exists(run)) return found;
        try (Stream<Path> all = Files.walk(run)) {
            all.filter(Files::isRegularFile)
                    .forEach(f -> found.put(run.relativize(f).toString(), f));
        } catch (java.io.UncheckedIOException e) {
            return new TreeMap<>();
        }
        return found;
    }

    private static String difference(TreeMap<String, Path> whole, TreeMap<String, Path> killed) throws IOException {
        if (!whole.keySet().equals(killed.keySet())) return whole.keySet() + " became " + killed.keySet();
        for (String name : whole.keySet()) {
            // Reports name their folder.
            if (name.endsWith(".html")) continue;
            boolean same = name.endsWith(".jsonl")
                    ? timeless(whole.get(name)).equals(timeless(killed.get(name)))
                    : Files.mismatch(whole.get(name), killed.get(name)) < 0;
            if (!same) return killed.get(name) + " differs";
        }
        return "";
    }

    /** Metrics but for the time that an epoch took. */
    private static String timeless(Path metrics) throws IOException {
        return Files.readString(metrics).replaceAll("\"(seconds|check)\":[^,}]+", "");
    }
}
