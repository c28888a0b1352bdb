package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.device.Shape;
import io.basin.io.Half;
import io.basin.io.Notices;
import io.basin.io.TorchZip;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tables and NumPy's arrays as data sets: what is read, and that everything else is refused by name and without memory. */
@Timeout(120)
public class TablesTest {
    private static final String TABLE = "width,\"height, in m\",label\n1.5,2,owl\n-3e-1,4,cat\n5,6,owl\n7,8,cat\n";

    private static final int MIB = 1 << 20;

    @TempDir
    Path folder;

    private TrainTest read(Path file) {
        return DataSets.load(file.toString());
    }

    private String refusal(Path file) {
        String said = assertThrows(DataException.class, () -> read(file)).getMessage();
        assertTrue(said.startsWith(file.toString()), said);
        return said;
    }

    private Path csv(String text) throws IOException {
        return Files.writeString(folder.resolve("table.csv"), text);
    }

    /** As numpy.save writes it. */
    public static byte[] npy(String type, String shape, int bytes, double... values) {
        String header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
        header += " ".repeat(63 - (10 + header.length()) % 64) + "\n";
        ByteBuffer all = ByteBuffer.allocate(10 + header.length() + bytes * values.length)
                .order(type.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        all.put((byte) 0x93).put("NUMPY\1\0".getBytes(StandardCharsets.ISO_8859_1));
        all.put(new byte[] {(byte) header.length(), (byte) (header.length() >> 8)});
        all.put(header.getBytes(StandardCharsets.ISO_8859_1));
        for (double v : values) {
            if (type.contains("f2")) all.putShort(Half.toF16((float) v));
            else if (type.contains("f4")) all.putFloat((float) v);
            else if (type.contains("f")) all.putDouble(v);
            else if (bytes == 8) all.putLong((long) v);
            else if (bytes == 2) all.putShort((short) v);
            else all.put((byte) v);
        }
        return all.array();
    }

    private Path npz(Map<String, byte[]> arrays) throws IOException {
        return npz(folder.resolve("arrays.npz"), arrays);
    }

    /** As numpy.savez_compressed writes it. */
    public static Path npz(Path file, Map<String, byte[]> arrays) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> array : arrays.entrySet()) {
                out.putNextEntry(new ZipEntry(array.getKey() + ".npy"));
                out.write(array.getValue());
                out.closeEntry();
            }
        }
        return Files.write(file, bytes.toByteArray());
    }

    @Test
    void aTableHasFeaturesAndClassesOfItsLabels() throws IOException {
        TrainTest data = read(csv(TABLE));
        assertEquals(List.of("cat", "owl"), data.train().classNames());
        assertEquals(Shape.of(2, 1, 1), data.train().sample());
        assertEquals(2, data.train().count());
        assertEquals(2, data.test().count());
        assertArrayEquals(new int[] {1, 1}, data.test().classCounts());
        String tabs = TABLE.replace(", in m", "#").replace(',', '\t').replace("#", ", in m");
        assertEquals(data.fingerprint(), read(csv("\uFEFF" + tabs)).fingerprint());
        String renamed = TABLE.replace("in m", "in cm");
        assertNotEquals(data.fingerprint(), read(csv(renamed)).fingerprint());
        TrainTest numbers = read(csv("a,label\n1,10\n2,9\n3,10\n4,9\n"));
        assertEquals(List.of("9", "10"), numbers.train().classNames());
    }

    @Test
    void aFolderOfTablesHasTheirParts() throws IOException {
        Files.writeString(folder.resolve("train.csv"), TABLE);
        Files.writeString(folder.resolve("test.csv"), "width,\"height, in m\",label\n0,0,owl\n");
        assertEquals(1, read(folder).test().count());
        assertEquals(4, read(folder).train().count());
        Files.writeString(folder.resolve("val.csv"), "other,label\n0,owl\n");
        String said = assertThrows(DataException.class, () -> read(folder)).getMessage();
        assertTrue(said.contains("val.csv: has other columns than the training part"), said);
    }

    @Test
    void faultsOfATableAreNamedWithLineAndColumn() throws IOException {
        assertTrue(refusal(csv("a,b\n1,2\n")).contains("line 1 'a, b' has no column 'label'"));
        assertTrue(refusal(csv("a,label\n1,x\nwide,y\n")).contains("line 3, column 'a' is 'wide'"));
        assertTrue(refusal(csv("a,label\nNaN,x\n")).contains("is 'NaN', which is not a finite number"));
        assertTrue(refusal(csv("a,label\n1e300,x\n")).contains("is '1e300', which float32 cannot hold"));
        assertTrue(refusal(csv("a;label\n0,125;x\n")).contains("is '0,125', which has a comma: write 1234.5"));
        assertTrue(refusal(csv("a,label\n1,x\n1,2,3\n")).contains("line 3 has 3 columns, the first line 2"));
        assertTrue(refusal(csv("a,label\n1,\n")).contains("line 2 has no label"));
        assertTrue(refusal(csv("a,label\n")).contains("no line of numbers below it, so it holds no samples"));
        for (String empty : List.of("", "\n\n", "\uFEFF"))
            assertTrue(refusal(csv(empty)).contains(": is empty"));
        assertTrue(refusal(csv("a,a,label\n1,2,x\n")).contains("line 1 has two columns of one name, 'a'"));
        assertTrue(refusal(csv(",a,label\n1,2,x\n")).contains("line 1 has a column without a name, the 1. of 3"));
        for (String rows : List.of("5.1,3.5,owl\n4,3,ox\n", "1,2,3\n4,5,6\n", "5.1,3.5,owl\n")) {
            assertTrue(refusal(csv(rows)).contains("holds numbers and no column names"));
        }
        for (String quote : List.of("\"x", "\"x\"y")) {
            assertTrue(refusal(csv("a,label\n1,x\n2," + quote + "\n")).contains("line 3 has a cell in double quotes"));
        }
        // The line of the file, whatever lies above it.
        assertTrue(
                refusal(csv("a,label\n\n1,x\n\n\n1,Owl, grey\n")).contains("line 6 has 3 columns, the first line 2"));
        assertTrue(refusal(csv("a,label\r\n1,\"x\ny\"\r\nwide,x")).contains("line 4, column 'a' is 'wide'"));
        for (String number : List.of("0x1p3", "5d", "5f", "1_0", "Infinity", "1e39", "")) {
            assertTrue(refusal(csv("a,label\n" + number + ",x\n")).contains("line 2, column 'a' is '" + number + "'"));
        }
        for (String cell : List.of("1\0,x", "1,x\0y", "1,\0x")) {
            assertTrue(refusal(csv("a,label\n" + cell + "\n")).contains("holds the character 0"));
        }
        assertTrue(refusal(csv("a,label\n1,x\n2,x\n")).contains("samples of a single class"));
    }

    /** Whose first row would be lost without a word; whole numbers may be names. */
    @Test
    void rowsToPredictWithoutNamesAreRefused() throws IOException {
        Dataset like = read(csv("a,b,label\n1,2,x\n2,3,y\n1,2,x\n2,3,y\n1,2,x\n2,3,y\n1,2,x\n2,3,y\n1,2,x\n2,3,y\n"))
                .test();
        for (String rows : List.of("5.1,3.5\n4.2,1.5\n", "3,3\n4,5\n", "5.1,3.5\n")) {
            Path file = Files.writeString(folder.resolve("rows.csv"), rows);
            DataException said = assertThrows(DataException.class, () -> OwnData.samples(file, List.of(), like));
            assertTrue(said.getMessage().contains("holds numbers and no column names"), said.getMessage());
        }
        Path numbered = Files.writeString(folder.resolve("rows.csv"), "0,1\n5.1,3.5\n");
        assertEquals(1, OwnData.samples(numbered, List.of(), like).count());
    }

    /** Four times the file and 64 MiB, with the JVM's own. */
    @Test
    void longAndWideTablesAreReadInLittleMemory() throws Exception {
        String rows = "1,a\n1,b\n".repeat(MIB * 5 / 2);
        assertTrue(fits(144, Files.writeString(folder.resolve("long.csv"), "x,label\n" + rows))
                .contains("(4369"));
        StringBuilder wide = new StringBuilder("label");
        for (int i = 0; i < 300_000; i++) wide.append(",c").append(i);
        for (int row = 0; row < 10; row++)
            wide.append(row % 2 == 0 ? "\nx" : "\ny").append(",1".repeat(300_000));
        assertTrue(
                fits(100, Files.writeString(folder.resolve("wide.csv"), wide)).contains("300000"));
    }

    /** What a JVM of so many megabytes says of the training part. */
    private static String fits(int megabytes, Path file) throws Exception {
        String java = ProcessHandle.current().info().command().orElse("java");
        String classPath = Jvm.classPath();
        Process child = new ProcessBuilder(
                        java, "-Xmx" + megabytes + "m", "-cp", classPath, TablesTest.class.getName(), file.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, child.waitFor(), said);
        return said;
    }

    public static void main(String... args) {
        System.out.println(DataSets.load(args[0]).train());
    }

    @Test
    void partsOfOtherShapesAndClassesWithoutSamplesAreNamed() throws IOException {
        byte[] y = npy("<i8", "2,", 8, 0, 1);
        Path file = npz(Map.of(
                "y_train",
                y,
                "x_train",
                npy("|u1", "2, 1", 1, 1, 2),
                "y_test",
                y,
                "x_test",
                npy("|u1", "2, 2", 1, 1, 2, 3, 4)));
        assertTrue(refusal(file).contains("its part 'test' has samples"));
        byte[] one = npy("<i8", "2,", 8, 0, 0);
        byte[] x = npy("|u1", "2, 1", 1, 1, 2);
        assertTrue(refusal(npz(Map.of("y", one, "x", x))).contains("samples of a single class"));
        Notices.reset();
        String said = Err.of(() -> read(npz(Map.of("y_train", y, "x_train", x, "y_test", one, "x_test", x))));
        assertTrue(said.contains("its part 'test' has no sample of class '1'"), said);
    }

    @Test
    void arraysOfEveryLayoutAreReadAsChannelsLast() throws IOException {
        double[] pixels = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        byte[] labels = npy("<i8", "2,", 8, 1, 0);
        Map<String, byte[]> arrays = new LinkedHashMap<>();
        arrays.put("y_train", labels);
        arrays.put("y_test", npy("|u1", "2, 1", 1, 0, 1));
        arrays.put("x_train", npy("|u1", "2, 3, 2, 1", 1, pixels));
        arrays.put("x_test", npy("|u1", "2, 3, 2, 1", 1, pixels));
        Dataset last = read(npz(arrays)).train();
        assertEquals(Shape.of(1, 3, 2), last.sample());
        assertArrayEquals(new int[] {1, 0}, last.labels());
        assertArrayEquals(new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, last.pixels());
        for (String part : List.of("train", "test")) {
            arrays.put("x_" + part, npy(">f8", "2, 3, 2, 5", 8, new double[60]));
        }
        Dataset first = read(npz(Map.of(
                        "labels",
                        npy("<i2", "4,", 2, 1, 0, 0, 1),
                        "images",
                        npy("|u1", "4, 2, 3, 5", 1, counted(120)))))
                .train();
        assertEquals(Shape.of(2, 3, 5), first.sample());
        assertEquals(first.pixels()[0] + 15, first.pixels()[1]);
        assertEquals(Shape.of(3, 2, 5), read(npz(arrays)).train().sample());
        assertTrue(read(npz(arrays)).train().isFloat());
    }

    private static double[] counted(int n) {
        double[] all = new double[n];
        for (int i = 0; i < n; i++) all[i] = i;
        return all;
    }

    @Test
    void aFolderOfArraysIsAsGoodAsAnArchive() throws IOException {
        Files.write(folder.resolve("y.npy"), npy("<i8", "4,", 8, 0, 1, 0, 1));
        Files.write(folder.resolve("x.npy"), npy("<f4", "4, 2", 4, 1, 2, 3, 4, 5, 6, 7, 8));
        TrainTest data = read(folder);
        assertEquals(Shape.of(2, 1, 1), data.train().sample());
        assertEquals(2, data.train().count());
    }

    /** One label of two thousand millions would otherwise be a quarter of a gigabyte. */
    @Test
    void aLargeLabelAllocatesNothing() throws IOException {
        Path file = npz(Map.of("y", npy("<i8", "2,", 8, 0, 2_000_000_000), "x", npy("<f4", "2, 1", 4, 0, 1)));
        String[] said = {""};
        long allocated = Allocation.of(() -> said[0] = refusal(file));
        assertTrue(said[0].contains("no sample of class 1, and one of 2000000000"), said[0]);
        assertTrue(allocated < 64 << 20, allocated + " bytes");
    }

    @Test
    void faultsOfArraysAreNamed() throws IOException {
        byte[] y = npy("<i8", "2,", 8, 0, 1);
        byte[] x = npy("<f4", "2, 1", 4, 0, 1);
        assertTrue(refusal(npz(Map.of("a", y))).contains("holds no labels of a training part"));
        assertTrue(refusal(npz(Map.of("y", y))).contains("holds labels of train but no samples"));
        assertTrue(
                refusal(npz(Map.of("y", y, "x", npy("|O", "2, 1", 0)))).contains("(x): is of a type that is not read"));
        assertTrue(
                refusal(npz(Map.of("y", npy("<f8", "2,", 8, 0, 0.5), "x", x))).contains("label 1 is 0.5"));
        assertTrue(
                refusal(npz(Map.of("y", npy("<i8", "3,", 8, 0, 1, 1), "x", x))).contains("has 2 samples and 3 labels"));
        assertTrue(refusal(npz(Map.of("y", y, "x", npy("<f4", "2, 1", 4, 0, Double.NaN))))
                .contains("not finite"));
        assertTrue(refusal(npz(Map.of("y", y, "x", npy("<f4", "2, 9, 9, 9", 4, new double[1458]))))
                .contains("1 to 4 channels"));
        assertTrue(refusal(npz(Map.of("y", npy("<i8", "2,", 8, 0, 2), "x", x))).contains("no sample of class 1"));
        assertTrue(refusal(Files.writeString(folder.resolve("no.npz"), "text")).contains("is not a NumPy archive"));
    }

    @Test
    void aHeaderThatPromisesGigabytesAllocatesNothing() throws IOException {
        byte[] y = npy("<i8", "2,", 8, 0, 1);
        for (int size : new int[] {999_999_999, 60_000_000}) {
            Path file = npz(Map.of("y", y, "x", npy("|u1", "2, " + size, 1)));
            long allocated = Allocation.of(() -> assertTrue(refusal(file).contains("announces [2, ")));
            assertTrue(allocated < 2 << 20, "allocated " + allocated);
        }
    }

    @Test
    void anArchiveThatInflatesToFarMoreThanItsLengthIsRefused() throws IOException {
        byte[] zeros = npy("|u1", "2, 60000000", 1);
        byte[] all = java.util.Arrays.copyOf(zeros, zeros.length + 120_000_000);
        Path bomb = npz(Map.of("y", npy("<i8", "2,", 8, 0, 1), "x", all));
        long allocated = Allocation.of(() -> assertTrue(refusal(bomb).contains("save it uncompressed")));
        assertTrue(allocated < 4 << 20, "allocated " + allocated);
    }

    /** Stored uncompressed, a flipped bit changes a number and nothing but the CRC. */
    @Test
    void aFlippedBitOfAnArchiveIsNoticedByItsCrc() throws IOException {
        byte[] y = npy("<i8", "4,", 8, 0, 1, 0, 1);
        byte[] x = npy("|u1", "4, 2", 1, 1, 2, 3, 4, 5, 6, 7, 8);
        byte[] whole = new TorchZip().stored("x.npy", x).stored("y.npy", y).bytes();
        Path file = folder.resolve("arrays.npz");
        assertEquals(2, read(Files.write(file, whole)).train().count());
        String text = new String(whole, StandardCharsets.ISO_8859_1);
        for (String array : List.of("x", "y")) {
            byte[] flipped = whole.clone();
            flipped[text.indexOf(array + ".npy") + 5 + (array.equals("x") ? x : y).length - 8] ^= 1;
            String said = refusal(Files.write(file, flipped));
            assertTrue(said.contains("(" + array + "): is damaged: its CRC"), said);
        }
        assertTrue(refusal(Files.write(file, java.util.Arrays.copyOf(whole, whole.length / 2)))
                .contains("is not a NumPy archive (its list of entries is damaged or cut off)"));
    }

    @Test
    void damagedTablesAndArraysAreReadOrRefusedByName() throws IOException {
        byte[] table = TABLE.getBytes(StandardCharsets.UTF_8);
        byte[] array = npy("<f4", "4, 2", 4, 1, 2, 3, 4, 5, 6, 7, 8);
        byte[] archive = Files.readAllBytes(npz(Map.of("y", npy("<i8", "4,", 8, 0, 1, 0, 1), "x", array)));
        Files.createDirectories(folder.resolve("arrays"));
        Files.write(folder.resolve("arrays/y.npy"), npy("<i8", "4,", 8, 0, 1, 0, 1));
        fuzz(table, folder.resolve("t.csv"), folder.resolve("t.csv"));
        fuzz(archive, folder.resolve("a.npz"), folder.resolve("a.npz"));
        fuzz(array, folder.resolve("arrays/x.npy"), folder.resolve("arrays"));
    }

    private void fuzz(byte[] valid, Path file, Path named) throws IOException {
        Mutation mutation = new Mutation(7);
        int read = 0;
        int rounds = 800;
        for (int round = 0; round < rounds; round++) {
            Files.deleteIfExists(file);
            Files.write(file, round == 0 ? valid : mutation.of(valid));
            try {
                assertNotNull(read(named));
                read++;
            } catch (DataException | IllegalArgumentException e) {
                String said = String.valueOf(e.getMessage());
                boolean split = e instanceof IllegalArgumentException && said.contains("single sample of class");
                assertTrue(split || said.startsWith(named.toString()) && said.length() < 2000, said);
            }
        }
        assertTrue(read > 0 && read < rounds, "the mutations must reach both ends, read " + read);
    }

    @Test
    void damagedRowsToPredictAreReadOrRefusedByName() throws IOException {
        Dataset like = Dataset.of(new float[][] {{0, 0}}, new int[1], List.of("a"));
        byte[] array = npy("<f4", "3, 2", 4, 1, 2, 3, 4, 5, 6);
        Map<String, byte[]> valid = new LinkedHashMap<>();
        valid.put("rows.csv", "y,label,x\n1,,2\n3,,4\n".getBytes(StandardCharsets.UTF_8));
        valid.put("rows.npy", array);
        valid.put("rows.npz", Files.readAllBytes(npz(Map.of("x", array))));
        Mutation mutation = new Mutation(8);
        for (Map.Entry<String, byte[]> one : valid.entrySet()) {
            Path file = folder.resolve(one.getKey());
            int read = 0;
            for (int round = 0; round < 400; round++) {
                Files.deleteIfExists(file);
                Files.write(file, round == 0 ? one.getValue() : mutation.of(one.getValue()));
                try {
                    Dataset rows = OwnData.samples(file, List.of("x", "y"), like);
                    assertEquals(like.sample(), rows.sample());
                    assertArrayEquals(new int[rows.count()], rows.labels());
                    read++;
                } catch (DataException e) {
                    String said = String.valueOf(e.getMessage());
                    assertTrue(said.startsWith(file.toString()) && said.length() < 2000, said);
                }
            }
            assertTrue(read > 0 && read < 400, file + ": the mutations must reach both ends, read " + read);
        }
    }
}
