package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files of a run that are gone or empty: one way on always exists. */
@Timeout(300)
class RunDamageTest {
    @TempDir
    Path place;

    @Test
    void aRunWithAFileDeletedOrEmptiedGoesOnOrNamesIt() throws IOException {
        RunDamage damage = new RunDamage(place);
        List<String> wrong = new ArrayList<>();
        for (String file : damage.files()) {
            // What the first method's and the first figure's say holds for the others.
            if (file.startsWith("seed-1/sgd")) continue;
            if (file.startsWith("figures/") && !file.startsWith("figures/learning-rate")) continue;
            wrong.add(damage.harmed(file, false, Files::delete));
            wrong.add(damage.harmed(file, true, f -> Files.write(f, new byte[0])));
        }
        wrong.removeIf(String::isEmpty);
        assertEquals(List.of(), wrong);
    }

    private static Object[] train(Path data, String flag, Path folder) {
        return new Object[] {
            "train",
            "mnist",
            "--data-dir",
            data,
            "--method",
            "sgd",
            "--model",
            "lenet-bn",
            "--validation",
            20,
            "--batch-size",
            10,
            "--epochs",
            2,
            "--device",
            "cpu",
            "--threads",
            1,
            "--keep",
            "all",
            flag,
            folder
        };
    }

    @Test
    void aRunKilledWhileItsConfigIsWrittenStartsAgain() throws IOException {
        Path data = Shell.grey(place.resolve("data"), 60, 30);
        Path run = Files.createDirectories(place.resolve("run"));
        Files.createFile(run.resolve(".basin.lock"));
        Path half = Files.writeString(run.resolve(".config.json.c759cb9e83316b18.tmp"), "{");
        Shell resumed = Shell.run(train(data, "--resume", run));
        assertEquals(Main.USAGE, resumed.code());
        assertTrue(resumed.complaint().endsWith("start it with --out " + run), resumed.complaint());
        Shell started = Shell.run(train(data, "--out", run));
        assertEquals(0, started.code(), started.err());
        assertFalse(Files.exists(half));
    }

    @Test
    void lostMetricsAreNamedWithTheFolderToRemoveAndThenTheRunEnds() throws IOException {
        Path data = Shell.grey(place.resolve("data"), 60, 30);
        Path run = place.resolve("run");
        assertEquals(0, Shell.run(train(data, "--out", run)).code());
        Path group = run.resolve("seed-1/sgd");
        Files.delete(group.resolve("scores.json"));
        Files.delete(group.resolve("metrics.jsonl"));
        Shell lost = Shell.run(train(data, "--resume", run));
        assertEquals(Main.FAILED, lost.code());
        assertTrue(lost.complaint().contains("remove the folder " + group + " to train this run again"), lost.err());
        try (var files = Files.list(group)) {
            for (Path file : files.toList()) Files.delete(file);
        }
        Files.delete(group);
        assertEquals(0, Shell.run(train(data, "--resume", run)).code());
    }
}
