package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    Path folder;

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A file built by hand from the format's definition. */
    static byte[] file(String header, int dataBytes) {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return little(8 + json.length + dataBytes)
                .putLong(json.length)
                .put(json)
                .array();
    }

    private Path put(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("model.safetensors"), bytes);
    }

    @Test
    void everyTypeShapeAndMetadataSurvivesARoundTrip() {
        Path file = folder.resolve("all.safetensors");
        ByteBuffer doubles = little(16).putDouble(Math.PI).putDouble(-0.0).flip();
        ByteBuffer counter = little(8).putLong(Long.MIN_VALUE).flip();
        ByteBuffer image = ByteBuffer.wrap(new byte[] {0, 1, -1});
        Safetensors.writer()
                .add("image", Dtype.U8, new long[] {3}, image)
                .add("conv.weight", new long[] {2, 1, 2}, new float[] {1.5f, Float.NaN, -3f, Float.MIN_VALUE})
                .add("empty", new long[] {0, 7}, new float[0])
                .add("moments", Dtype.F64, new long[] {2}, doubles)
                .add("num_batches_tracked", Dtype.I64, new long[0], counter)
                .metadata(Map.of("format", "pt", "é\n\"", "{\"step\": 3}"))
                .write(file);
        try (Safetensors read = Safetensors.open(file)) {
            assertEquals(
                    List.of("image", "conv.weight", "empty", "moments", "num_batches_tracked"),
                    List.copyOf(read.tensors().keySet()));
            assertEquals(List.of(2L, 1L, 2L), read.tensor("conv.weight").shape());
            assertArrayEquals(new float[] {1.5f, Float.NaN, -3f, Float.MIN_VALUE}, read.floats("conv.weight"));
            assertEquals(0, read.floats("empty").length);
            assertEquals(little(16).putDouble(Math.PI).putDouble(-0.0).flip(), read.read("moments"));
            assertEquals(little(8).putLong(Long.MIN_VALUE).flip(), read.read("num_batches_tracked"));
            assertEquals(image, read.read("image"));
            assertEquals(Map.of("format", "pt", "é\n\"", "{\"step\": 3}"), read.metadata());
        }
    }

    @Test
    void aFileWithoutTensorsIsValid() {
        Path file = folder.resolve("none.safetensors");
        Safetensors.writer().write(file);
        try (Safetensors read = Safetensors.open(file)) {
            assertTrue(read.tensors().isEmpty());
            assertTrue(read.metadata().isEmpty());
        }
    }

    @Test
    void theBytesAreThoseOfTheFormatsDefinition() throws Exception {
        Path file = folder.resolve("bytes.safetensors");
        Safetensors.writer().add("a", new long[] {1}, new float[] {1f}).write(file);
        // Each text behind its length; then the number 1 in float32.
        String said = "\0\0\0\6tensor\0\0\0\1a\0\0\0\3F32\0\0\0\3[1]\0\0" + "\200?";
        byte[] sum = MessageDigest.getInstance("SHA-256").digest(said.getBytes(StandardCharsets.ISO_8859_1));
        String json = "{\"__metadata__\":{\"sha256\":\"" + HexFormat.of().formatHex(sum)
                + "\"},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
        String padded = json + " ".repeat((8 - json.length() % 8) % 8);
        byte[] expected = file(padded, 4);
        expected[expected.length - 2] = (byte) 0x80;
        expected[expected.length - 1] = 0x3f;
        assertArrayEquals(expected, Files.readAllBytes(file));
    }

    @Test
    void everyTensorIsAlignedToItsTypeWhateverTheOrder() {
        Path file = folder.resolve("aligned.safetensors");
        Safetensors.writer()
                .add("byte", Dtype.U8, new long[] {1}, ByteBuffer.allocate(1))
                .add("float", Dtype.F32, new long[] {1}, ByteBuffer.allocate(4))
                .add("long", Dtype.I64, new long[] {1}, ByteBuffer.allocate(8))
                .write(file);
        try (Safetensors read = Safetensors.open(file)) {
            read.tensors()
                    .values()
                    .forEach(t -> assertEquals(0, t.begin() % t.dtype().bytes(), t::toString));
        }
    }

    @Test
    void aTensorLongerThanOnePieceIsReadWholeAsFloatsAndAsBytes() {
        Path file = folder.resolve("long.safetensors");
        float[] values = new float[700_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        Safetensors.writer().add("w", new long[] {values.length}, values).write(file);
        try (Safetensors read = Safetensors.open(file)) {
            assertArrayEquals(values, read.floats("w"));
            ByteBuffer bytes = read.read("w");
            assertEquals(values.length * 4, bytes.remaining());
            assertEquals(700_000f, bytes.getFloat(bytes.limit() - 4));
        }
    }

    @Test
    void writingDoesNotMoveTheCallersBuffer() {
        ByteBuffer data = little(12).position(4).limit(8);
        Safetensors.writer().add("a", Dtype.F32, new long[] {1}, data).write(folder.resolve("a.safetensors"));
        assertEquals(4, data.position());
        assertEquals(8, data.limit());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"a":{"dtype":"F12","shape":[2],"data_offsets":[0,4]}}                    | 4 | is not one of [BOOL
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}                    | 4 | takes 8 bytes
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}                    | 3 | cut short
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}                    | 5 | 1 bytes follow
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}                    | 8 | preceded by a hole
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}                    | 4 | expected [begin, end]
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}                   | 4 | negative
            {"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}                  | 4 | whole numbers
            {"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}| 0 | impossible shape
            {"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}  | 0 | impossible shape
            {"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,0]}} | 0 | below 2^63
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}  | 4 | takes 4 bytes
            {"a":{"dtype":"F32","shape":[1]}}                                         | 4 | no data_offsets
            {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}              | 4 | unknown field
            {"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}                  | 4 | not valid JSON
            {"a":7}                                                                   | 0 | must be an object
            {"__metadata__":{"a":7}}                                                  | 0 | must be a string
            {"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}              | 0 | a name stands twice
            {} {}                                                                     | 0 | something follows
            {                                                                         | 0 | not valid JSON
            []                                                                        | 0 | is not a safetensors file
            """)
    void aHeaderThatIsWrongIsRefusedInWords(String header, int dataBytes, String says) throws IOException {
        Path file = put(file(header, dataBytes));
        FormatException e = assertThrows(FormatException.class, () -> Safetensors.open(file));
        assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        assertTrue(e.getMessage().contains(says), e.getMessage());
    }

    @Test
    void overlappingTensorsAreRefused() throws IOException {
        Path file = put(file(
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                        + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
                8));
        FormatException e = assertThrows(FormatException.class, () -> Safetensors.open(file));
        assertTrue(e.getMessage().contains("'b' overlaps"), e.getMessage());
    }

    @Test
    void aHeaderLengthIsNotBelieved() throws IOException {
        for (long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, (16 << 20) + 1, 16 << 20, 100}) {
            Path file = put(little(12).putLong(length).array());
            FormatException e = assertThrows(FormatException.class, () -> Safetensors.open(file));
            assertTrue(e.getMessage().contains("is not a safetensors file; name weights"), e.getMessage());
        }
        Path tiny = put(new byte[7]);
        assertThrows(FormatException.class, () -> Safetensors.open(tiny));
        Path empty = put(new byte[0]);
        assertThrows(FormatException.class, () -> Safetensors.open(empty));
    }

    @Test
    void deepNestingAndOtherEncodingsAreRefused() throws IOException {
        Path deep = put(file("{\"a\":" + "[".repeat(1_000_000), 0));
        assertThrows(FormatException.class, () -> Safetensors.open(deep));
        byte[] bytes = file("{\"__metadata__\":{\"a\":\"xx\"}}", 0);
        bytes[bytes.length - 5] = (byte) 0xff;
        Path latin = put(bytes);
        FormatException e = assertThrows(FormatException.class, () -> Safetensors.open(latin));
        assertTrue(e.getMessage().contains("UTF-8"), e.getMessage());
    }

    @Test
    void whatIsNoFileIsSaidToBeNone() {
        assertTrue(assertThrows(FormatException.class, () -> Safetensors.open(folder))
                .getMessage()
                .contains("is a folder; name a weights file in it"));
        assertTrue(assertThrows(FormatException.class, () -> Safetensors.open(folder.resolve("absent")))
                .getMessage()
                .contains("no such file"));
    }

    @Test
    void aMissingTensorAWrongTypeAndAShrunkenFileAreClearErrors() throws IOException {
        Path file = folder.resolve("x.safetensors");
        Safetensors.writer()
                .add("d", Dtype.F64, new long[] {1}, little(8))
                .add("a", new long[] {2}, new float[2])
                .write(file);
        try (Safetensors read = Safetensors.open(file)) {
            assertThrows(FormatException.class, () -> read.floats("b"));
            assertThrows(FormatException.class, () -> read.floats("d"));
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
            FormatException e = assertThrows(FormatException.class, () -> read.floats("a"));
            assertTrue(e.getMessage().contains("cut short"), e.getMessage());
        }
    }

    @Test
    void theWriterRefusesWhatWouldNotReadBack() {
        SafetensorsWriter writer = Safetensors.writer().add("a", new long[] {1}, new float[1]);
        assertThrows(IllegalArgumentException.class, () -> writer.add("a", new long[] {1}, new float[1]));
        assertThrows(IllegalArgumentException.class, () -> writer.add("__metadata__", new long[] {1}, new float[1]));
        assertThrows(IllegalArgumentException.class, () -> writer.add("b", new long[] {2}, new float[1]));
        assertThrows(IllegalArgumentException.class, () -> writer.add("b", new long[] {-1, -1}, new float[1]));
        Path file = folder.resolve("huge.safetensors");
        writer.metadata("k", "x".repeat(16 << 20));
        assertThrows(IllegalArgumentException.class, () -> writer.write(file));
        assertFalse(Files.exists(file));
    }

    /** One command opens a file several times. That it is not read through again shows in a change which leaves the stamp alone. */
    @Test
    void aFileIsHashedOnceForAsLongAsItsStampStays() throws Exception {
        Path file = folder.resolve("a.safetensors");
        Safetensors.writer().add("a", new long[] {1}, new float[] {1}).write(file);
        FileTime settled = FileTime.from(Instant.now().minusSeconds(60));
        Files.setLastModifiedTime(file, settled);
        Safetensors.open(file).close();
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1]++;
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, settled);
        Safetensors.open(file).close();
        Safetensors.open(folder.resolve(".").resolve("a.safetensors")).close();
        // Changed within the same size: a later time, another path, another file of the name.
        for (int i = 1; i <= 2; i++) {
            Files.setLastModifiedTime(file, FileTime.from(settled.toInstant().plusMillis(i)));
            assertThrows(
                    FormatException.class, () -> Safetensors.open(file), "hashed again, and never taken for whole");
        }
        Files.setLastModifiedTime(file, settled);
        Path copy = Files.copy(file, folder.resolve("b.safetensors"));
        Files.setLastModifiedTime(copy, settled);
        assertThrows(FormatException.class, () -> Safetensors.open(copy));
        Files.move(copy, file, StandardCopyOption.REPLACE_EXISTING);
        assertThrows(FormatException.class, () -> Safetensors.open(file));
    }

    /** The clock of a file system ticks slowly, so a stamp of this moment may be that of two contents. */
    @Test
    void aFileJustWrittenIsHashedAtEveryOpening() throws Exception {
        Path file = folder.resolve("a.safetensors");
        Safetensors.writer().add("a", new long[] {1}, new float[] {1}).write(file);
        FileTime now = Files.getLastModifiedTime(file);
        Safetensors.open(file).close();
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1]++;
        Files.write(file, bytes);
        Files.setLastModifiedTime(file, now);
        assertThrows(FormatException.class, () -> Safetensors.open(file));
    }

    @Test
    void noTemporaryFileIsLeftBehind() throws IOException {
        Safetensors.writer().add("a", new long[] {1}, new float[1]).write(folder.resolve("a.safetensors"));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(folder.resolve("a.safetensors")), files.toList());
        }
    }
}
