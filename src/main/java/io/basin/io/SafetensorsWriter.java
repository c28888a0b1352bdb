package io.basin.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Collects named tensors and writes them as one safetensors file, atomically.
 *
 * <p>The header lists tensors in the order in which they were added. The data is laid out by falling element size (stable), and
 * the header is padded with spaces to 8 bytes, so that every tensor is aligned to its type: PyTorch refuses to view misaligned
 * bytes. Equal input gives equal bytes. Data is not copied: do not change a buffer between {@link #add} and {@link #write}.
 */
public final class SafetensorsWriter {
    private final Map<String, Pending> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new TreeMap<>();

    private record Pending(Dtype dtype, List<Long> shape, ByteBuffer data) {}

    SafetensorsWriter() {}

    /**
     * Adds a tensor.
     *
     * @param name not used before, not {@code __metadata__}
     * @param shape sizes, outermost first; none for a scalar
     * @param data little endian, C order, exactly as many bytes between position and limit as the shape takes
     */
    public SafetensorsWriter add(String name, Dtype dtype, long[] shape, ByteBuffer data) {
        if (name.equals("__metadata__") || tensors.containsKey(name)) {
            throw new IllegalArgumentException("tensor name '" + name + "' is already taken");
        }
        List<Long> sizes = Arrays.stream(shape).boxed().toList();
        long bytes;
        try {
            bytes = TensorEntry.bytes(dtype, sizes);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("tensor '" + name + "' has an impossible shape " + sizes, e);
        }
        if (bytes != data.remaining()) {
            throw new IllegalArgumentException("tensor '" + name + "' of shape " + sizes + " and type " + dtype
                    + " takes " + bytes + " bytes, got " + data.remaining());
        }
        tensors.put(name, new Pending(dtype, sizes, data.duplicate()));
        return this;
    }

    /** Adds an F32 tensor from an array in C order, copied. */
    public SafetensorsWriter add(String name, long[] shape, float[] values) {
        ByteBuffer data =
                ByteBuffer.allocate(Math.multiplyExact(4, values.length)).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        return add(name, Dtype.F32, shape, data);
    }

    /** Sets one entry of {@code __metadata__}. */
    public SafetensorsWriter metadata(String key, String value) {
        if (key.equals(TensorDigest.KEY)) throw new IllegalArgumentException("metadata '" + key + "' is set by write");
        metadata.put(key, value);
        return this;
    }

    public SafetensorsWriter metadata(Map<String, String> entries) {
        entries.forEach(this::metadata);
        return this;
    }

    /** Writes the file with its SHA-256: temporary file, fsync, rename; on failure no trace is left. */
    public void write(Path file) {
        List<Map.Entry<String, Pending>> layout = new ArrayList<>(tensors.entrySet());
        layout.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
        ByteBuffer header = header(layout);
        AtomicFile.write(file, channel -> {
            AtomicFile.writeFully(channel, header);
            for (Map.Entry<String, Pending> entry : layout)
                AtomicFile.writeFully(channel, entry.getValue().data().duplicate());
        });
    }

    /** Length prefix, JSON, spaces. */
    private ByteBuffer header(List<Map.Entry<String, Pending>> layout) {
        Map<String, Long> begins = new LinkedHashMap<>();
        long begin = 0;
        for (Map.Entry<String, Pending> entry : layout) {
            begins.put(entry.getKey(), begin);
            begin += entry.getValue().data().remaining();
        }
        byte[] json = json(begins);
        int padded = (json.length + 7) / 8 * 8;
        if (padded > Safetensors.MAX_HEADER_BYTES) {
            throw new IllegalArgumentException("the header takes " + padded + " bytes, more than the limit of "
                    + Safetensors.MAX_HEADER_BYTES + ": use fewer or shorter names and less metadata");
        }
        ByteBuffer header = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(padded).put(json);
        while (header.hasRemaining()) header.put((byte) ' ');
        return header.flip();
    }

    private byte[] json(Map<String, Long> begins) {
        TensorDigest digest = new TensorDigest(metadata);
        new TreeMap<>(tensors).forEach((name, tensor) -> {
            digest.tensor(name, tensor.dtype(), tensor.shape());
            digest.bytes(tensor.data().duplicate());
        });
        Map<String, String> strings = new LinkedHashMap<>(metadata);
        strings.put(TensorDigest.KEY, digest.hex());
        Map<String, Object> header = new LinkedHashMap<>(Map.of("__metadata__", strings));
        tensors.forEach((name, tensor) -> {
            long begin = Objects.requireNonNull(begins.get(name));
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", tensor.dtype());
            entry.put("shape", tensor.shape());
            entry.put("data_offsets", List.of(begin, begin + tensor.data().remaining()));
            header.put(name, entry);
        });
        try {
            return Json.mapper(3).writeValueAsBytes(header);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot build a safetensors header", e);
        }
    }
}
