package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.io.TorchZip;
import io.basin.nn.Nets;
import io.basin.train.Model;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights come in from other programs and go out to them, and what does not fit is said in one line. */
class ExchangeCommandsTest {
    @TempDir
    static Path shared;

    private static Path data;
    private static Path trained;

    @TempDir
    Path folder;

    @BeforeAll
    static void train() {
        data = Shell.grey(shared.resolve("data"), 200, 40);
        Path run = shared.resolve("run");
        List<Object> args =
                new ArrayList<>(List.of("train", "mnist", "--model", "lenet-bn", "--method", "sgd", "--epochs", 1));
        args.addAll(List.of("--validation", 20, "--batch-size", 20, "--out", run));
        Shell shell = on(args);
        assertEquals(0, shell.code(), shell.err());
        trained = run.resolve("seed-1").resolve("sgd").resolve("sgd.safetensors");
    }

    private static Shell on(List<Object> args) {
        List<Object> all = new ArrayList<>(args);
        all.addAll(List.of("--data-dir", data, "--device", "cpu", "--threads", 1));
        return Shell.run(all.toArray());
    }

    private static Shell taken(Path file, Path out, Object... more) {
        List<Object> all =
                new ArrayList<>(List.of("import", file, "--data", "mnist", "--data-dir", data, "--out", out));
        if (!List.of(more).contains("--model")) all.addAll(List.of("--model", "lenet-bn"));
        all.addAll(List.of(more));
        return Shell.run(all.toArray());
    }

    /** A state dict of the trained net, some tensors under other names, without anything of ours in its header. */
    private Path foreign(UnaryOperator<String> name) {
        Path file = folder.resolve("foreign.safetensors");
        SafetensorsWriter writer = Safetensors.writer();
        try (Safetensors in = Safetensors.open(trained)) {
            in.tensors().forEach((n, t) -> {
                String called = name.apply(n);
                long[] shape = t.shape().stream().mapToLong(Long::longValue).toArray();
                if (!called.isEmpty()) writer.add(called, shape, in.floats(n));
            });
        }
        writer.add("bn1.num_batches_tracked", io.basin.io.Dtype.I64, new long[0], ByteBuffer.allocate(8));
        writer.write(file);
        return file;
    }

    private static void requireSameWeights(Path a, Path b, String but) {
        try (Safetensors x = Safetensors.open(a);
                Safetensors y = Safetensors.open(b)) {
            assertEquals(x.tensors().keySet(), y.tensors().keySet());
            for (String n : x.tensors().keySet()) {
                if (!but.isEmpty() && n.startsWith(but)) continue;
                assertArrayEquals(x.floats(n), y.floats(n), n);
            }
        }
    }

    @Test
    void whatIsImportedIsEvaluatedAveragedConnectedAndTrainedOn() throws IOException {
        Path out = folder.resolve("in.safetensors");
        Shell in = taken(foreign(n -> n), out, "--num-classes", 10);
        assertEquals(0, in.code(), in.err());
        assertEquals(
                out + ": lenet-bn for mnist, 14 tensors of " + folder.resolve("foreign.safetensors") + "\n", in.out());
        requireSameWeights(trained, out, "");
        String theirs = on(List.of("evaluate", trained)).out();
        String ours = on(List.of("evaluate", out)).out();
        assertEquals(accuracy(theirs), accuracy(ours), 3, "normalised by 200 samples instead of 180");
        Path other = folder.resolve("other.safetensors");
        assertEquals(0, taken(foreign(n -> n), other, "--new-head").code());
        Path again = Files.copy(out, folder.resolve("again.safetensors"));
        String steps = " --batch-size 20 --out " + folder;
        for (String command : List.of(
                "average " + out + " " + again + " --out " + folder.resolve("avg.safetensors"),
                "connect " + out + " " + other + " --epochs 1 --points 3 --validation 0" + steps + "/curve",
                "train mnist --model lenet-bn --method sgd --epochs 2 --from-epochs 1 --validation 20 --from " + out
                        + steps + "/on")) {
            Shell shell = on(List.of((Object[]) command.split(" ")));
            assertEquals(0, shell.code(), command + shell.err());
        }
    }

    private static double accuracy(String said) {
        return Double.parseDouble(said.replaceAll("(?s).*accuracy ([0-9.]+) %.*", "$1"));
    }

    @Test
    void aCheckpointOfDataParallelIsTakenByItsPlainNames() throws IOException {
        TorchZip zip = new TorchZip()
                .ops("}(")
                .text("epoch")
                .number(9)
                .text("state_dict")
                .ops("}(");
        try (Safetensors in = Safetensors.open(trained)) {
            in.tensors()
                    .forEach((n, t) -> zip.text("module." + n)
                            .floats(
                                    in.floats(n),
                                    t.shape().stream()
                                            .mapToLong(Long::longValue)
                                            .toArray()));
        }
        Path file = Files.write(folder.resolve("net.pth"), zip.ops("uu").bytes());
        Path out = folder.resolve("in.safetensors");
        Shell in = taken(file, out);
        assertEquals(0, in.code(), in.err());
        requireSameWeights(trained, out, "");
    }

    @Test
    void namesAreMappedByLayersAndTensors() throws IOException {
        Path file = foreign(n -> n.equals("fc1.bias") ? "b" : n.replaceFirst("^(conv\\d|bn\\d)\\.", "stem.$1."));
        Path names = folder.resolve("names.txt");
        Files.writeString(
                names,
                "# theirs = ours\n\nstem.conv1=conv1\nstem.conv2 = conv2\nstem.bn1=bn1\nstem.bn2=bn2\nb=fc1.bias\n");
        Path out = folder.resolve("in.safetensors");
        Shell in = taken(file, out, "--names", names);
        assertEquals(0, in.code(), in.err());
        requireSameWeights(trained, out, "");
        Shell endless = taken(file, folder.resolve("never.safetensors"), "--names", Path.of("/dev/zero"));
        assertEquals(1, endless.code());
        assertTrue(endless.complaint().contains("/dev/zero: is not a file"), endless.complaint());
        for (String[] bad : new String[][] {
            {"stem.conv1", "names.txt: line 1, 'stem.conv1', is not old=new"},
            {"a=b\na=c", "names.txt: line 2, 'a=c', names one a second time"},
            {"stem.conf1=conv1", "--names: 'stem.conf1' is not a tensor or layer of "},
            {"b=fc1.weight", "would both be fc1.weight; leave one out"}
        }) {
            Files.writeString(names, bad[0]);
            Shell shell = taken(file, folder.resolve("no.safetensors"), "--names", names);
            assertTrue(shell.code() != 0 && shell.complaint().contains(bad[1]), shell.complaint());
        }
    }

    @Test
    void allThatDoesNotFitIsListedAtOnceAndNothingIsWritten() {
        Path file = foreign(n -> n.equals("bn1.bias") ? "" : n.equals("conv1.weight") ? "first.weight" : n);
        Path out = folder.resolve("in.safetensors");
        Shell in = taken(file, out);
        assertEquals(1, in.code());
        assertEquals(
                "basin: " + file
                        + ": does not fit the net; missing: conv1.weight, bn1.bias; too many: first.weight; map names"
                        + " with --names, draw a layer anew with --new-head, ignore what is too many with --extra-tensors, or"
                        + " name another --model",
                in.complaint());
        Shell other = taken(file, out, "--model", "small-cnn");
        assertTrue(other.complaint().contains("of another shape: bn1.weight [16] instead of [32]"), other.complaint());
        assertTrue(other.complaint().contains("missing: conv1.weight, bn1.bias, conv3.weight"), other.complaint());
        assertFalse(Files.exists(out));
        Path more = foreign(n -> n);
        assertEquals(1, taken(more, out, "--model", "mlp").code());
    }

    @Test
    void aNewHeadBeginsAsATrainingOfThatSeedWould() throws IOException {
        Path file = foreign(n -> n.startsWith("fc2") ? "classifier" + n.substring(3) : n);
        assertEquals(
                1, taken(file, folder.resolve("no.safetensors"), "--new-head").code(), "their head is too many");
        Path out = folder.resolve("in.safetensors");
        Shell in = taken(file, out, "--new-head", "--seed", 5, "--extra-tensors");
        assertEquals(0, in.code(), in.err());
        assertTrue(in.out().endsWith(", 2 drawn anew by seed 5\n"), in.out());
        requireSameWeights(trained, out, "fc2.");
        try (Device device = Devices.open("cpu", 1);
                Model model = new Model(device, Nets.build("lenet-bn", Shape.of(1, 28, 28), 10)).initialise(5);
                Safetensors read = Safetensors.open(out)) {
            for (String n : List.of("fc2.weight", "fc2.bias")) assertArrayEquals(model.read(n), read.floats(n), n);
        }
        Shell unknown = taken(file, folder.resolve("no.safetensors"), "--new-head", "fc9");
        assertTrue(unknown.complaint().contains("--new-head: the net has no layer 'fc9'"), unknown.complaint());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --num-classes | 7     | --num-classes 7: mnist has 10 classes
            --mean        | 0.5   | --mean and --std belong together
            --model       | mpl   | unknown net 'mpl'; did you mean 'mlp'?
            --data        | minst | unknown data set 'minst'; did you mean 'mnist'?
            """)
    void whatCannotBeImportedIsSaid(String flag, String value, String says) {
        List<Object> args =
                new ArrayList<>(List.of("import", trained, "--data-dir", data, "--out", folder.resolve("no")));
        if (!flag.equals("--model")) args.addAll(List.of("--model", "lenet-bn"));
        if (!flag.equals("--data")) args.addAll(List.of("--data", "mnist"));
        args.addAll(List.of(flag, value));
        Shell shell = Shell.run(args.toArray());
        assertEquals(2, shell.code());
        assertTrue(shell.complaint().contains(says), shell.complaint());
    }

    @Test
    void theNormalisationOfTheOtherProgramIsKept() {
        Path out = folder.resolve("in.safetensors");
        Shell in = taken(foreign(n -> n), out, "--mean", "0.25", "--std", "0.5");
        assertEquals(0, in.code(), in.err());
        try (Safetensors read = Safetensors.open(out)) {
            assertEquals("[0.25]", read.metadata().get("mean"));
            assertEquals("[0.5]", read.metadata().get("std"));
            assertTrue(read.metadata().get("init").startsWith("import "));
        }
        Shell wrong = taken(foreign(n -> n), folder.resolve("no"), "--mean", "0.25,0.1", "--std", "0.5,1");
        assertTrue(wrong.complaint().contains("--mean: "), wrong.complaint());
    }

    @Test
    void exportsAreNamedByTheirFormatsAndFoldedFilesNameNoNet() throws IOException {
        Path npz = folder.resolve("net.npz");
        Shell shell = Shell.run("export", trained, "--out", npz);
        assertEquals(npz + ": lenet-bn\n", shell.out(), shell.err());
        requireNumpy(npz);
        Path plain = folder.resolve("plain.safetensors");
        Path folded = folder.resolve("folded.safetensors");
        assertEquals(
                0,
                Shell.run("export", trained, "--format", "safetensors", "--out", plain)
                        .code());
        assertEquals(
                0,
                Shell.run("export", trained, "--format", "safetensors", "--fold-bn", "--out", folded)
                        .code());
        requireSameWeights(trained, plain, "");
        assertEquals(
                accuracy(on(List.of("evaluate", trained)).out()),
                accuracy(on(List.of("evaluate", plain)).out()));
        try (Safetensors read = Safetensors.open(folded)) {
            assertTrue(read.tensors().containsKey("conv1.bias"));
            assertTrue(read.tensors().keySet().stream().noneMatch(n -> n.startsWith("bn")));
        }
        String said = on(List.of("evaluate", folded)).complaint();
        assertTrue(said.contains("or bring another program's weights in with 'basin import'"), said);
        Path onnx = trained.resolveSibling("sgd.onnx");
        assertEquals(
                onnx + ": lenet-bn, ONNX opset 17\n",
                Shell.run("export", trained).out());
        Shell again = Shell.run("export", trained);
        assertTrue(
                again.code() == 2 && again.complaint().contains("--out: " + onnx + " exists already"),
                again.complaint());
        Shell two = Shell.run("export", trained, trained, "--format", "npz", "--out", folder.resolve("two.npz"));
        assertTrue(two.complaint().contains("--format npz holds one net"), two.complaint());
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(3, left.count());
        }
    }

    @Test
    void aNameThatEndsAsAnotherKindOfFileIsRefused() throws IOException {
        Path other = folder.resolve("other.npz");
        Path copy = Files.copy(trained, folder.resolve("copy.safetensors"));
        for (String words : List.of("export --format onnx", "average", "soup --uniform")) {
            List<Object> all = new ArrayList<>(List.of((Object[]) words.split(" ")));
            all.addAll(List.of(trained, copy, "--out", other));
            String said = Shell.run(all.toArray()).complaint();
            assertTrue(said.contains(other + " is by its name another kind of file than what is written"), said);
        }
    }

    /** NumPy's format by its definition: magic, version, a header of 64 bytes' multiple, the values. */
    private static void requireNumpy(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file);
                ZipInputStream zip = new ZipInputStream(in);
                Safetensors weights = Safetensors.open(trained)) {
            int arrays = 0;
            for (ZipEntry e = zip.getNextEntry(); e != null; e = zip.getNextEntry(), arrays++) {
                ByteBuffer all = ByteBuffer.wrap(zip.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
                assertEquals("\u0093NUMPY\1\0", new String(all.array(), 0, 8, StandardCharsets.ISO_8859_1));
                int header = all.getShort(8);
                assertEquals(0, (10 + header) % 64);
                String said = new String(all.array(), 10, header, StandardCharsets.US_ASCII);
                String name = e.getName().replaceAll("\\.npy$", "");
                List<Long> shape = weights.tensor(name).shape();
                String tuple = shape.toString().replace("[", "(").replace("]", ",)");
                assertEquals("{'descr': '<f4', 'fortran_order': False, 'shape': " + tuple + ", }", said.strip());
                assertTrue(said.endsWith("\n"));
                float[] values = new float[all.position(10 + header).remaining() / 4];
                all.asFloatBuffer().get(values);
                assertArrayEquals(weights.floats(name), values, name);
            }
            assertEquals(weights.tensors().size(), arrays);
        }
    }
}
