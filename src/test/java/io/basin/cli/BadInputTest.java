package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Whatever is wrong, the user reads one line that names the flag or file and what to do; nothing is lost. */
class BadInputTest {
    @TempDir
    static Path shared;

    private static Path data;

    @TempDir
    Path folder;

    @BeforeAll
    static void writeASmallSet() {
        data = Shell.grey(shared.resolve("data"), 240, 60);
    }

    /** A run of a second, with more flags. */
    private Shell train(Object... more) {
        Map<Object, Object> flags = new LinkedHashMap<>(Map.of(
                "--data-dir",
                data,
                "--model",
                "small-cnn",
                "--validation",
                40,
                "--batch-size",
                20,
                "--epochs",
                1,
                "--threads",
                1,
                "--device",
                "cpu"));
        for (int i = 0; i < more.length; i += 2) flags.put(more[i], more[i + 1]);
        List<Object> args = new ArrayList<>(List.of("train", "mnist"));
        flags.forEach((flag, value) -> args.addAll(List.of(flag, value)));
        return Shell.run(args.toArray());
    }

    private static void refused(Shell shell, int code, String... words) {
        String line = shell.complaint();
        for (String word : words) assertTrue(line.contains(word), () -> "no '" + word + "' in: " + line);
        assertEquals(code, shell.code(), line);
        assertFalse(shell.err().contains("\tat "), shell.err());
        long complaints = shell.err()
                .lines()
                .filter(l -> l.startsWith("basin: ") && !l.startsWith("basin: note: "))
                .count();
        assertEquals(1, complaints, shell.err());
    }

    @ParameterizedTest
    @CsvSource({
        "--lr, -1, --lr must be positive",
        "--lr, NaN, --lr: 'NaN' is not a number",
        "--lr, 1e39, --lr must be at most 3.4e38",
        "--lr, fast, --lr: 'fast' is not a number",
        "--lr, 0x1p-3, --lr: '0x1p-3' is not a number",
        "--lr, 1d, --lr: '1d' is not a number",
        "--lr, Infinity, --lr: 'Infinity' is not a number",
        "--epochs, 0, --epochs must be positive",
        "--epochs, -2, --epochs must be positive",
        "--batch-size, 0, --batch-size must be at least 1",
        "--batch-size, 5000, --batch-size 5000 exceeds",
        "--momentum, 1, --momentum must lie from 0 to below 1",
        "--wd, -0.1, --wd must not be negative",
        "--warmup, 3, --warmup must be shorter than --epochs",
        "--validation, 240, --validation",
        "--validation, -1, --validation must not be negative",
        "--train-samples, 201, --train-samples: 201 are more than the 200 available",
        "--train-samples, 99999999, --train-samples: 99999999 are more than the 200 available",
        "--swa-start, 1.5, --swa-start must lie between 0 and 1",
        "--swa-cycle, 0.17, --swa-cycle 0.17 does not divide",
        "--method, adam, unknown method 'adam'",
        "--model, lenet, unknown net 'lenet'",
        "--device, tpu, unknown device 'tpu'",
        "--threads, -1, --threads must not be negative",
        "--threads, 1000, --threads must be at most 512",
        "--threads, 2147483647, --threads must be at most 512",
        "--precision, fp8, none of fp32",
        "--precision, tf32, --precision tf32",
        "--augment, rotate, --augment: 'rotate' is none of",
        "--bogus, 1, '--bogus'"
    })
    void aFlagAtFaultIsNamedWithExitCode2AndLeavesNoFolder(String flag, String value, String said) throws IOException {
        Path out = folder.resolve("run");
        refused(train("--out", out, flag, value), 2, said);
        assertTrue(Files.notExists(out) || empty(out), "left something in " + out);
    }

    private static boolean empty(Path dir) throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.findAny().isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"fge, --fge-cycle, 0.07", "swa-cyclic, --swa-cycle, 0.13", "swa, --swa-cycle, 3"})
    void aCycleThatDoesNotDivideItsBudgetIsRefusedWithOneThatDoes(String method, String flag, String cycle) {
        Shell shell = train("--method", method, flag, cycle);
        refused(shell, 2, flag + " " + cycle + " does not divide", "would");
        String proposed = shell.complaint().replaceAll(".*; (\\S+) would.*", "$1");
        Shell again = Shell.run(
                "schedule",
                "mnist",
                "--samples",
                240,
                "--validation",
                40,
                "--batch-size",
                20,
                "--epochs",
                1,
                "--methods",
                method,
                flag,
                proposed);
        assertEquals(0, again.code(), again.err());
    }

    @Test
    void anUnknownDataSetIsAUsageErrorThatListsTheKnownOnes() {
        refused(Shell.run("compare", "imagenet"), 2, "DATASET", "imagenet", "fashion-mnist");
    }

    @Test
    void aMissingFolderOfDataIsNamed() {
        refused(
                Shell.run("compare", "mnist", "--data-dir", folder.resolve("none")),
                1,
                folder + "/none",
                "does not exist");
    }

    @Test
    void aDamagedFileOfImagesIsNamed() throws IOException {
        Path damaged = Shell.grey(folder.resolve("damaged"), 40, 20);
        Path file = damaged.resolve("train-images-idx3-ubyte");
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), 1000));
        refused(Shell.run("compare", "mnist", "--data-dir", damaged), 1, file.toString());
    }

    @Test
    void aNetThatDoesNotFitTheImagesNamesItsLayer() throws IOException {
        Path small = Files.createDirectories(folder.resolve("small"));
        for (String part : new String[] {"train", "t10k"}) {
            Files.write(small.resolve(part + "-images-idx3-ubyte"), idx(40, 2, 2));
            Files.write(small.resolve(part + "-labels-idx1-ubyte"), idx(40));
        }
        Shell shell = Shell.run(
                "train",
                "mnist",
                "--data-dir",
                small,
                "--model",
                "small-cnn",
                "--validation",
                10,
                "--batch-size",
                10,
                "--out",
                folder.resolve("never"));
        refused(shell, 2, "pool2", "exceeds its input");
    }

    private static byte[] idx(int... dims) {
        int size = Arrays.stream(dims).reduce(1, (a, b) -> a * b);
        java.nio.ByteBuffer out =
                java.nio.ByteBuffer.allocate(4 + 4 * dims.length + size).putInt(0x800 | dims.length);
        for (int d : dims) out.putInt(d);
        for (int i = 0; i < size; i++) out.put((byte) (i % 10));
        return out.array();
    }

    @Test
    void aFolderThatCannotBeMadeIsAFailure() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "mine");
        refused(train("--out", file.resolve("run")), 1, "--out", file.toString());
        assertEquals("mine", Files.readString(file));
    }

    @Test
    void aFolderThatHoldsSomethingIsNotWrittenInto() throws IOException {
        Path note = Files.writeString(folder.resolve("note.txt"), "mine");
        refused(train("--out", folder), 2, "--out", "is not empty", "--resume");
        refused(train("--out", folder, "--resume", folder.resolve("run")), 2, "--out", "name one of them");
        assertEquals("mine", Files.readString(note));
    }

    @Test
    void aResumeWithOtherFlagsNamesTheFirstThatDiffersAndChangesNothing() throws IOException {
        Path out = folder.resolve("run");
        assertEquals(0, train("--out", out).code());
        byte[] config = Files.readAllBytes(out.resolve("config.json"));
        refused(train("--resume", out, "--lr", "0.2"), 2, "--resume", "written with --lr 0.05, now 0.2");
        refused(train("--resume", out, "--method", "ema"), 2, "--resume", "--methods swa, now ema");
        refused(train("--resume", out, "--seed", 2), 2, "--resume", "--seeds 1, now 2");
        refused(train("--resume", out, "--threads", 2), 2, "--resume", "\"CPU, 1 thread", "2 threads", "--any-device");
        refused(train("--resume", out, "--bn-update", "single"), 2, "--resume", "--bn-update auto, now single");
        refused(
                Shell.run(
                        "compare",
                        "mnist",
                        "--data-dir",
                        data,
                        "--methods",
                        "sgd",
                        "--validation",
                        40,
                        "--resume",
                        out),
                2,
                "'basin train'");
        assertArrayEquals(config, Files.readAllBytes(out.resolve("config.json")));
        refused(train("--resume", folder), 2, "--resume", "config.json");
    }

    /** More may be asked of a comparison that is there, and less would throw away what it says. */
    @Test
    void aResumedComparisonMayGrowButNotShrink() throws IOException {
        Path out = folder.resolve("two");
        List<Object> flags = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--device", "cpu"));
        flags.addAll(
                List.of("--model", "lenet-bn", "--validation", 40, "--batch-size", 20, "--epochs", 1, "--threads", 1));
        Object[] first = with(flags, "--methods", "sgd,ema", "--seeds", 2, "--out", out);
        assertEquals(0, Shell.run(first).code());
        byte[] results = Files.readAllBytes(out.resolve("results.json"));
        refused(Shell.run(with(flags, "--seeds", 1, "--resume", out)), 2, "--seeds 1,2", "not leave any out");
        refused(
                Shell.run(with(flags, "--methods", "sgd", "--seeds", 2, "--resume", out)),
                2,
                "--methods sgd,ema, now sgd");
        assertArrayEquals(results, Files.readAllBytes(out.resolve("results.json")));
        Shell more = Shell.run(with(flags, "--methods", "sgd,ema,lawa", "--seeds", 3, "--resume", out));
        assertEquals(0, more.code(), more.err());
        assertTrue(more.out().contains("lawa"), more.out());
    }

    private static Object[] with(List<Object> flags, Object... more) {
        List<Object> all = new ArrayList<>(flags);
        all.addAll(List.of(more));
        return all.toArray();
    }

    @Test
    void aLossThatIsNoNumberStopsTheRunAndNamesTheStepAndKeepsTheCheckpoint() throws IOException {
        Path out = folder.resolve("run");
        Shell shell = train("--out", out, "--epochs", 4, "--lr", "1e18", "--checkpoint-every", 1);
        Path place = out.resolve("seed-1").resolve("swa");
        refused(shell, 1, "loss is no longer finite at step", "smaller --lr", "the checkpoint in " + place);
        assertTrue(shell.err().lines().filter(l -> l.contains("epoch")).count() <= 2, shell.err());
        requireFinite(place.resolve("checkpoint.safetensors"));
    }

    private static void requireFinite(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            for (String tensor : in.tensors().keySet()) {
                for (float value : in.floats(tensor)) assertTrue(Float.isFinite(value), tensor + " of " + file);
            }
        }
    }

    @Test
    void anUpdateThatOverflowsIsNotSavedAndNoCheckpointIsPromisedWhereNoneIs() throws IOException {
        Path out = folder.resolve("run");
        Shell shell = train("--out", out, "--lr", "3e38", "--wd", 1000, "--checkpoint-every", 1);
        refused(shell, 1, "weight' is no longer finite at step 0 (epoch 1, lr 3.0E38)", "smaller --lr");
        assertFalse(shell.complaint().contains("checkpoint"), shell.complaint());
        assertTrue(Files.notExists(out.resolve("seed-1/swa/checkpoint.safetensors")));
    }

    @ParameterizedTest
    @CsvSource({"sgd, 0.1", "independent, 0.2"})
    void predictionsThatAreNoNumbersEndTheRunAndNameTheMethod(String method, double oneStepEach) {
        Shell shell =
                train("--out", folder.resolve("run"), "--lr", "1e37", "--epochs", oneStepEach, "--method", method);
        refused(shell, 1, method + ", seed 1: the net's predictions are not numbers", "smaller --lr");
    }

    @Test
    void aWeightsFileOfAnotherKindIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("weights.safetensors"), "not really");
        refused(Shell.run("evaluate", file), 1, file.toString());
        refused(Shell.run("predict", file, file), 1, file.toString());
        refused(Shell.run("evaluate", folder.resolve("none")), 1, "none", "no such file");
    }

    @Test
    void helpOfEveryCommandTeachesByExamples() {
        assertTrue(teaches(Main.commandLine()) > 15, "not every command was found");
    }

    /** Asks every command below {@code line} for help; returns how many there are. */
    private static int teaches(CommandLine line) {
        int seen = 0;
        for (CommandLine command : line.getSubcommands().values()) {
            String name = command.getCommandSpec().qualifiedName();
            List<Object> words = new ArrayList<>(List.of(name.split(" ")));
            words.set(0, "--help");
            Collections.rotate(words, -1);
            Shell shell = Shell.run(words.toArray());
            assertEquals(0, shell.code(), name);
            String[] parts = shell.out().split("Examples?:", 2);
            assertTrue(parts.length == 2 && parts[1].contains("  " + name), name + " has no example");
            seen += 1 + teaches(command);
        }
        return seen;
    }
}
