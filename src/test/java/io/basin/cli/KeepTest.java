package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Folders;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A finished run keeps what was made of its training, and its checkpoints only where that was asked for. */
class KeepTest {
    @TempDir
    private Path folder;

    private Path data;
    private Path run;

    @BeforeEach
    void makeData() {
        data = Shell.grey(folder.resolve("data"), 80, 20);
        run = folder.resolve("run");
    }

    private Shell compare(Object... more) {
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(List.of("--threads", 1, "--validation", 20, "--batch-size", 20, "--epochs", 2));
        args.addAll(List.of("--methods", "sgd,swa,independent"));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static List<Path> checkpoints(Path run) throws IOException {
        try (Stream<Path> all = Files.walk(run)) {
            return all.filter(f -> f.endsWith("checkpoint.safetensors")).toList();
        }
    }

    @Test
    void checkpointsGoWithTheEndOfTheirMethodsAndAllElseStays() throws IOException {
        Shell shell = compare("--out", run);
        assertEquals(0, shell.code(), shell.err());
        assertEquals(List.of(), checkpoints(run));
        for (String file : List.of("sgd/sgd", "swa/swa")) {
            assertTrue(Files.exists(run.resolve("seed-1/" + file + ".safetensors")), file);
        }
        assertFalse(Json.read(run.resolve("seed-1/swa/scores.json")).toString().contains("checkpoint"));
        String size = String.format(Locale.ROOT, "report.html (the folder: %.1f MB)", 1e-6 * Folders.size(run));
        assertTrue(shell.out().contains(size), shell.out());
        Shell more = compare("--resume", run, "--methods", "sgd,swa,independent,snapshot");
        assertEquals(0, more.code(), more.err());
        assertFalse(more.err().contains("swa, seed 1"), "nothing that is there is trained again: " + more.err());
        assertEquals(List.of(), checkpoints(run));
    }

    @Test
    void allIsKeptWhereThatIsAskedForAndStaysWhenTheRunResumes() throws IOException {
        assertEquals(0, compare("--out", run, "--keep", "all").code());
        assertEquals(4, checkpoints(run).size(), "of SGD, SWA and two independent nets");
        // As it was before there was a choice: the scores count on the checkpoints.
        assertEquals(0, compare("--resume", run, "--keep", "results").code());
        assertEquals(4, checkpoints(run).size());
        assertEquals(0, Shell.run("compare", "--resume", run).code());
    }

    /** Killed between its scores and its end, a run leaves checkpoints that nothing counts on. */
    @Test
    void aCheckpointThatIsLeftGoesWhenTheRunResumes() throws IOException {
        assertEquals(0, compare("--out", run).code());
        Path left = run.resolve("seed-1/independent/run-1/checkpoint.safetensors");
        Files.writeString(left, "left");
        assertEquals(0, Shell.run("compare", "--resume", run).code());
        assertEquals(List.of(), checkpoints(run));
    }

    @Test
    void whatIsAskedForLaterTakesTrainingAgainToTheSameBits() throws IOException {
        assertEquals(0, compare("--out", run).code());
        byte[] weights = Files.readAllBytes(run.resolve("seed-1/swa/swa.safetensors"));
        Shell shell = compare("--resume", run, "--ood", "noise");
        assertEquals(0, shell.code(), shell.err());
        assertTrue(shell.err().contains("is trained again for what is asked of it now"), shell.err());
        assertArrayEquals(weights, Files.readAllBytes(run.resolve("seed-1/swa/swa.safetensors")));
        assertEquals(
                3,
                Json.read(run.resolve("results.json")).at("/evidence/outside").size());
    }
}
