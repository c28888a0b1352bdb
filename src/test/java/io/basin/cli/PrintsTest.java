package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Dtype;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What runs and weights files know of themselves and of their data, and what a command does where that is not so. */
class PrintsTest {
    private static final String CPU = "cpu";

    @TempDir
    private static Path shared;

    @TempDir
    private Path folder;

    private static Path mine;
    private static Path others;
    private static Path run;
    private static Path swa;
    private static List<Path> members;

    @BeforeAll
    static void train() throws IOException {
        mine = Shell.grey(shared.resolve("mine"), 120, 30);
        others = Shell.grey(shared.resolve("others"), 121, 30);
        run = shared.resolve("run");
        Shell shell = Shell.run(train(mine, 1, "--out", run).toArray());
        assertEquals(0, shell.code(), shell.err());
        swa = run.resolve("seed-1/swa/swa.safetensors");
        try (Stream<Path> files = Files.list(swa.getParent())) {
            members = files.filter(f -> f.getFileName().toString().startsWith("member-"))
                    .sorted()
                    .toList();
        }
        assertTrue(members.size() > 1);
    }

    private static List<Object> train(Path data, int threads, String flag, Path out) {
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--keep", "all"));
        args.addAll(List.of("--method", "swa", "--model", "lenet-bn", "--validation", 20));
        args.addAll(List.of("--batch-size", 50, "--epochs", 2, "--swa-start", 0.25, "--swa-cycle", 0.5));
        args.addAll(List.of("--device", CPU, "--threads", threads, flag, out));
        return args;
    }

    private static void refused(Shell shell, int code, Object... said) {
        assertEquals(code, shell.code(), shell.out() + shell.err());
        for (Object word : said)
            assertTrue(shell.complaint().contains(word.toString()), word + " in " + shell.complaint());
    }

    private Path copy() throws IOException {
        Path to = folder.resolve("copy");
        try (Stream<Path> all = Files.walk(run)) {
            for (Path f : all.toList())
                Files.copy(f, to.resolve(run.relativize(f).toString()));
        }
        return to;
    }

    @Test
    void everyCommandComparesItsDataWithThoseTrainedOn() throws IOException {
        Path out = folder.resolve("out.safetensors");
        Path a = members.get(0);
        Path b = members.get(1);
        for (List<Object> command : List.<List<Object>>of(
                List.of("evaluate", swa),
                List.of("predict", swa, others.resolve("t10k-images-idx3-ubyte")),
                List.of("ensemble", a, b),
                List.of("average", a, b, "--out", out),
                List.of("soup", "--uniform", a, b, "--out", out),
                List.of("soup", "--greedy", a, b, "--out", out),
                List.of("connect", a, b, "--validation", 20, "--out", folder.resolve("c")),
                List.of("width", a, "--validation", 20, "--out", folder.resolve("w")),
                List.of("surface", a, "--directions", "filter", "--validation", 20, "--out", folder.resolve("s")))) {
            List<Object> args = new ArrayList<>(command);
            args.addAll(List.of("--data-dir", others, "--device", CPU));
            Shell shell = Shell.run(args.toArray());
            refused(shell, 2, command.get(0).equals("evaluate") ? swa : ".safetensors", "other data", "--data-dir");
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
        refused(Shell.run(train(others, 1, "--resume", run).toArray()), 2, "--resume", "config.json", "--data-dir");
    }

    @Test
    void otherDataAreMeasuredWhereThatIsAskedForAndTheResultsSaySo() {
        Shell shell = Shell.run("evaluate", swa, "--data-dir", others, "--other-data", "--device", CPU);
        assertEquals(0, shell.code(), shell.err());
        assertTrue(shell.out().contains("On other data than trained on"), shell.out());
        assertTrue(shell.out().contains("121 training"), shell.out());
        Shell own = Shell.run("evaluate", swa, "--data-dir", mine, "--other-data", "--device", CPU);
        assertFalse(own.out().contains("other data"), own.out());
    }

    /** The file's content under a header that {@code change} makes. */
    private Path rewritten(String name, Path file, BiConsumer<SafetensorsWriter, Safetensors> change) {
        Path to = folder.resolve(name);
        try (Safetensors in = Safetensors.open(file)) {
            SafetensorsWriter writer = Safetensors.writer().metadata(in.metadata());
            in.tensors().forEach((n, t) -> {
                long[] shape = t.shape().stream().mapToLong(Long::longValue).toArray();
                writer.add(n, t.dtype(), shape, in.read(n));
            });
            change.accept(writer, in);
            writer.write(to);
        }
        return to;
    }

    /** As an older version or another program would have written it. */
    private static Path withoutSum(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = text.indexOf("\"sha256\"");
        bytes[at + 1] = 'x';
        return Files.write(file, bytes);
    }

    @Test
    void aFileWithoutASumIsReadWithOneLineOfWarning() throws IOException {
        Path old = withoutSum(Files.copy(swa, folder.resolve("old.safetensors")));
        Shell shell = Shell.run("evaluate", old, "--data-dir", mine, "--device", CPU);
        assertEquals(0, shell.code(), shell.err());
        List<String> warnings =
                shell.err().lines().filter(l -> l.contains("warning")).toList();
        assertEquals(1, warnings.size(), shell.err());
        assertTrue(warnings.get(0).contains(old.toString()), shell.err());
        Shell fresh = Shell.run("evaluate", swa, "--data-dir", mine, "--device", CPU);
        assertFalse(fresh.err().contains("warning"), fresh.err());
        assertEquals(fresh.out(), shell.out());
    }

    @ParameterizedTest
    @CsvSource({"NaN", "Infinity"})
    void aWeightThatIsNotFiniteIsRefusedByFileAndTensor(float value) throws IOException {
        Path bad = Files.copy(members.get(0), folder.resolve("bad.safetensors"));
        String tensor = poison(bad, value);
        Path out = folder.resolve("out.safetensors");
        Path good = members.get(1);
        List<Object> on = List.of("--data-dir", mine, "--device", CPU);
        for (List<Object> command : List.<List<Object>>of(
                List.of("average", good, bad, "--out", out),
                List.of("average", good, bad, "--no-bn-update", "--out", out),
                List.of("soup", "--uniform", good, bad, "--out", out),
                List.of("soup", "--greedy", good, bad, "--out", out),
                List.of("evaluate", bad),
                List.of("predict", bad, mine.resolve("t10k-images-idx3-ubyte")),
                List.of("ensemble", good, bad))) {
            List<Object> args = new ArrayList<>(command);
            args.addAll(on);
            refused(Shell.run(args.toArray()), 1, bad, tensor, "not finite");
            assertFalse(Files.exists(out));
        }
    }

    /** Writes a value into the first weight, under a sum that is right. */
    private static String poison(Path file, float value) throws IOException {
        String[] name = new String[1];
        SafetensorsWriter writer = Safetensors.writer();
        try (Safetensors in = Safetensors.open(file)) {
            writer.metadata(in.metadata());
            in.tensors().forEach((n, t) -> {
                ByteBuffer data = in.read(n).order(ByteOrder.LITTLE_ENDIAN);
                if (name[0] == null) data.putFloat(0, value);
                if (name[0] == null) name[0] = n;
                writer.add(
                        n,
                        t.dtype(),
                        t.shape().stream().mapToLong(Long::longValue).toArray(),
                        data);
            });
        }
        writer.write(file);
        return name[0];
    }

    @Test
    void weightsThatTheNetHasNotAreRefusedByNameUnlessAskedFor() {
        Path more = rewritten("more.safetensors", swa, (w, in) -> w.add("fc9.weight", new long[] {1}, new float[] {1}));
        Path other = rewritten(
                "more2.safetensors", members.get(0), (w, in) -> w.add("fc9.weight", new long[] {1}, new float[] {1}));
        Path out = folder.resolve("out.safetensors");
        List<Object> on = List.of("--data-dir", mine, "--device", CPU);
        for (List<Object> command : List.<List<Object>>of(
                List.of("evaluate", more),
                List.of("ensemble", more, swa),
                List.of("average", more, other, "--out", out),
                List.of("soup", "--uniform", more, other, "--out", out))) {
            List<Object> args = new ArrayList<>(command);
            args.addAll(on);
            Shell shell = Shell.run(args.toArray());
            refused(shell, 1, ".safetensors", "'fc9.weight'");
        }
        Shell state = Shell.run("evaluate", swa.resolveSibling("checkpoint.safetensors"), "--data-dir", mine);
        refused(state, 2, "checkpoint.safetensors", "is the state of a run");
        Shell asked = Shell.run("evaluate", more, "--extra-tensors", "--data-dir", mine, "--device", CPU);
        assertEquals(
                Shell.run("evaluate", swa, "--data-dir", mine, "--device", CPU).out(), asked.out(), asked.err());
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"BOOL", "I32", "I64", "BF16", "F16", "U8"})
    void aTensorThatIsNoWeightBarsNoFile(Dtype type) {
        BiConsumer<SafetensorsWriter, Safetensors> more =
                (w, in) -> w.add("norm1.num_batches_tracked", type, new long[0], ByteBuffer.allocate(type.bytes()))
                        .add("mask", type, new long[] {2}, ByteBuffer.allocate(2 * type.bytes()));
        Path a = rewritten("a.safetensors", members.get(0), more);
        Path b = rewritten("b.safetensors", members.get(1), more);
        Path plain = folder.resolve("plain.safetensors");
        Path with = folder.resolve("with.safetensors");
        for (String how : List.of("average", "soup")) {
            for (Path out : List.of(plain, with)) {
                List<Path> files = out.equals(plain) ? members.subList(0, 2) : List.of(a, b);
                List<Object> args = new ArrayList<>(List.of(how, files.get(0), files.get(1), "--out", out));
                args.addAll(List.of("--data-dir", mine, "--device", CPU, "--threads", 1));
                if (how.equals("soup")) args.add("--uniform");
                Shell shell = Shell.run(args.toArray());
                assertEquals(0, shell.code(), shell.err());
            }
            try (Safetensors x = Safetensors.open(plain);
                    Safetensors y = Safetensors.open(with)) {
                assertEquals(x.tensors(), y.tensors());
                for (String n : x.tensors().keySet()) assertArrayEquals(x.floats(n), y.floats(n), n);
            } finally {
                plain.toFile().delete();
                with.toFile().delete();
            }
        }
    }

    @Test
    void aMissingWeightIsRefusedByName() {
        Path few = folder.resolve("few.safetensors");
        try (Safetensors in = Safetensors.open(swa)) {
            String first = in.tensors().keySet().iterator().next();
            SafetensorsWriter writer = Safetensors.writer().metadata(in.metadata());
            in.tensors().forEach((n, t) -> {
                if (!n.equals(first)) {
                    writer.add(
                            n,
                            t.dtype(),
                            t.shape().stream().mapToLong(Long::longValue).toArray(),
                            in.read(n));
                }
            });
            writer.write(few);
            refused(Shell.run("evaluate", few, "--data-dir", mine, "--device", CPU), 1, few, "'" + first + "'");
            Path again = rewritten("again.safetensors", few, (w, i) -> {});
            refused(
                    Shell.run("average", few, again, "--data-dir", mine, "--out", folder.resolve("out.safetensors")),
                    1,
                    few,
                    "'" + first + "'");
        }
    }

    /** Files that cannot be loaded, and nets that span no plane, are found before a folder is made. */
    @Test
    void aLandscapeThatIsRefusedLeavesNothingBehind() {
        Path a = members.get(0);
        Path b = members.get(1);
        Path more = rewritten("more.safetensors", a, (w, in) -> w.add("extra", new long[] {1}, new float[] {1}));
        Path same = rewritten("same.safetensors", a, (w, in) -> w.metadata("note", "the same weights"));
        Path out = folder.resolve("out");
        for (List<Object> command : List.<List<Object>>of(
                List.of("connect", b, more),
                List.of("width", b, more),
                List.of("surface", b, "--directions", "filter", "--average", more),
                List.of("surface", a, b, same))) {
            List<Object> args = new ArrayList<>(command);
            args.addAll(List.of("--data-dir", mine, "--validation", 20, "--batch-size", 50, "--device", CPU));
            args.addAll(List.of("--out", out));
            Shell shell = Shell.run(args.toArray());
            boolean line = command.contains(same);
            refused(shell, line ? 2 : 1, line ? "or two of them are the same" : more);
            assertFalse(Files.exists(out), command.get(0).toString());
        }
    }

    /** An epoch has two steps, so three quarters of it are one and a half. */
    @Test
    void epochsThatAreNotWholeStepsAreSaidToBeRounded() {
        List<Object> args = new ArrayList<>(List.of("train", "mnist", "--data-dir", mine, "--method", "sgd"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 20, "--batch-size", 50, "--device", CPU));
        args.addAll(List.of("--out", folder.resolve("short"), "--epochs", 0.75));
        Shell shell = Shell.run(args.toArray());
        assertEquals(0, shell.code(), shell.err());
        String note = "basin: note: --epochs 0.75 would be 1.50 steps at 2 an epoch; 2 steps are trained, 1.00 epochs";
        assertTrue(shell.err().contains(note), shell.err());
    }

    @ParameterizedTest
    @CsvSource({"swa.safetensors", "evidence.json", "scores.json"})
    void whatAFinishedGroupLostIsMadeAgain(String name) throws IOException {
        Path copy = copy();
        Path file = copy.resolve("seed-1/swa").resolve(name);
        byte[] before = Files.readAllBytes(file);
        Files.delete(file);
        Shell shell = Shell.run(train(mine, 1, "--resume", copy).toArray());
        assertEquals(0, shell.code(), shell.err());
        assertArrayEquals(before, Files.readAllBytes(file));
    }

    @ParameterizedTest
    @CsvSource({"member", "checkpoint", "metrics"})
    void whatOnlyTrainingMakesIsMissedByName(String kind) throws IOException {
        Path copy = copy();
        Path file;
        try (Stream<Path> files = Files.list(copy.resolve("seed-1/swa"))) {
            file = files.filter(f -> f.getFileName().toString().startsWith(kind))
                    .findFirst()
                    .orElseThrow();
        }
        Files.delete(file);
        refused(Shell.run(train(mine, 1, "--resume", copy).toArray()), 1, file, "is missing");
    }

    @Test
    void metricsCutShortAreNamed() throws IOException {
        Path copy = copy();
        Path metrics = copy.resolve("seed-1/swa/metrics.jsonl");
        byte[] all = Files.readAllBytes(metrics);
        Files.write(metrics, Arrays.copyOf(all, all.length / 2));
        refused(Shell.run(train(mine, 1, "--resume", copy).toArray()), 1, metrics, "restore it");
        // At the end of a line too.
        int end = new String(all, StandardCharsets.UTF_8).indexOf('\n') + 1;
        Files.write(metrics, Arrays.copyOf(all, end));
        refused(Shell.run(train(mine, 1, "--resume", copy).toArray()), 1, metrics, "restore it");
    }

    @Test
    void anotherThreadCountIsRefusedUnlessAskedForAndThenSaid() throws IOException {
        Path copy = copy();
        refused(Shell.run(train(mine, 2, "--resume", copy).toArray()), 2, "config.json", "--any-device");
        List<Object> args = train(mine, 2, "--resume", copy);
        args.add("--any-device");
        Shell shell = Shell.run(args.toArray());
        assertEquals(0, shell.code(), shell.err());
        assertTrue(shell.err().contains("bits will differ"), shell.err());
        assertTrue(shell.out().contains("--any-device"), shell.out());
        assertTrue(Files.readString(copy.resolve("config.json")).contains("earlierDevices"));
        // It has become the run's device, and the mixture stays known.
        Shell again = Shell.run(train(mine, 2, "--resume", copy).toArray());
        assertEquals(0, again.code(), again.err());
        assertTrue(again.out().contains("--any-device"), again.out());
    }

    @Test
    void aLandscapeGoesOnOnAnotherThreadCountOnlyIfAsked() throws IOException {
        Path out = folder.resolve("width");
        List<Object> args = new ArrayList<>(List.of("width", members.get(0), "--data-dir", mine, "--validation", 20));
        args.addAll(List.of("--batch-size", 50, "--samples", 20, "--bn-samples", 20, "--directions", 1, "--points", 1));
        args.addAll(List.of("--device", CPU, "--threads"));
        List<Object> begun = new ArrayList<>(args);
        begun.addAll(List.of(1, "--out", out));
        Shell shell = Shell.run(begun.toArray());
        assertEquals(0, shell.code(), shell.err());
        args.addAll(List.of(2, "--resume", out));
        refused(Shell.run(args.toArray()), 2, "config.json", "--any-device");
        args.add("--any-device");
        shell = Shell.run(args.toArray());
        assertEquals(0, shell.code(), shell.err());
        assertTrue(shell.err().contains("bits will differ"), shell.err());
        assertTrue(Files.readString(out.resolve("report.html")).contains("--any-device"));
    }

    /** 18 kinds of files at 12 places each; that each single bit of a file counts is FlippedBitTest's matter. */
    @Test
    void aFlippedBitIsRefusedByNameOrChangesNothing() throws IOException {
        Flips.all(folder, 1, 12);
    }
}
