package io.basin.io;

import io.basin.text.Printable;
import java.util.List;
import java.util.Objects;

/**
 * One tensor of a safetensors file: where it lies, not its data.
 *
 * @param name as in PyTorch, e.g. {@code layer1.0.conv1.weight}
 * @param dtype element type
 * @param shape sizes, outermost first; empty for a scalar; a size may be 0
 * @param begin first byte, counted from the start of the data section
 * @param end one past the last byte
 */
public record TensorEntry(String name, Dtype dtype, List<Long> shape, long begin, long end) {
    public TensorEntry {
        Objects.requireNonNull(name);
        Objects.requireNonNull(dtype);
        shape = List.copyOf(shape);
    }

    /** The name in quotes, fit for one line of a terminal: it comes from an untrusted file. */
    public String quoted() {
        return quote(name);
    }

    static String quote(String name) {
        return "'" + Printable.of(name, 80) + "'";
    }

    public long bytes() {
        return end - begin;
    }

    public long elements() {
        return bytes() / dtype.bytes();
    }

    static long bytes(Dtype dtype, List<Long> shape) {
        long bytes = dtype.bytes();
        for (long size : shape) {
            if (size < 0) throw new ArithmeticException("negative size " + size);
            bytes = Math.multiplyExact(bytes, size);
        }
        return bytes;
    }
}
