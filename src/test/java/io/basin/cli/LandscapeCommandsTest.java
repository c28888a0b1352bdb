package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import io.basin.landscape.Net;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What connect, surface and width refuse: one line that names what to change, exit code 2, and no folder left behind. */
class LandscapeCommandsTest {
    @TempDir
    Path folder;

    private String a;
    private String b;
    private String other;

    @BeforeEach
    void save() {
        a = file("a", "small-cnn", 1);
        b = file("b", "small-cnn", 2);
        other = file("other", "mlp", 1);
    }

    private String file(String name, String net, int seed) {
        return file(name, net, seed, "[0.3]");
    }

    private String file(String name, String net, int seed, String mean) {
        Path file = folder.resolve(name + ".safetensors");
        Safetensors.writer()
                .metadata(Map.of(
                        "model",
                        net,
                        "dataset",
                        "fashion-mnist",
                        "method",
                        "sgd",
                        "seed",
                        "" + seed,
                        "mean",
                        mean,
                        "std",
                        "[0.35]"))
                .add("w", new long[] {1}, new float[] {seed})
                .write(file);
        return file.toString();
    }

    private void refused(String says, String... args) {
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setErr(new PrintWriter(err));
        Path out = folder.resolve("out");
        String[] all = java.util.Arrays.copyOf(args, args.length + 2);
        all[args.length] = "--out";
        all[args.length + 1] = out.toString();
        int code = line.execute(all);
        assertEquals(2, code, err.toString());
        assertTrue(err.toString().contains(says), err.toString());
        assertFalse(Files.exists(out));
    }

    @Test
    void netsOfDifferentModelsShareNoWeightSpace() {
        String says = "other.safetensors of mlp: they share no weight space";
        refused(says, "connect", a, other);
        refused(says, "surface", a, b, other);
        refused(says, "width", a, other);
        refused(says, "surface", a, "--directions", "random", "--average", other);
    }

    @Test
    void netsTrainedOnOtherSamplesAreRefused() {
        String elsewhere = file("elsewhere", "small-cnn", 3, "[0.31]");
        String says = "elsewhere.safetensors was trained on other samples than";
        refused(says, "connect", a, elsewhere);
        refused(says, "surface", a, b, elsewhere);
        refused(says, "width", a, elsewhere);
    }

    /** Two files of one method and seed, such as a member and its average, go by their names too. */
    @Test
    void netsThatAreAlikeAreToldApartByTheirFiles() {
        Path first = Path.of(a);
        Path twin = Path.of(file("member-233", "small-cnn", 1));
        List<String> alone = LandscapeOptions.label(List.of(first, Path.of(b)), List.of()).stream()
                .map(Net::label)
                .toList();
        assertEquals(List.of("A: sgd, seed 1", "B: sgd, seed 2"), alone);
        List<String> beside = LandscapeOptions.label(List.of(first, Path.of(b)), List.of(twin)).stream()
                .map(Net::label)
                .toList();
        assertEquals(List.of("A: sgd, seed 1, a", "B: sgd, seed 2"), beside);
        assertEquals(
                "B: sgd, seed 1, member-233",
                LandscapeOptions.label(List.of(first, twin), List.of()).get(1).label());
    }

    @Test
    void theSameNetTwiceIsRefused() {
        for (String command : new String[] {"connect", "width"}) refused("are the same", command, a, a);
        refused("are the same", "surface", a, b, a);
    }

    @Test
    void flagsAtFaultAreNamed() {
        refused("--points", "connect", a, b, "--points", "1");
        refused("--epochs", "connect", a, b, "--epochs", "0");
        refused("--bn-update", "surface", a, "--directions", "filter", "--bn-update", "never");
        refused("--bn-update keep", "connect", a, b, "--bn-update", "keep");
        refused("--bn-update keep", "width", a, b, "--bn-update", "keep");
        refused("--curve", "surface", "--curve", folder.toString());
        refused("--bn-samples", "width", a, b, "--bn-samples", "-1");
        refused("--samples", "width", a, b, "--samples", "-2");
        refused("--grid", "surface", a, "--directions", "filter", "--grid", "1");
        refused("--axis-from", "surface", a, "--directions", "filter", "--from", "2");
        refused("--rise", "width", a, b, "--rise", "0");
        refused("--directions", "width", a, b, "--directions", "0");
        refused("three FILEs, got 2", "surface", a, b);
        refused("takes one FILE, got 2", "surface", a, b, "--directions", "random");
    }
}
