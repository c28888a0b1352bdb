package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Allocation;
import io.basin.data.Catalog;
import io.basin.data.CifarFormat;
import io.basin.data.DataException;
import io.basin.data.Dataset;
import io.basin.data.IdxFormat;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.io.Safetensors;
import io.basin.train.Model;
import io.basin.train.ModelHeader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What reading a file allocates, all objects together and direct memory too, is at most four times the file and 64 MiB:
 * honest files are read within it, hostile ones refused within it, by their name.
 */
class HungerTest {
    private static final int MIB = 1 << 20;
    private static final List<String> TEN = Catalog.find("mnist").classNames();

    @TempDir
    Path folder;

    /** Reads what it is made for. */
    private interface Reader {
        void read(Path file);
    }

    private static void reads(Path file, Reader reader) throws IOException {
        assertNull(refusal(file, reader));
    }

    private static void refuses(Path file, Reader reader) throws IOException {
        String said = refusal(file, reader);
        assertTrue(said != null && said.startsWith(file.toString()) && said.length() < 1000, file + ": " + said);
    }

    /** What the reader says against the file, or null, within the limit of memory. */
    private static String refusal(Path file, Reader reader) throws IOException {
        String[] refusal = new String[1];
        long before = direct();
        long used = Allocation.of(() -> {
            try {
                reader.read(file);
            } catch (DataException | FormatException e) {
                refusal[0] = e.getMessage();
            }
        });
        used += Math.max(0, direct() - before);
        long most = 4 * Files.size(file) + 64 * MIB;
        assertTrue(used <= most, file + " takes " + used + " bytes, more than " + most);
        return refusal[0];
    }

    private static long direct() {
        return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    }

    @Test
    void idx() throws IOException {
        byte[] noise = new byte[8 * MIB];
        new Random(1).nextBytes(noise);
        Path labels = idx("labels", false, new byte[10_000], 10_000);
        Path honest = idx("honest", true, noise, 10_000, 28, 28);
        Path plain = idx("plain", false, noise, 10_000, 28, 28);
        reads(honest, f -> IdxFormat.read(f, labels, "set", TEN));
        reads(plain, f -> IdxFormat.read(f, labels, "set", TEN));
        Path bomb = idx("bomb", true, new byte[MIB], 300, 1024, 1024);
        Path many = idx("many", true, new byte[MIB], 400_000, 28, 28);
        Path lying = idx("lying", false, new byte[MIB], 2_000_000, 28, 28);
        Path label = idx("label", true, new byte[MIB], 300 * MIB);
        Path few = idx("few", false, new byte[10], 10);
        refuses(bomb, f -> IdxFormat.read(f, idxLabels(300), "set", TEN));
        refuses(many, f -> IdxFormat.read(f, idxLabels(400_000), "set", TEN));
        refuses(lying, f -> IdxFormat.read(f, idxLabels(2_000_000), "set", TEN));
        refuses(label, f -> IdxFormat.read(honest, f, "set", TEN));
        refuses(few, f -> IdxFormat.read(bomb(), f, "set", TEN));
        for (Path file : List.of(honest, plain)) reads(file, f -> Pictures.read(List.of(f), net(), List.of(), false));
        for (Path file : List.of(bomb, many, lying))
            refuses(file, f -> Pictures.read(List.of(f), net(), List.of(), false));
    }

    private Path idxLabels(int count) {
        return unchecked(() -> idx("labels-" + count, false, new byte[count], count));
    }

    private Path bomb() {
        return unchecked(() -> idx("honest-2", true, new byte[MIB], 40_000, 28, 28));
    }

    private interface Writing {
        Path write() throws IOException;
    }

    private static Path unchecked(Writing writing) {
        try {
            return writing.write();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Dataset net() {
        return new Dataset("net", new byte[784], new int[1], 28, 28, 1, TEN);
    }

    /** An IDX file whose header is true where it is compressed: the piece is repeated as often as that takes. */
    private Path idx(String name, boolean gzip, byte[] piece, int... dimensions) throws IOException {
        Path file = folder.resolve(name);
        ByteBuffer header = ByteBuffer.allocate(4 + 4 * dimensions.length).putInt(0x800 | dimensions.length);
        long length = 1;
        for (int d : dimensions) {
            header.putInt(d);
            length *= d;
        }
        try (OutputStream out = out(file, gzip)) {
            out.write(header.array());
            repeat(out, piece, gzip ? length : Math.min(length, piece.length));
        }
        return file;
    }

    private static OutputStream out(Path file, boolean gzip) throws IOException {
        OutputStream raw = Files.newOutputStream(file);
        return gzip
                ? new GZIPOutputStream(raw, 1 << 16) {
                    {
                        def.setLevel(Deflater.BEST_SPEED);
                    }
                }
                : raw;
    }

    private static void repeat(OutputStream out, byte[] piece, long length) throws IOException {
        for (long left = length; left > 0; left -= piece.length)
            out.write(piece, 0, (int) Math.min(left, piece.length));
    }

    @Test
    void cifar() throws IOException {
        Reader archive = file -> CifarFormat.CIFAR10.readArchive(file, "set", TEN);
        byte[] noise = new byte[3073];
        new Random(2).nextBytes(noise);
        noise[0] = 3;
        reads(tar("honest", true, noise, 300, 0), archive);
        reads(tar("plain", false, noise, 300, 0), archive);
        refuses(tar("bomb", true, new byte[3073], 20_000, 0), archive);
        refuses(tar("readme", true, noise, 1, 300L * MIB), archive);
        // A long name, a long link and extended headers, which a library may take into memory whole.
        for (char type : new char[] {'L', 'K', 'x', 'g'}) {
            Path file = folder.resolve(type + ".tar");
            try (OutputStream out = out(file, true)) {
                member(out, "long", type, "1 a=".getBytes(StandardCharsets.UTF_8), 40L * MIB);
            }
            refuses(file, archive);
        }
    }

    /** An archive of six members of that many records, after a text of so many zeros. */
    private Path tar(String name, boolean gzip, byte[] record, int records, long readme) throws IOException {
        Path file = folder.resolve(name + ".tar");
        try (OutputStream out = out(file, gzip)) {
            member(out, "readme.html", new byte[MIB], readme);
            for (String part : CifarFormat.CIFAR10.fileNames()) member(out, part, record, 3073L * records);
            out.write(new byte[1024]);
        }
        return file;
    }

    private static void member(OutputStream out, String name, byte[] piece, long length) throws IOException {
        member(out, name, '0', piece, length);
    }

    private static void member(OutputStream out, String name, char type, byte[] piece, long length) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(512);
        header.put(name.getBytes(StandardCharsets.UTF_8));
        header.position(124).put(String.format("%011o\0", length).getBytes(StandardCharsets.UTF_8));
        header.position(148).put(("        " + type).getBytes(StandardCharsets.UTF_8));
        int sum = 0;
        for (byte b : header.array()) sum += b & 255;
        header.position(148).put(String.format("%06o\0 ", sum).getBytes(StandardCharsets.UTF_8));
        out.write(header.array());
        repeat(out, piece, length);
        out.write(new byte[(int) ((512 - length % 512) % 512)]);
    }

    @Test
    void json() throws IOException {
        String row = "{\"method\":\"swa\",\"seed\":1,\"accuracy\":0.8971,\"nll\":0.3012,\"ece\":0.0213}";
        reads(text("results.json", "[" + row, "," + row, 10_000, "]"), Json::read);
        reads(text("string.json", "\"", "x", 7 * MIB, "\""), Json::read);
        for (String value : List.of("0", "0.125", "[]", "{}", "\"x\"", "{\"a\":1}", "[[[0]]]", "null")) {
            String piece = "," + value;
            refuses(text("values.json", "[" + value, piece, 8 * MIB / piece.length() - 9, "]"), Json::read);
        }
        refuses(text("long.json", "\"", "x", 9 * MIB, "\""), Json::read);
    }

    @Test
    void jsonLines() throws IOException {
        String row = "{\"epoch\":1.0,\"step\":390,\"lr\":0.05,\"loss\":0.3219,\"accuracy\":0.8712}\n";
        reads(text("metrics.jsonl", "", row, 25_000, ""), JsonLines::read);
        for (String line : List.of("0\n", "{}\n", "[]\n", "\"x\"\n", "[0,0,0,0,0,0,0,0,0,0]\n", "{\"a\":[0,1]}\n")) {
            refuses(text("values.jsonl", "", line, 16 * MIB / line.length(), ""), JsonLines::read);
        }
        refuses(text("list.jsonl", "[0", ",0", 8 * MIB, "]\n"), JsonLines::read);
        refuses(text("letters.jsonl", "", "x", 16 * MIB, "\n"), JsonLines::read);
    }

    private Path text(String name, String start, String piece, int times, String end) throws IOException {
        return Files.writeString(folder.resolve(name), start + piece.repeat(times) + end);
    }

    @Test
    void safetensors() throws IOException {
        Reader open = file -> Safetensors.open(file).close();
        Path honest = folder.resolve("honest.safetensors");
        var writer = Safetensors.writer();
        for (int i = 0; i < 1000; i++) {
            writer.add("layer" + i + ".weight", new long[] {64, 64}, new float[4096]);
        }
        writer.write(honest);
        reads(honest, file -> {
            try (Safetensors in = Safetensors.open(file)) {
                in.tensors().keySet().forEach(in::floats);
            }
        });
        String empty = "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
        refuses(header("many", many("", i -> "\"" + i + "\":" + empty, "")), open);
        refuses(header("meta", many("\"__metadata__\":{", i -> "\"" + i + "\":\"\"", "}")), open);
        refuses(
                header(
                        "deep",
                        "{\"a\":{\"dtype\":\"U8\",\"shape\":[0" + ",0".repeat(4 * MIB - 99)
                                + "],\"data_offsets\":[0,0]}}"),
                open);
        refuses(header("name", "{\"" + "x".repeat(7 * MIB) + "\":1}"), open);
        reads(header("text", "{\"__metadata__\":{\"a\":\"" + "x".repeat(7 * MIB) + "\"}}"), open);
        Path lying = header("lying", "{}");
        byte[] bytes = Files.readAllBytes(lying);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 7 * MIB);
        refuses(Files.write(lying, bytes), open);
        refuses(
                header("vast", "{\"a\":{\"dtype\":\"F32\",\"shape\":[500000000],\"data_offsets\":[0,2000000000]}}"),
                open);
    }

    /** Headers that promise samples and classes of which the file has no weights. */
    @Test
    void samplesAndClassesOfAWeightsFile() throws IOException {
        Reader blank = file -> ModelHeader.of(file).blank(false);
        Reader vector = file -> ModelHeader.of(file).blank(true);
        Reader load = file -> {
            try (Device device = Devices.open("cpu", 1)) {
                Model.load(device, file).close();
            }
        };
        reads(asking("[3,1024,1024]", 2), blank);
        reads(asking("[1000000,1,1]", 2), vector);
        for (String input : List.of("[3,9000,9000]", "[2000000000,1,1]", "[65536,65536,2]", "[1e30,1,1]", "[0,5,5]")) {
            Path file = asking(input, 2);
            refuses(file, blank);
            refuses(file, vector);
        }
        refuses(asking("[1,20000,20000]", 2), load);
        refuses(asking("[1,2000,2000]", 2), load);
        refuses(asking("[1,28,28]", 50_000_000), load);
    }

    private Path asking(String input, int outputs) {
        Path file = folder.resolve("asking.safetensors");
        Safetensors.writer()
                .add("fc1.weight", new long[] {2, 2}, new float[4])
                .metadata(Map.of("model", "mlp", "input", input, "outputs", "" + outputs, "classes", "[\"a\",\"b\"]"))
                .write(file);
        return file;
    }

    /** An object of as many fields as a header may have bytes. */
    private static String many(String before, IntFunction<String> field, String after) {
        StringBuilder json = new StringBuilder("{" + before);
        for (int i = 0; json.length() < 8 * MIB - 99; i++)
            json.append(i > 0 ? "," : "").append(field.apply(i));
        return json + after + "}";
    }

    private Path header(String name, String json) throws IOException {
        byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(bytes.length).put(bytes);
        return Files.write(folder.resolve(name + ".safetensors"), file.array());
    }

    @Test
    void pictures() throws IOException {
        Reader predict = file -> Pictures.read(List.of(file), net(), List.of(), false);
        byte[] head = ByteBuffer.allocate(13)
                .putInt(28)
                .putInt(28)
                .putInt(0x08_00_00_00)
                .array();
        byte[] rows = deflated(28 * 29);
        reads(png("plain", chunk("IHDR", head), chunk("IDAT", rows)), predict);
        byte[] latin = "a\0\0".getBytes(StandardCharsets.ISO_8859_1);
        for (String bomb : List.of("zTXt", "iCCP")) {
            byte[] text = chunk(bomb, joined(latin, deflated(200 * MIB)));
            reads(png(bomb, chunk("IHDR", head), text, chunk("IDAT", rows)), predict);
        }
        reads(png("pixels", chunk("IHDR", head), chunk("IDAT", deflated(200 * MIB))), predict);
        byte[] vast = ByteBuffer.allocate(13)
                .putInt(60_000)
                .putInt(60_000)
                .putInt(0x08_00_00_00)
                .array();
        refuses(png("vast", chunk("IHDR", vast), chunk("IDAT", rows)), predict);
        refuses(png("promise", chunk("IHDR", head), new byte[] {0x7F, -1, -1, -1, 'I', 'D', 'A', 'T'}), predict);
    }

    @Test
    void otherPictures() throws IOException {
        Reader predict = file -> Pictures.read(List.of(file), net(), List.of(), false);
        Path large = folder.resolve("large");
        Files.write(large, joined(new byte[] {-1, (byte) 0xD8, -1}, new byte[17 * MIB]));
        refuses(large, predict);
        byte[] bmp = ByteBuffer.allocate(100)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) 'B')
                .put((byte) 'M')
                .putInt(100)
                .putInt(0)
                .putInt(Integer.MAX_VALUE)
                .putInt(40)
                .putInt(28)
                .putInt(28)
                .putShort((short) 1)
                .putShort((short) 8)
                .array();
        refuses(Files.write(folder.resolve("palette.bmp"), bmp), predict);
    }

    private Path png(String name, byte[]... chunks) throws IOException {
        byte[] all = {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10};
        for (byte[] chunk : chunks) all = joined(all, chunk);
        return Files.write(folder.resolve(name + ".png"), joined(all, chunk("IEND", new byte[0])));
    }

    private static byte[] chunk(String type, byte[] data) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + data.length).putInt(data.length);
        chunk.put(type.getBytes(StandardCharsets.ISO_8859_1)).put(data);
        CRC32 sum = new CRC32();
        sum.update(chunk.array(), 4, 4 + data.length);
        return chunk.putInt((int) sum.getValue()).array();
    }

    private static byte[] deflated(int zeros) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new DeflaterOutputStream(bytes, new Deflater(Deflater.BEST_SPEED), 1 << 16)) {
            repeat(out, new byte[MIB], zeros);
        }
        return bytes.toByteArray();
    }

    private static byte[] joined(byte[] a, byte[] b) {
        return ByteBuffer.allocate(a.length + b.length).put(a).put(b).array();
    }
}
