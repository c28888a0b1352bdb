package io.basin.torch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A directory of little-endian arrays, {@code <name>.f32} and {@code <name>.i64}, with {@code manifest.txt} naming their
 * shapes. Deliberately dumber than safetensors: golden tests must not depend on the readers and writers they may one day
 * be used to test.
 */
public record RawTensors(Path directory) {
    public static final String IMAGES = "images";
    public static final String LABELS = "labels";
    private static final String MANIFEST = "manifest.txt";

    /** Writes one array and appends it to the manifest. */
    public void write(String name, float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        write(name, ".f32", bytes.array(), values.length, shape);
    }

    /** The same for integers, which labels are. */
    public void write(String name, long[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        write(name, ".i64", bytes.array(), values.length, shape);
    }

    private void write(String name, String suffix, byte[] bytes, int count, long... shape) {
        if (Arrays.stream(shape).reduce(1, Math::multiplyExact) != count) {
            throw new IllegalArgumentException(name + ": " + count + " values for shape " + Arrays.toString(shape));
        }
        StringBuilder line = new StringBuilder(name);
        Arrays.stream(shape).forEach(d -> line.append(' ').append(d));
        try {
            Files.createDirectories(directory);
            Files.write(directory.resolve(name + suffix), bytes);
            Files.writeString(
                    directory.resolve(MANIFEST),
                    line.append('\n'),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Shapes by name, in the order of writing. */
    public Map<String, long[]> shapes() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        try {
            for (String line : Files.readAllLines(directory.resolve(MANIFEST))) {
                String[] words = line.split(" ");
                shapes.put(
                        words[0],
                        Arrays.stream(words).skip(1).mapToLong(Long::parseLong).toArray());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return shapes;
    }

    public float[] floats(String name) {
        ByteBuffer bytes = bytes(name + ".f32");
        float[] values = new float[bytes.remaining() / 4];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    public long[] longs(String name) {
        ByteBuffer bytes = bytes(name + ".i64");
        long[] values = new long[bytes.remaining() / 8];
        bytes.asLongBuffer().get(values);
        return values;
    }

    private ByteBuffer bytes(String file) {
        try {
            return ByteBuffer.wrap(Files.readAllBytes(directory.resolve(file))).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
