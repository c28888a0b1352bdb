package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A run's folder knows the words that made it. */
@Timeout(120)
class ResumptionTest {
    @TempDir
    private Path folder;

    private Path data;
    private Path run;

    @BeforeEach
    void makeARun() {
        data = Shell.grey(folder.resolve("data"), 60, 20);
        run = folder.resolve("run");
    }

    private Shell compare(Object... more) {
        Object[] args = {
            "compare",
            "mnist",
            "--data-dir",
            data,
            "--epochs",
            2,
            "--batch-size",
            16,
            "--validation",
            20,
            "--nesterov",
            "--methods",
            "sgd,swa",
            "--device",
            "cpu",
            "--threads",
            1
        };
        Object[] all = java.util.Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return Shell.run(all);
    }

    @Test
    void theFolderAloneGoesOn() throws Exception {
        assertEquals(0, compare("--out", run).code());
        byte[] config = Files.readAllBytes(run.resolve("config.json"));
        byte[] swa = Files.readAllBytes(run.resolve("seed-1/swa/swa.safetensors"));
        Files.delete(run.resolve("seed-1/swa/swa.safetensors"));
        Shell again = Shell.run("compare", "--resume", run);
        assertEquals(0, again.code(), again.err());
        assertArrayEquals(swa, Files.readAllBytes(run.resolve("seed-1/swa/swa.safetensors")));
        assertArrayEquals(config, Files.readAllBytes(run.resolve("config.json")));
    }

    @Test
    void wordsBesideTheFolderComeFirst() {
        assertEquals(0, compare("--out", run).code());
        Shell more = Shell.run("compare", "--resume=" + run, "--seeds", 2, "--methods", "sgd,swa,ema");
        assertEquals(0, more.code(), more.err());
        assertEquals(3, Json.read(run.resolve("results.json")).path("rows").size());
        Shell onlyItself = Shell.run("compare", "--resume", run);
        assertEquals(0, onlyItself.code(), onlyItself.err());
        assertEquals(
                2,
                Json.read(run.resolve("results.json"))
                        .path("rows")
                        .path(0)
                        .path("scores")
                        .size());
        Shell other = Shell.run("compare", "--resume", run, "--epochs", 3);
        assertEquals(2, other.code());
        assertTrue(other.err().contains("--epochs 2, now 3"), other.err());
    }

    @Test
    void anotherCommandsFolderAndOneWithoutARunAreRefusedByName() throws Exception {
        assertEquals(0, compare("--out", run).code());
        Shell train = Shell.run("train", "--resume", run);
        assertEquals(2, train.code());
        assertTrue(train.err().contains("was written by 'basin compare'"), train.err());
        Path empty = Files.createDirectory(folder.resolve("empty"));
        Shell none = compare("--resume", empty);
        assertEquals(2, none.code());
        assertTrue(none.err().contains("holds no config.json"), none.err());
    }

    @Test
    void anInterruptedRunSaysHowToGoOnAndDoes() throws Exception {
        List<Object> args = List.of(
                "compare",
                "mnist",
                "--data-dir",
                data,
                "--epochs",
                4000,
                "--batch-size",
                16,
                "--validation",
                20,
                "--methods",
                "sgd",
                "--device",
                "cpu",
                "--threads",
                1,
                "--out",
                run);
        Child child = Child.start(folder, args);
        Path checkpoint = run.resolve("seed-1/sgd/checkpoint.safetensors");
        for (int i = 0; i < 600 && !Files.exists(checkpoint); i++) Thread.sleep(100);
        assertTrue(child.process().isAlive(), "it is to be interrupted while it trains");
        child.process().destroy();
        assertTrue(child.process().waitFor(60, TimeUnit.SECONDS));
        assertTrue(
                child.complained().contains("interrupted; to go on: basin compare --resume " + run),
                child.complained());
    }
}
