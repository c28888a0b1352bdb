package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command line, killed at random moments and resumed, ends with the files of a run that nobody disturbed. */
@Timeout(120)
class KilledCommandTest {
    /** Of all runs of a method together. */
    private static final int STEPS = 60;

    private static final int KILLS = 2;

    @TempDir
    Path folder;

    /** SWA keeps no members in memory, independent nets follow each other, SWAP's workers begin where its trunk ended. */
    @ParameterizedTest
    @CsvSource({"swa, 4", "independent, 3", "swap, 2"})
    void aKilledCommandEndsWithTheSameBytes(String method, long seed) throws Exception {
        Path data = Shell.grey(folder.resolve("data"), 120, 30);
        Path whole = folder.resolve("whole");
        Child undisturbed = Child.start(folder, train(data, method, "--out", whole));
        assertEquals(0, undisturbed.code(), undisturbed.complained());
        Path killed = folder.resolve("killed");
        SplittableRandom random = new SplittableRandom(seed);
        int kills = 0;
        for (int life = 0; life < KILLS; life++) {
            int share = STEPS / KILLS;
            int until = life * share + random.nextInt(share);
            Child child = Child.start(folder, train(data, method, begun(killed) ? "--resume" : "--out", killed));
            while (child.process().isAlive() && steps(killed) < until) Thread.sleep(2);
            Thread.sleep(random.nextInt(20));
            child.process().destroyForcibly();
            if (child.code() != 0 && !files(killed).containsKey("seed-1/" + method + "/scores.json")) kills++;
        }
        assertTrue(kills > 0, "nothing was killed");
        Child last = Child.start(folder, train(data, method, begun(killed) ? "--resume" : "--out", killed));
        assertEquals(0, last.code(), last.complained());
        requireSame(files(whole), files(killed));
    }

    private static List<Object> train(Path data, String method, String flag, Path out) {
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--method", method));
        args.addAll(List.of("--model", "small-cnn", "--validation", 20, "--batch-size", 10, "--epochs", 6));
        args.addAll(List.of("--lr", 0.02, "--device", "cpu", "--threads", 2, "--checkpoint-every", 4, flag, out));
        return args;
    }

    private static boolean begun(Path run) {
        return Files.exists(run.resolve("config.json"));
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

    private static void requireSame(TreeMap<String, Path> whole, TreeMap<String, Path> killed) throws IOException {
        assertEquals(whole.keySet(), killed.keySet());
        for (String name : whole.keySet()) {
            if (name.endsWith(".jsonl")) assertEquals(timeless(whole.get(name)), timeless(killed.get(name)), name);
            else assertArrayEquals(Files.readAllBytes(whole.get(name)), Files.readAllBytes(killed.get(name)), name);
        }
    }

    /** Metrics but for the time that an epoch took. */
    private static String timeless(Path metrics) throws IOException {
        return Files.readString(metrics).replaceAll("\"seconds\":[^,}]+", "");
    }
}
