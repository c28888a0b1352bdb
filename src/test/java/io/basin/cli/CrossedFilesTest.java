package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are whole, each by itself, and would give a wrong figure together or in another place. */
class CrossedFilesTest {
    @TempDir
    static Path shared;

    private static Path data;
    private static Path clean;
    private static Path noisy;

    @BeforeAll
    static void train() {
        data = Shell.grey(shared.resolve("data"), 160, 60);
        clean = trained("clean");
        noisy = trained("noisy", "--label-noise", 0.3);
    }

    private static Path trained(String name, Object... flags) {
        Path out = shared.resolve(name);
        Shell shell = Shell.run(with(flags, "train", "mnist", "--model", "lenet-bn", "--epochs", 1, "--out", out));
        assertEquals(0, shell.code(), shell.err());
        return out.resolve("seed-1/swa/swa.safetensors");
    }

    private static Object[] with(Object[] flags, Object... words) {
        List<Object> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--data-dir", data, "--device", "cpu", "--threads", 1));
        boolean cuts = !List.of("evaluate", "ensemble").contains(words[0]);
        if (cuts) all.addAll(List.of("--validation", 40, "--batch-size", 20));
        all.addAll(List.of(flags));
        return all.toArray();
    }

    private static void refused(String says, Object[] flags, Object... words) {
        Shell shell = Shell.run(with(flags, words));
        assertTrue(shell.code() != 0, shell.out());
        assertTrue(shell.complaint().contains(says), shell.err());
    }

    private static Path edited(Path file, Consumer<Map<String, String>> header, BiConsumer<String, float[]> tensor) {
        return edited(shared, file, header, tensor);
    }

    static Path edited(
            Path folder, Path file, Consumer<Map<String, String>> header, BiConsumer<String, float[]> tensor) {
        Path other = folder.resolve("edited-" + System.nanoTime() + ".safetensors");
        try (Safetensors in = Safetensors.open(file)) {
            Map<String, String> said = new HashMap<>(in.metadata());
            header.accept(said);
            SafetensorsWriter writer = Safetensors.writer().metadata(said);
            for (String name : in.tensors().keySet()) {
                float[] values = in.floats(name);
                tensor.accept(name, values);
                writer.add(
                        name,
                        in.tensor(name).shape().stream()
                                .mapToLong(Long::longValue)
                                .toArray(),
                        values);
            }
            writer.write(other);
        }
        return other;
    }

    /** The training loss would be of the labels of whichever is named first. */
    @Test
    void netsOfDifferentLabelsShareNoLandscape() {
        Object[] few = {"--points", 2, "--directions", 1};
        refused("with a share of 0.3 wrong labels", few, "width", clean, noisy);
        refused("with a share of 0.0 wrong labels", few, "width", noisy, clean);
        Object[] none = {};
        refused("wrong labels", none, "connect", clean, noisy, "--epochs", 1);
        refused("wrong labels", none, "surface", clean, clean, noisy);
        Shell alone = Shell.run(with(few, "width", noisy, "--out", shared.resolve("alone")));
        assertEquals(0, alone.code(), alone.err());
        Object[] from = {"--from", noisy, "--epochs", 2, "--method", "swa"};
        refused("repeat --label-noise of its run", from, "train", "mnist", "--model", "lenet-bn");
    }

    @Test
    void lessThanHalfAWrongLabelIsNone() {
        Object[] flags = {"--label-noise", 1e-9, "--epochs", 1};
        refused("--label-noise", flags, "train", "mnist", "--model", "lenet-bn", "--out", shared.resolve("none"));
    }

    @Test
    void statisticsThatWereNeverMeasuredPredictNothing() {
        Path zero = edited(clean, said -> {}, (name, values) -> {
            if (name.contains("running_")) Arrays.fill(values, 0);
        });
        Object[] none = {};
        String says = "its batch-norm statistics were never measured";
        refused(says, none, "evaluate", zero);
        refused(says, none, "ensemble", zero, clean);
        refused(says, none, "train", "mnist", "--model", "lenet-bn", "--from", zero, "--epochs", 2, "--method", "swa");
        Shell exported = Shell.run("export", zero, "--format", "onnx");
        assertTrue(exported.complaint().contains(says), exported.err());
        assertFalse(Files.exists(Path.of(zero.toString().replace(".safetensors", ".onnx"))));
    }

    @Test
    void headersAreReadAsTheyAreWritten() {
        Path outputs = edited(clean, said -> said.put("outputs", "x"), (name, values) -> {});
        Shell exported = Shell.run("export", outputs, "--format", "npz");
        assertTrue(exported.complaint().contains("its header's 'outputs' is 'x', not a count"), exported.err());
        Path digits = edited(clean, said -> said.put("validation", "\u0664\u0660"), (name, values) -> {});
        Object[] none = {};
        refused("its header's 'validation'", none, "evaluate", digits);
    }

    /** A part of the training set is a data set of its own, which nobody finds again. */
    @Test
    void aNetOfTuningSaysWhatItIs() {
        Path tuned = trained("tuned", "--tune");
        Object[] none = {};
        refused("was trained for tuning, on a part of the training set of mnist", none, "evaluate", tuned);
        Object[] from = {"--tune", "--from", tuned, "--epochs", 2, "--method", "swa", "--out", shared.resolve("on")};
        Shell on = Shell.run(with(from, "train", "mnist", "--model", "lenet-bn"));
        assertEquals(0, on.code(), on.err());
    }
}
