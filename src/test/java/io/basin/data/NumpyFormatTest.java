package io.basin.data;

import static io.basin.data.TablesTest.npy;
import static io.basin.data.TablesTest.npz;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every way in which NumPy lays numbers out, and what a refusal says to do. */
class NumpyFormatTest {
    @TempDir
    Path folder;

    private TrainTest read(Path file) {
        return DataSets.load(file.toString());
    }

    private String refusal(Path file) {
        return assertThrows(DataException.class, () -> read(file)).getMessage();
    }

    /** As numpy.save writes a transposed view: the first index runs first. */
    private static byte[] fortran(String type, int bytes, int[] shape, double... values) {
        double[] moved = new double[values.length];
        for (int i = 0; i < moved.length; i++) {
            int rest = i;
            int at = 0;
            for (int k = shape.length - 1, stride = 1; k >= 0; stride *= shape[k--]) {
                int before = 1;
                for (int j = 0; j < k; j++) before *= shape[j];
                at += rest / before % shape[k] * stride;
            }
            moved[i] = values[at];
        }
        String sizes = Arrays.toString(shape).replaceAll("[\\[\\]]", "");
        byte[] c = npy(type, sizes, bytes, moved);
        String text = new String(c, StandardCharsets.ISO_8859_1);
        return text.replaceFirst("'fortran_order': False,", "'fortran_order': True, ")
                .getBytes(StandardCharsets.ISO_8859_1);
    }

    @Test
    void bothOrdersAndEveryWidthOfNumbersAreTheSameSamples() throws IOException {
        byte[] y = npy("<i8", "4,", 8, 0, 1, 0, 1);
        for (int[] shape : new int[][] {{4, 6}, {4, 2, 3}, {4, 5, 7, 3}, {4, 3, 5, 7}}) {
            int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
            String sizes = Arrays.toString(shape).replaceAll("[\\[\\]]", "");
            for (String type : List.of("|u1", "<f2", "<f4", ">f8")) {
                int bytes = type.charAt(2) - '0';
                double[] values =
                        IntStream.range(0, count).mapToDouble(i -> i % 251).toArray();
                String c = read(npz(folder.resolve("arrays.npz"), Map.of("y", y, "x", npy(type, sizes, bytes, values))))
                        .fingerprint();
                String f = read(npz(
                                folder.resolve("arrays.npz"), Map.of("y", y, "x", fortran(type, bytes, shape, values))))
                        .fingerprint();
                assertEquals(c, f, type + " " + sizes);
                String known = read(npz(
                                folder.resolve("arrays.npz"), Map.of("X", npy(type, sizes, bytes, values), "y", y)))
                        .fingerprint();
                assertEquals(c, known);
            }
        }
        byte[] halves = npy("<f2", "4, 1", 2, 0.5, -2, 1024, 0.25);
        byte[] floats = npy("<f4", "4, 1", 4, 0.5, -2, 1024, 0.25);
        assertEquals(
                read(npz(folder.resolve("arrays.npz"), Map.of("y", y, "x", floats)))
                        .fingerprint(),
                read(npz(folder.resolve("arrays.npz"), Map.of("y", y, "x", halves)))
                        .fingerprint());
    }

    @Test
    void remediesOfArraysHelp() throws IOException {
        byte[] y = npy("<i8", "2,", 8, 0, 1);
        byte[] x = npy("<f4", "2, 1", 4, 0, 1);
        String numbered = "umber the classes from 0 as integers";
        for (byte[] labels : List.of(
                npy("|b1", "2,", 1, 0, 1),
                npy("<U3", "2,", 1, new double[24]),
                npy("|S3", "2,", 1, new double[6]),
                npy("|O", "2,", 0),
                npy("|u1", "2, 2", 1, 1, 0, 0, 1),
                npy("<f8", "2,", 8, 0, -1))) {
            String said = refusal(npz(folder.resolve("arrays.npz"), Map.of("x", x, "y", labels)));
            assertTrue(said.contains(numbered), said);
        }
        String infinite = refusal(npz(
                folder.resolve("arrays.npz"), Map.of("y", y, "x", npy("<f4", "2, 1", 4, 0, Double.POSITIVE_INFINITY))));
        assertTrue(
                infinite.endsWith("number 0 of sample 1 is not finite in float32. Replace or drop what is not finite"));
        assertTrue(refusal(npz(folder.resolve("arrays.npz"), Map.of("y", npy("<i8", "3,", 8, 0, 1, 1), "x", x)))
                .endsWith("Save one label for each sample"));
        String names = refusal(npz(folder.resolve("arrays.npz"), Map.of("features", x, "classes", y)));
        assertTrue(
                names.contains(" among classes, features. Name arrays x_train and y_train, or x and y, X and y"),
                names);
    }
}
