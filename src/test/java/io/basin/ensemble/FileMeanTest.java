package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileMeanTest {
    @TempDir
    private Path folder;

    private Path file(String name, SafetensorsWriter writer) {
        Path file = folder.resolve(name);
        writer.write(file);
        return file;
    }

    private Path scalar(String name, float value) {
        return file(name, Safetensors.writer().add("w", new long[] {1}, new float[] {value}));
    }

    @Test
    void theMeanOfZeroAndThreeIsOneAndAHalf() {
        FileMean mean = FileMean.of(List.of(scalar("a", 0), scalar("b", 3)));
        assertArrayEquals(new double[] {1.5}, mean.mean("w"));
        assertEquals(2, mean.count());
    }

    @Test
    void tensorsAreMatchedByNameAndNotByPosition() {
        float[] p = {1, 2};
        float[] q = {10, 20};
        long[] shape = {2};
        Path a = file("a", Safetensors.writer().add("p", shape, p).add("q", shape, q));
        Path b = file("b", Safetensors.writer().add("q", shape, q).add("p", shape, p));
        FileMean mean = FileMean.of(List.of(a, b));
        assertArrayEquals(new double[] {1, 2}, mean.mean("p"));
        assertArrayEquals(new double[] {10, 20}, mean.mean("q"));
        Path written = folder.resolve("mean");
        mean.write(written, Map.of());
        try (Safetensors in = Safetensors.open(written)) {
            assertEquals(List.of("p", "q"), List.copyOf(in.tensors().keySet()));
        }
    }

    @Test
    void theSumIsKeptInFloat64AndRoundedOnce() {
        SplittableRandom random = new SplittableRandom(3);
        List<Path> files = new ArrayList<>();
        BigDecimal exact = BigDecimal.ZERO;
        for (int i = 0; i < 300; i++) {
            float value = (float) random.nextDouble(0.9, 1.1) * (i == 0 ? 1e6f : 1);
            exact = exact.add(new BigDecimal(value));
            files.add(scalar("f" + i, value));
        }
        float expected =
                exact.divide(new BigDecimal(300), MathContext.DECIMAL128).floatValue();
        Path out = folder.resolve("mean");
        FileMean.of(files).write(out, Map.of("k", "v"));
        try (Safetensors in = Safetensors.open(out)) {
            assertEquals(expected, in.floats("w")[0]);
            assertEquals("v", in.metadata().get("k"));
        }
    }

    @Test
    void oneMoreFileLeavesTheMeanWithoutItAsItWas() {
        FileMean one = FileMean.of(List.of(scalar("a", 2)));
        FileMean two = one.and(scalar("b", 4));
        assertArrayEquals(new double[] {2}, one.mean("w"));
        assertArrayEquals(new double[] {3}, two.mean("w"));
    }

    @Test
    void otherShapesMissingAndAdditionalTensorsAreRefusedByName() {
        Path a = file("a", Safetensors.writer().add("w", new long[] {2}, new float[2]));
        Path shape = file("shape", Safetensors.writer().add("w", new long[] {1, 2}, new float[2]));
        Path missing = file("missing", Safetensors.writer().add("v", new long[] {2}, new float[2]));
        Path more = file(
                "more",
                Safetensors.writer().add("w", new long[] {2}, new float[2]).add("v", new long[] {1}, new float[1]));
        refused(a, shape, "shape", "'w' has shape [1, 2]");
        refused(a, missing, "missing", "no tensor 'w'");
        refused(a, more, "more", "'v'");
    }

    private void refused(Path a, Path b, String file, String reason) {
        FormatException e = assertThrows(FormatException.class, () -> FileMean.of(List.of(a, b)));
        assertTrue(e.getMessage().contains(folder.resolve(file).toString()), e.getMessage());
        assertTrue(e.getMessage().contains(reason), e.getMessage());
    }
}
