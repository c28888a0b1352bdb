package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Allocation;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Weights of other programs are read as they were written, or refused by name before anything large is made of them. */
class StateDictTest {
    private static final String ZERO = "J\0\0\0\0";
    private static final int MANY = (16 << 20) - 100;

    @TempDir
    private Path folder;

    private static float[] floats(StateDict in, String name) {
        ByteBuffer bytes = in.weights(name);
        float[] values = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private static ByteBuffer shorts(int... bits) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int b : bits) bytes.putShort((short) b);
        return bytes.flip();
    }

    private Path checkpoint(UnaryOperator<TorchZip> content) throws IOException {
        return Files.write(
                folder.resolve("net.pt"), content.apply(new TorchZip()).bytes());
    }

    private FormatException refused(Path file) {
        FormatException e = assertThrows(FormatException.class, () -> {
            try (StateDict in = StateDict.open(file)) {
                for (String name : in.shapes().keySet()) in.weights(name);
            }
        });
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        return e;
    }

    @Test
    void halvesAreWidenedAndFloatsAreTheFileItself() {
        Path file = folder.resolve("a.safetensors");
        Safetensors.writer()
                .add("half", Dtype.F16, new long[] {2}, shorts(0x3C00, 0xC000))
                .add("brain", Dtype.BF16, new long[] {1, 2}, shorts(0x3F80, 0xC040))
                .add("whole", new long[] {3}, new float[] {1, 2, 3})
                .add(
                        "double",
                        Dtype.F64,
                        new long[] {1},
                        ByteBuffer.allocate(8)
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .putDouble(0.1)
                                .flip())
                .add("count", Dtype.I64, new long[0], ByteBuffer.allocate(8))
                .write(file);
        try (Safetensors in = Safetensors.open(file)) {
            assertArrayEquals(new float[] {1, -2}, in.floats("half"));
            assertArrayEquals(new float[] {1, -3}, in.floats("brain"));
            assertArrayEquals(new float[] {1, -2}, floats(in, "half"));
            assertArrayEquals(new float[] {1, 2, 3}, floats(in, "whole"));
            assertArrayEquals(new float[] {0.1f}, floats(in, "double"));
            assertTrue(in.map("whole").isDirect() && in.map("whole").isReadOnly());
            assertThrows(FormatException.class, () -> in.map("half"));
            String said = assertThrows(FormatException.class, () -> in.weights("count"))
                    .getMessage();
            assertTrue(said.endsWith("tensor 'count' is I64, not floating-point numbers"), said);
            assertEquals(List.of(1L, 2L), in.shapes().get("brain"));
        }
    }

    @Test
    void aTensorBehindMoreThanFourGigabytesIsReadAndMapped() throws IOException {
        long large = 5L << 30;
        String header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + large + "],\"data_offsets\":[0," + large + "]},"
                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" + large + "," + (large + 8) + "]}}";
        byte[] head = SafetensorsTest.file(header, 0);
        Path file = folder.resolve("large.safetensors");
        // Sparse: only its ends take space.
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(head);
            out.seek(head.length + large);
            out.write(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(1.5f)
                    .putFloat(-2)
                    .array());
        }
        try (Safetensors in = Safetensors.open(file)) {
            assertArrayEquals(new float[] {1.5f, -2}, in.floats("b"));
            assertArrayEquals(new float[] {1.5f, -2}, floats(in, "b"));
            assertThrows(FormatException.class, () -> in.read("a"));
        }
    }

    @Test
    void filesBesideTheirIndexAreOneStateDict() throws IOException {
        Safetensors.writer().add("a", new long[] {1}, new float[] {1}).write(folder.resolve("m-1.safetensors"));
        Safetensors.writer().add("b", new long[] {1}, new float[] {2}).write(folder.resolve("m-2.safetensors"));
        Path index = folder.resolve("m.safetensors.index.json");
        Files.writeString(
                index,
                "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"b\":\"m-2.safetensors\",\"a\":\"m-1.safetensors\"}}");
        try (StateDict in = StateDict.open(index)) {
            assertEquals(List.of("b", "a"), List.copyOf(in.shapes().keySet()));
            assertArrayEquals(new float[] {1}, floats(in, "a"));
            assertArrayEquals(new float[] {2}, floats(in, "b"));
        }
        for (String[] bad : new String[][] {
            {"{\"a\":\"m-2.safetensors\"}", "'a' is not in m-2.safetensors"},
            {"{\"a\":\"../m-1.safetensors\"}", "not a plain name of a safetensors file"},
            {"{\"a\":\"/m-1.safetensors\"}", "not a plain name of a safetensors file"},
            {"{\"a\":7}", "not a plain name of a safetensors file"},
            {"{}", "has no 'weight_map'"},
            {"[]", "has no 'weight_map'"}
        }) {
            Files.writeString(index, "{\"weight_map\":" + bad[0] + "}");
            assertTrue(refused(index).getMessage().contains(bad[1]), bad[0]);
        }
        Files.writeString(index, "{\"weight_map\":{\"a\":\"absent.safetensors\"}}");
        String said =
                assertThrows(FormatException.class, () -> StateDict.open(index)).getMessage();
        assertEquals(folder.resolve("absent.safetensors") + ": no such file", said);
    }

    @ParameterizedTest
    @CsvSource({"'', ''", "state_dict, ''", "model, ''", "model_state_dict, 1"})
    void aCheckpointIsReadWithItsWrappingOffsetsAndStrides(String wrapping, String metadata) throws IOException {
        ByteBuffer numbers = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 6; i++) numbers.putFloat(i);
        byte[] six = numbers.array();
        Path file = checkpoint(z -> {
            if (!wrapping.isEmpty())
                z.ops("}(")
                        .text("epoch")
                        .number(3)
                        .text("best")
                        .ops("G?\u00e0\0\0\0\0\0\0")
                        .text(wrapping);
            z.ops("ccollections\nOrderedDict\n)Rq\0(");
            z.text("t").tensor("FloatStorage", six, 6, 0, new long[] {2, 3}, 1, 2);
            z.text("tail").view("FloatStorage", 0, 6, 4, new long[] {2}, 1);
            z.text("p")
                    .ops("ctorch._utils\n_rebuild_parameter\n(")
                    .view("FloatStorage", 0, 6, 0, new long[] {1}, 1)
                    .ops("\u0088}tR");
            z.text("h").tensor("HalfStorage", shorts(0x3C00).array(), 1, 0, new long[0]);
            z.text("n").tensor("LongStorage", new byte[8], 1, 0, new long[0]).ops("u");
            if (!metadata.isEmpty()) z.ops("}").text("_metadata").ops("}sb");
            return wrapping.isEmpty() ? z : z.ops("u");
        });
        try (StateDict in = StateDict.open(file)) {
            assertEquals(
                    Map.of("t", List.of(2L, 3L), "tail", List.of(2L), "p", List.of(1L), "h", List.of(), "n", List.of()),
                    in.shapes());
            assertArrayEquals(new float[] {0, 2, 4, 1, 3, 5}, floats(in, "t"));
            assertArrayEquals(new float[] {4, 5}, floats(in, "tail"));
            assertArrayEquals(new float[] {0}, floats(in, "p"));
            assertArrayEquals(new float[] {1}, floats(in, "h"));
            assertTrue(assertThrows(FormatException.class, () -> in.weights("n"))
                    .getMessage()
                    .contains("is I64"));
        }
    }

    @ParameterizedTest
    @CsvSource({"os, system", "builtins, eval", "torch, load", "numpy.core.multiarray, scalar", "argparse, Namespace"})
    void whatAPickleWouldCallIsRefusedByItsName(String module, String name) throws IOException {
        Path file = checkpoint(
                z -> z.ops("c" + module + "\n" + name + "\n(").text("touch x").ops("tR"));
        String said = refused(file).getMessage();
        assertEquals(
                file + ": names '" + module + "." + name + "', which Basin never runs: save the state dict alone,"
                        + " torch.save(model.state_dict(), ...)",
                said);
        Path later = checkpoint(z -> z.text(module).ops("\u008c" + (char) name.length() + name + "\u0093)R"));
        assertTrue(refused(later).getMessage().contains("names '" + module + "." + name + "'"), said);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 3, 1, 1",
        "2, 1, 1, 1",
        "-1, 1, 1, 1",
        "0, 1000000000, 0, 1",
        "0, 2, 1, 9000000000000000000",
        "0, -1, 1, 1"
    })
    void aViewBeyondItsMemoryIsRefusedBeforeAnythingIsMade(long offset, long size, long stride, long elements)
            throws IOException {
        Path file = checkpoint(z -> z.ops("}")
                .text("w")
                .tensor("FloatStorage", new byte[8], elements == 1 ? 2 : elements, offset, new long[] {size}, stride)
                .ops("s"));
        long[] used = new long[1];
        used[0] = Allocation.of(() -> refused(file));
        assertTrue(used[0] < 4 << 20, used[0] + " bytes for " + file);
    }

    @Test
    void otherArchivesAndOldFormatsAreRefusedWithWhatToDo() throws IOException {
        Path script = checkpoint(z -> z.ops("}").stored("archive/constants.pkl", new byte[0]));
        assertTrue(refused(script).getMessage().contains("is a TorchScript program; save its weights"));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.putNextEntry(new ZipEntry("archive/data.pkl"));
            zip.write("}.".getBytes(StandardCharsets.US_ASCII));
        }
        Path packed = Files.write(folder.resolve("packed.pt"), bytes.toByteArray());
        assertTrue(refused(packed).getMessage().contains("is compressed, which torch.save never does"));
        Path old =
                Files.write(folder.resolve("old.pth"), new byte[] {(byte) 0x80, 2, (byte) 0x8a, 10, 'l', (byte) 0xfc});
        String said = refused(old).getMessage();
        assertTrue(said.contains("as torch.save wrote before PyTorch 1.6 (load it there and save it again"), said);
        Path junk = Files.writeString(folder.resolve("junk.pt"), "junk before PK\3\4");
        for (Path file : List.of(old, junk)) {
            assertTrue(
                    refused(file).getMessage().contains("name a checkpoint that torch.save of PyTorch 1.6 or later"));
        }
        byte[] sound = Files.readAllBytes(
                checkpoint(z -> z.ops("}").text("w").floats(new float[] {1}, 1).ops("s")));
        Path half = Files.write(folder.resolve("half.pt"), java.util.Arrays.copyOf(sound, sound.length / 2));
        assertTrue(refused(half).getMessage().contains("is a damaged ZIP archive (its list of entries is damaged"));
        Path empty = checkpoint(z -> z.ops("}"));
        assertTrue(refused(empty).getMessage().contains("holds no dictionary of tensors"));
        Path swapped =
                checkpoint(z -> z.ops("}").text("w").floats(new float[] {1}, 1).ops("s"));
        byte[] damaged = Files.readAllBytes(swapped);
        for (int i = 0; i < damaged.length - 4; i++) {
            // The one float, 1.
            if (damaged[i] == 0 && damaged[i + 1] == 0 && damaged[i + 2] == (byte) 0x80 && damaged[i + 3] == 0x3f)
                damaged[i + 3] = 0x40;
        }
        assertTrue(refused(Files.write(swapped, damaged)).getMessage().contains("is damaged, its CRC is another"));
    }

    /** Among others a million dictionaries, a text longer than the file, numbers of 255 bytes, and objects of a byte each. */
    @Test
    void aPickleTakesNoMoreThanItsBytesAllow() throws IOException {
        for (String ops : List.of(
                "}".repeat(2_000_000),
                "X\u00ff\u00ff\u00ff\u007f",
                "\u008a\u00ff" + "1".repeat(255),
                ZERO + "R",
                "N" + "\u0094".repeat(MANY),
                "(" + "K\u00ff".repeat(MANY / 3) + "t",
                "N".repeat(MANY),
                "]" + "Na".repeat(MANY / 2),
                "U\001x0".repeat(MANY / 4),
                "K\u00ff0".repeat(MANY / 3))) {
            Path file = checkpoint(z -> z.ops(ops));
            long used = Allocation.of(() -> refused(file));
            assertTrue(used < (64 << 20) + 4 * Files.size(file), used + " bytes");
        }
    }

    @Test
    @Timeout(60)
    void mutatedCheckpointsAndIndexesAreReadOrRefused() throws IOException {
        TorchZip z = new TorchZip().ops("ccollections\nOrderedDict\n)R(");
        z.text("w").floats(new float[] {1, 2, 3, 4}, 2, 2);
        byte[] valid = z.text("b").floats(new float[] {1}, 1).ops("u").bytes();
        SplittableRandom random = new SplittableRandom(3);
        int opened = 0;
        int rounds = 3000;
        for (int round = 0; round < rounds; round++) {
            Path file = folder.resolve("fuzz" + round + ".pt");
            byte[] bytes = Damage.of(valid, random);
            // Half of them with no damage that the ZIP format itself notices: sums are set right again.
            if (round % 2 == 0) bytes = resealed(valid, random);
            Files.write(file, bytes);
            try (StateDict in = StateDict.open(file)) {
                for (Map.Entry<String, List<Long>> e : in.shapes().entrySet()) {
                    long count = e.getValue().stream().reduce(1L, (a, b) -> a * b);
                    assertEquals(4 * count, in.weights(e.getKey()).remaining());
                }
                opened++;
            } catch (FormatException e) {
                assertTrue(
                        e.getMessage().startsWith(file + ": ") && e.getMessage().length() < 1000, e.getMessage());
            } finally {
                Files.delete(file);
            }
        }
        assertTrue(opened > 0 && opened < rounds, "the mutations must reach both ends, opened " + opened);
    }

    /** The archive with one to four bytes of its pickle changed, and its CRC made to fit. */
    private static byte[] resealed(byte[] valid, SplittableRandom random) {
        String text = new String(valid, StandardCharsets.ISO_8859_1);
        int name = text.indexOf("archive/data.pkl");
        int from = name + "archive/data.pkl".length();
        int length = ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN).getInt(name - 8);
        byte[] bytes = valid.clone();
        for (int n = random.nextInt(4); n >= 0; n--) bytes[from + random.nextInt(length)] = (byte) random.nextInt(256);
        java.util.zip.CRC32 sum = new java.util.zip.CRC32();
        sum.update(bytes, from, length);
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(name - 16, (int) sum.getValue());
        int central = text.lastIndexOf("archive/data.pkl");
        out.putInt(central - 30, (int) sum.getValue());
        assertEquals(length, out.getInt(central - 22), "the central directory's size");
        return bytes;
    }
}
