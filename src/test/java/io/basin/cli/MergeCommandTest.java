package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import io.basin.landscape.Net;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergeCommandTest {
    @TempDir
    private Path folder;

    private String error = "";

    private String file(String name, float value, Map<String, String> header) {
        Path file = folder.resolve(name);
        Safetensors.writer()
                .metadata(Map.of("model", "small-cnn", "dataset", "mnist"))
                .metadata(header)
                .add("conv.weight", new long[] {2}, new float[] {value, 1})
                .add("bn.running_var", new long[] {2}, new float[] {value, 3})
                .write(file);
        return file.toString();
    }

    private int run(String... args) {
        Shell shell = Shell.run((Object[]) args);
        error = shell.err();
        return shell.code();
    }

    private String out() {
        return folder.resolve("out.st").toString();
    }

    @Test
    void averagingWithoutBatchNormUpdateNeedsNoData() {
        String a = file("a", 1, Map.of("init", "1"));
        String b = file("b", 2, Map.of("init", "1"));
        assertEquals(0, run("average", a, b, "--out", out(), "--no-bn-update"), error);
        try (Safetensors in = Safetensors.open(Path.of(out()))) {
            assertArrayEquals(new float[] {1.5f, 1}, in.floats("conv.weight"));
            assertArrayEquals(new float[] {1.5f, 3}, in.floats("bn.running_var"));
            assertEquals("1", in.metadata().get("init"));
            assertEquals("2", in.metadata().get("averaged"));
        }
    }

    /** By which later comparisons pair nets; a mean over seeds has none. */
    @Test
    void aMeanKeepsTheSeedThatAllItsPartsShare() {
        String a = file("a", 1, Map.of("init", "1", "seed", "7"));
        String b = file("b", 2, Map.of("init", "1", "seed", "7"));
        String c = file("c", 3, Map.of("init", "1", "seed", "8"));
        assertEquals(0, run("average", a, b, "--out", out(), "--no-bn-update"), error);
        assertEquals("7", new Net("", Path.of(out())).header("seed"));
        String mixed = folder.resolve("mixed.st").toString();
        assertEquals(0, run("average", a, c, "--out", mixed, "--no-bn-update"), error);
        assertEquals("", new Net("", Path.of(mixed)).header("seed"));
    }

    @Test
    void differentInitialisationsAreRefusedAndForced() {
        String a = file("a", 1, Map.of("init", "1"));
        String b = file("b", 2, Map.of("init", "2"));
        for (String[] how : new String[][] {{"average"}, {"soup", "--uniform"}, {"soup", "--greedy"}}) {
            String[] args = java.util.stream.Stream.concat(
                            java.util.Arrays.stream(how),
                            java.util.stream.Stream.of(a, b, "--out", out(), "--no-bn-update"))
                    .toArray(String[]::new);
            assertEquals(2, run(args));
            assertTrue(error.contains("initialisation 1") && error.contains("--force"), error);
            assertEquals(1, error.strip().lines().count(), error);
            assertFalse(Files.exists(Path.of(out())));
        }
        assertEquals(0, run("average", a, b, "--out", out(), "--no-bn-update", "--force"), error);
    }

    @Test
    void snapshotsOnBothSidesOfARestartAreRefused() {
        String a = file("a", 1, Map.of("init", "1", "restarts", "0"));
        String b = file("b", 2, Map.of("init", "1", "restarts", "1"));
        assertEquals(2, run("average", a, b, "--out", out(), "--no-bn-update"));
        assertTrue(error.contains("restart"), error);
    }

    @Test
    void anExistingFileIsNotOverwritten() throws Exception {
        String a = file("a", 1, Map.of("init", "1"));
        String b = file("b", 2, Map.of("init", "1"));
        byte[] before = Files.readAllBytes(Path.of(a));
        assertEquals(2, run("average", a, b, "--out", a, "--no-bn-update"));
        assertTrue(error.contains("--out"), error);
        assertArrayEquals(before, Files.readAllBytes(Path.of(a)));
        assertEquals(2, run("average", a, b, "--out", folder.resolve("no/out").toString(), "--no-bn-update"));
        assertTrue(error.contains("--out: the folder") && error.contains("does not exist"), error);
        assertEquals(2, run("ensemble", a, "--svg", folder.toString()));
        assertTrue(error.contains("--svg") && error.contains("is a folder"), error);
    }

    @Test
    void aFileOfAnUnknownNetOrDataSetIsNamed() {
        String net = file("net", 1, Map.of("init", "1", "model", "another-net"));
        assertEquals(1, run("evaluate", net));
        assertTrue(error.contains(net) && error.contains("another-net"), error);
        String data = file("data", 1, Map.of("init", "1", "dataset", "another-set"));
        assertEquals(1, run("ensemble", data));
        assertTrue(error.contains(data) && error.contains("another-set"), error);
    }

    @Test
    void aDamagedFileIsAFailureThatNamesIt() throws Exception {
        String a = file("a", 1, Map.of("init", "1"));
        Path broken = Files.writeString(folder.resolve("broken"), "no weights");
        assertEquals(1, run("average", a, broken.toString(), "--out", out(), "--no-bn-update"));
        assertTrue(error.contains(broken.toString()), error);
        assertEquals(2, run("soup", "--uniform", a, "--out", out()));
        assertTrue(error.contains("at least two"), error);
    }
}
