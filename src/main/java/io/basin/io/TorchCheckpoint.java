package io.basin.io;

import io.basin.Nullable;
import io.basin.text.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Enumeration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * A checkpoint of {@code torch.save} in its ZIP format (PyTorch 1.6 and later): {@code NAME/data.pkl} says by a {@link Pickle} which
 * tensors there are, {@code NAME/data/KEY} hold their memory, not compressed (torch/serialization.py).
 *
 * <p>No size is believed before it is compared with the archive's, and what is read is checked by its CRC.
 */
final class TorchCheckpoint implements StateDict {
    /** Keys under which training loops keep the state dict in a larger checkpoint. */
    private static final List<String> WRAPPINGS = List.of("state_dict", "model", "model_state_dict");

    /** Elements of one tensor, which in float32 must fit in a buffer. */
    private static final int MOST = (Integer.MAX_VALUE - 8) / 8;

    private final String file;
    private final ZipFile zip;
    private final String prefix;
    private final Map<String, Pickle.TensorView> tensors = new LinkedHashMap<>();
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();

    private TorchCheckpoint(String file, ZipFile zip) throws IOException {
        this.file = file;
        this.zip = zip;
        ZipEntry pickle = pickle();
        prefix = pickle.getName().replaceAll("data\\.pkl$", "");
        ZipEntry order = zip.getEntry(prefix + "byteorder");
        if (order != null && order.getSize() != "little".length()) {
            throw wrong("was written on a machine of the other byte order; save it again on an ordinary one");
        }
        if (pickle.getSize() > Pickle.MAX_BYTES) {
            throw wrong("its pickle has " + pickle.getSize() + " bytes, more than a state dict has; save that alone");
        }
        collect(Pickle.load(file, bytes(pickle), Files.size(Path.of(file))));
    }

    static TorchCheckpoint open(Path path) {
        String file = path.toString();
        ZipFile zip = null;
        try {
            zip = new ZipFile(path.toFile());
            return new TorchCheckpoint(file, zip);
        } catch (IOException | IllegalArgumentException e) {
            close(zip, e);
            throw new FormatException(
                    file, "is a damaged ZIP archive (" + Reason.of(e) + "): it may be cut short, take another copy", e);
        } catch (RuntimeException e) {
            close(zip, e);
            throw e;
        }
    }

    private static void close(@Nullable ZipFile zip, Exception reason) {
        try {
            if (zip != null) zip.close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private ZipEntry pickle() {
        ZipEntry found = null;
        for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
            ZipEntry entry = all.nextElement();
            if (entry.getName().matches("[^/]+/constants\\.pkl")) {
                throw wrong("is a TorchScript program; save its weights with torch.save(module.state_dict(), ...)");
            }
            if (entry.getName().matches("[^/]+/data\\.pkl")) found = entry;
        }
        if (found == null) {
            throw wrong(
                    "is a ZIP archive without a 'data.pkl', so torch.save did not write it; name a checkpoint of it");
        }
        return found;
    }

    private void collect(Object root) {
        Map<?, ?> state = root instanceof Map<?, ?> map ? map : Map.of();
        for (String wrapping : WRAPPINGS) {
            if (state.get(wrapping) instanceof Map<?, ?> inner) {
                state = inner;
                break;
            }
        }
        state.forEach((name, value) -> {
            if (!(value instanceof Pickle.TensorView view)) return;
            tensors.put(name.toString(), view);
            shapes.put(name.toString(), view.shape());
        });
        if (tensors.isEmpty()) {
            throw wrong("holds no dictionary of tensors, at its top or as one of " + String.join(", ", WRAPPINGS)
                    + "; save one with torch.save(model.state_dict(), ...)");
        }
    }

    @Override
    public Map<String, List<Long>> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    @Override
    public ByteBuffer weights(String name) {
        Pickle.TensorView view = tensors.get(name);
        if (view == null) throw wrong("has no tensor '" + name + "'");
        Pickle.Stored stored = view.stored();
        String quoted = "tensor " + TensorEntry.quote(name);
        if (!stored.dtype().isFloat()) {
            throw wrong(
                    quoted + " is " + stored.dtype() + ", not floating-point numbers; leave it out of the state dict");
        }
        requireWithin(quoted, view);
        ZipEntry entry = zip.getEntry(prefix + "data/" + stored.key());
        long bytes = stored.elements() * stored.dtype().bytes();
        if (entry == null || entry.getSize() != bytes || stored.elements() > MOST) {
            throw wrong(quoted + " should lie in " + bytes + " bytes, and the archive has "
                    + (entry == null ? "none of it" : String.valueOf(entry.getSize()))
                    + ": take another copy, or save it with safetensors");
        }
        try {
            ByteBuffer memory = ByteBuffer.wrap(bytes(entry)).order(ByteOrder.LITTLE_ENDIAN);
            FloatBuffer all = FloatBuffer.allocate((int) stored.elements());
            stored.dtype().widen(memory, all);
            ByteBuffer values = ByteBuffer.allocate(4 * count(view)).order(ByteOrder.LITTLE_ENDIAN);
            gather(view, all.flip(), values.asFloatBuffer());
            return values;
        } catch (ZipException | EOFException e) {
            throw new FormatException(file, "is a damaged ZIP archive: take another copy", e);
        } catch (IOException e) {
            throw Disk.unreadable(Path.of(file), e);
        }
    }

    /** No more elements than are stored: a stride of 0 would make billions of one. */
    private void requireWithin(String quoted, Pickle.TensorView view) {
        int rank = view.shape().size();
        boolean fits = rank == view.strides().size()
                && view.offset() >= 0
                && view.stored().elements() >= 0;
        try {
            long count = 1;
            long last = view.offset();
            for (int i = 0; i < rank && fits; i++) {
                long size = view.shape().get(i);
                long stride = view.strides().get(i);
                fits = size >= 0 && stride >= 0;
                count = Math.multiplyExact(count, size);
                last = Math.addExact(last, Math.multiplyExact(Math.max(0, size - 1), stride));
            }
            Math.multiplyExact(view.stored().elements(), 8L);
            fits &= count == 0
                    || last < view.stored().elements() && count <= view.stored().elements();
        } catch (ArithmeticException e) {
            fits = false;
        }
        if (!fits) {
            throw wrong(quoted + " exceeds the memory that is stored for it: save a copy, tensor.contiguous()");
        }
    }

    private static int count(Pickle.TensorView view) {
        return (int) view.shape().stream().mapToLong(Long::longValue).reduce(1, (a, b) -> a * b);
    }

    /** Puts the view's elements in C order. */
    private static void gather(Pickle.TensorView view, FloatBuffer all, FloatBuffer values) {
        int rank = view.shape().size();
        int count = values.remaining();
        long[] at = new long[rank];
        long from = view.offset();
        for (int i = 0; i < count; i++) {
            values.put(all.get((int) from));
            for (int axis = rank - 1; axis >= 0; axis--) {
                from += view.strides().get(axis);
                if (++at[axis] < view.shape().get(axis)) break;
                from -= at[axis] * view.strides().get(axis);
                at[axis] = 0;
            }
        }
    }

    private byte[] bytes(ZipEntry entry) throws IOException {
        if (entry.getMethod() != ZipEntry.STORED || entry.getSize() < 0) {
            throw wrong("its entry " + TensorEntry.quote(entry.getName())
                    + " is compressed, which torch.save never does; save it anew");
        }
        CRC32 sum = new CRC32();
        try (InputStream in = new CheckedInputStream(zip.getInputStream(entry), sum)) {
            byte[] bytes = in.readNBytes((int) entry.getSize());
            if (bytes.length == entry.getSize() && sum.getValue() == entry.getCrc()) return bytes;
            throw wrong("its entry " + TensorEntry.quote(entry.getName())
                    + " is damaged, its CRC is another: take another copy");
        }
    }

    private FormatException wrong(String problem) {
        return new FormatException(file, problem);
    }

    @Override
    public void close() {
        try {
            zip.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close " + file + ": " + Reason.of(e), e);
        }
    }
}
