package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.Jvm;
import io.basin.cuda.Cuda;
import io.basin.io.JsonLines;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A run killed at any step goes on as if nothing had happened. */
class ResumeTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"cpu, swa, 1", "cpu, snapshot, 2", "cpu, ema, 3", "cpu, swag, 4", "cuda, swa, 5", "cuda, swag, 6"})
    void aRunKilledAtRandomStepsEndsWithTheSameBytes(String device, String method, long seed) throws Exception {
        if (device.equals("cuda") && !Cuda.works()) return;
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path killed = Files.createDirectory(folder.resolve("killed"));
        run(device, whole, method, Integer.MAX_VALUE);
        SplittableRandom random = new SplittableRandom(seed);
        int kills = 0;
        // Steps are counted within one life; a life may end before it has reached its first checkpoint.
        while (kills < 3 && run(device, killed, method, random.nextInt(1, 25))) kills++;
        run(device, killed, method, Integer.MAX_VALUE);
        assertTrue(kills > 0, "nothing was killed");
        assertEquals(names(whole), names(killed));
        for (String name : names(whole)) {
            if (name.endsWith(".jsonl")) continue;
            assertArrayEquals(
                    Files.readAllBytes(whole.resolve(name)),
                    Files.readAllBytes(killed.resolve(name)),
                    method + " " + name);
        }
        assertEquals(metrics(whole), metrics(killed));
    }

    @Test
    void aResumeWithOtherSettingsIsRefusedAndNamesTheFirstThatDiffers() throws Exception {
        KillableRun.train(folder, "swa", 1, new Trainer.Listener() {});
        byte[] before = Files.readAllBytes(folder.resolve("checkpoint.safetensors"));
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class, () -> KillableRun.train(folder, "swa", 2, new Trainer.Listener() {}));
        assertTrue(e.getMessage().contains("'epochs=1.0', now 'epochs=2.0'"), e.getMessage());
        assertArrayEquals(before, Files.readAllBytes(folder.resolve("checkpoint.safetensors")));
    }

    /** Runs in a new process, kills it with SIGKILL after {@code steps} steps; says whether it was killed. */
    private static boolean run(String device, Path folder, String method, int steps)
            throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        Jvm.classPath(),
                        KillableRun.class.getName(),
                        folder.toString(),
                        method,
                        device)
                .redirectError(
                        ProcessBuilder.Redirect.to(new File(folder.toFile().getParentFile(), "stderr.txt")))
                .start();
        int seen = 0;
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            while (seen < steps && out.readLine() != null) seen++;
            if (seen == steps) process.destroyForcibly();
        }
        int exit = process.waitFor();
        if (seen < steps) {
            assertEquals(0, exit, Files.readString(folder.resolveSibling("stderr.txt")));
        }
        return exit != 0;
    }

    private static List<String> names(Path dir) throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    /** All metrics but the time they took. */
    private static List<TreeMap<String, String>> metrics(Path dir) {
        List<TreeMap<String, String>> lines = new ArrayList<>();
        for (JsonNode n : JsonLines.read(dir.resolve("metrics.jsonl"))) {
            ((ObjectNode) n).remove(List.of("seconds", "check"));
            TreeMap<String, String> line = new TreeMap<>();
            n.properties().forEach(f -> line.put(f.getKey(), f.getValue().toString()));
            lines.add(line);
        }
        return lines;
    }
}
