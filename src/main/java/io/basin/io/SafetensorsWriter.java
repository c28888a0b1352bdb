package io.basin.io;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
     * @throws IllegalArgumentException naming the tensor
     */
    public SafetensorsWriter add(String name, Dtype dtype, long[] shape, ByteBuffer data) {
        if (name.equals("__metadata__") || tensors.containsKey(name)) {
            throw new IllegalArgumentException("tensor name '" + name + "' is already taken");
        }
        List<Long> sizes = new ArrayList<>(shape.length);
        for (long size : shape) {
            sizes.add(size);
        }
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

    /**
     * Sets one entry of {@code __metadata__}.
     *
     * @throws IllegalArgumentException for {@code sha256}, which {@link #write} sets
     */
    public SafetensorsWriter metadata(String key, String value) {
        if (key.equals(TensorDigest.KEY)) throw new IllegalArgumentException("metadata '" + key + "' is set by write");
        metadata.put(key, value);
        return this;
    }

    /** Sets entries of {@code __metadata__}. */
    public SafetensorsWriter metadata(Map<String, String> entries) {
        entries.forEach(this::metadata);
        return this;
    }

    /**
     * Writes the file with its SHA-256: temporary file, fsync, rename; on failure no trace is left.
     *
     * @throws UncheckedIOException as {@link AtomicFile#write(Path, AtomicFile.Body)}
     * @throws IllegalArgumentException if the header exceeds what {@link Safetensors#open} would read
     */
    public void write(Path file) {
        List<Map.Entry<String, Pending>> layout = new ArrayList<>(tensors.entrySet());
        layout.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
        ByteBuffer header = header(layout);
        AtomicFile.write(file, channel -> {
            AtomicFile.writeFully(channel, header);
            for (Map.Entry<String, Pending> entry : layout) {
                writeData(channel, entry.getValue().data().duplicate());
            }
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
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        return header.flip();
    }

    private byte[] json(Map<String, Long> begins) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = Json.mapper(3).createGenerator(bytes)) {
            json.writeStartObject();
            json.writeObjectFieldStart("__metadata__");
            for (Map.Entry<String, String> entry : metadata.entrySet()) {
                json.writeStringField(entry.getKey(), entry.getValue());
            }
            json.writeStringField(TensorDigest.KEY, sha256());
            json.writeEndObject();
            for (Map.Entry<String, Pending> entry : tensors.entrySet()) {
                writeEntry(json, entry.getKey(), entry.getValue(), begins.get(entry.getKey()));
            }
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot build a safetensors header", e);
        }
        return bytes.toByteArray();
    }

    private String sha256() {
        TensorDigest digest = new TensorDigest(metadata);
        new TreeMap<>(tensors).forEach((name, tensor) -> {
            digest.tensor(name, tensor.dtype(), tensor.shape());
            digest.bytes(tensor.data().duplicate());
        });
        return digest.hex();
    }

    private static void writeEntry(JsonGenerator json, String name, Pending tensor, long begin) throws IOException {
        json.writeObjectFieldStart(name);
        json.writeStringField("dtype", tensor.dtype().name());
        json.writeArrayFieldStart("shape");
        for (long size : tensor.shape()) {
            json.writeNumber(size);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("data_offsets");
        json.writeNumber(begin);
        json.writeNumber(begin + tensor.data().remaining());
        json.writeEndArray();
        json.writeEndObject();
    }

    /** In pieces: for a heap buffer the channel keeps a direct copy as large as one write, per thread, for ever. */
    private static void writeData(FileChannel channel, ByteBuffer data) throws IOException {
        int end = data.limit();
        while (data.position() < end) {
            data.limit(Math.min(end, data.position() + (1 << 20)));
            AtomicFile.writeFully(channel, data);
        }
    }
}
