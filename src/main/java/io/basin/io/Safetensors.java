package io.basin.io;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An open safetensors file: header checked, tensors read when asked for.
 *
 * <p>Layout: 8 bytes, little endian, the header's length; the header, JSON; the data, little endian, C order
 * (https://github.com/huggingface/safetensors). {@link #open} proves the whole header consistent with the file's length before
 * any tensor can be read, so arbitrary bytes give a {@link FormatException} and no allocation beyond the file's own size. It
 * also reads the whole file and compares it with the SHA-256 that its header names, once for as long as path, size, modification
 * time and file key stay the same; a file of another program or an older version has none and is read with one line of warning.
 *
 * <p>May be read from several threads: reads are positional.
 */
public final class Safetensors implements StateDict {
    /** The longest header that is read, in bytes. */
    public static final int MAX_HEADER_BYTES = 8 << 20;

    private static final int MOST_REMEMBERED = 4096;
    /** The longest array that every JVM makes. */
    private static final int MOST = Integer.MAX_VALUE - 8;
    /** Bytes read at once: for a heap buffer the channel keeps a direct copy as large as one read, per thread, for ever. */
    private static final int PIECE = 1 << 20;
    /** Files found whole. */
    private static final Set<Stamp> WHOLE = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;
    private final SafetensorsHeader header;
    private final long dataStart;

    private Safetensors(Path file, FileChannel channel, SafetensorsHeader header, long dataStart) {
        this.file = file;
        this.channel = channel;
        this.header = header;
        this.dataStart = dataStart;
    }

    /** A writer, to be filled with tensors and metadata. */
    public static SafetensorsWriter writer() {
        return new SafetensorsWriter();
    }

    /** Opens a file and checks it, its SHA-256 included. */
    public static Safetensors open(Path file) {
        return open(file, "name weights that 'train' or 'compare' wrote");
    }

    /** @param remedy what to do about a file of another kind */
    public static Safetensors open(Path file, String remedy) {
        FileChannel channel = null;
        try {
            // A pipe or a terminal would block for ever.
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                String what = Files.isDirectory(file) ? "is a folder; name a weights file in it" : "is not a file";
                throw new FormatException(file.toString(), what);
            }
            Stamp stamp = Stamp.of(file);
            channel = FileChannel.open(file, StandardOpenOption.READ);
            return open(file, channel, stamp, remedy);
        } catch (NoSuchFileException e) {
            throw new FormatException(file.toString(), "no such file", e);
        } catch (IOException e) {
            AtomicFile.close(channel, e);
            throw Disk.unreadable(file, e);
        } catch (RuntimeException e) {
            AtomicFile.close(channel, e);
            throw e;
        }
    }

    private static Safetensors open(Path file, FileChannel channel, Stamp stamp, String remedy) throws IOException {
        String name = file.toString();
        long size = channel.size();
        ByteBuffer prefix = ByteBuffer.allocate((int) Math.min(9, size)).order(ByteOrder.LITTLE_ENDIAN);
        readFully(name, channel, prefix, 0);
        long length = size < 9 || prefix.get(8) != '{' ? -1 : prefix.getLong(0);
        if (length < 0 || length > MAX_HEADER_BYTES) {
            throw new FormatException(name, FileKind.instead(file, "a safetensors file") + "; " + remedy);
        }
        if (length > size - 8) {
            throw new FormatException(
                    name,
                    "a header of " + length + " bytes does not fit in a file of " + size + ": the file is cut short");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) length);
        readFully(name, channel, bytes, 8);
        SafetensorsHeader header = SafetensorsHeader.parse(name, bytes.array(), size - 8 - length);
        Safetensors opened = new Safetensors(file, channel, header, 8 + length);
        opened.verify(stamp);
        return opened;
    }

    /** A file as it was when it was found whole. */
    private record Stamp(Path file, long size, FileTime modified, Object key) {
        static Stamp of(Path file) throws IOException {
            BasicFileAttributes a = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(file.toRealPath(), a.size(), a.lastModifiedTime(), a.fileKey());
        }

        /** Another change within a tick of the file system's clock would leave the stamp as it is. */
        boolean settled() {
            return modified.toMillis() < System.currentTimeMillis() - 2000;
        }
    }

    private void verify(Stamp stamp) throws IOException {
        if (header.sha256() == null) {
            Notices.once(file + " has no SHA-256, so damage to it goes unnoticed: another program or an older version"
                    + " wrote it");
            return;
        }
        if (WHOLE.contains(stamp)) return;
        TensorDigest digest = new TensorDigest(header.metadata());
        ByteBuffer piece = ByteBuffer.allocate(1 << 18);
        for (TensorEntry tensor : new TreeMap<>(header.tensors()).values()) {
            digest.tensor(tensor.name(), tensor.dtype(), tensor.shape());
            for (long at = tensor.begin(); at < tensor.end(); at += piece.limit()) {
                piece.clear().limit((int) Math.min(piece.capacity(), tensor.end() - at));
                readFully(file.toString(), channel, piece, dataStart + at);
                digest.bytes(piece.flip());
            }
        }
        String sum = digest.hex();
        if (!sum.equals(header.sha256())) {
            throw new FormatException(
                    file.toString(),
                    "is damaged or was changed: its content has the SHA-256 " + sum.substring(0, 12)
                            + "..., not the one in its header; restore it from a copy, or make it anew");
        }
        if (WHOLE.size() >= MOST_REMEMBERED) WHOLE.clear();
        if (stamp.settled() && stamp.equals(Stamp.of(file))) WHOLE.add(stamp);
    }

    /** Whether the file names a SHA-256, which then is right. */
    public boolean summed() {
        return header.sha256() != null;
    }

    /** All tensors by name, in the header's order; unmodifiable. */
    public Map<String, TensorEntry> tensors() {
        return header.tensors();
    }

    /** The {@code __metadata__} of the file but for its SHA-256; empty if it has none; unmodifiable. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    public TensorEntry tensor(String name) {
        TensorEntry entry = header.tensors().get(name);
        if (entry == null) throw new FormatException(file.toString(), "has no tensor '" + name + "'");
        return entry;
    }

    /** Reads a tensor into a new little-endian heap buffer, position 0. */
    public ByteBuffer read(String name) {
        TensorEntry entry = tensor(name);
        if (entry.bytes() > MOST) {
            throw new FormatException(
                    file.toString(), "tensor '" + name + "' has " + entry.bytes() + " bytes, too many for one buffer");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) entry.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        readInto(entry.begin(), bytes);
        return bytes.flip();
    }

    /** Reads a tensor of F32, F16 or BF16 as float32, flattened in C order; it may exceed 2 GB. */
    public float[] floats(String name) {
        TensorEntry entry = tensor(name);
        if (!entry.dtype().isFloat() || entry.dtype() == Dtype.F64) {
            throw wrong(name, "is " + entry.dtype() + ", expected F32, F16 or BF16");
        }
        if (entry.elements() > MOST) {
            throw wrong(name, "has " + entry.elements() + " elements, too many for one array");
        }
        float[] values = new float[(int) entry.elements()];
        widen(entry, FloatBuffer.wrap(values));
        return values;
    }

    private void widen(TensorEntry entry, FloatBuffer to) {
        ByteBuffer piece =
                ByteBuffer.allocate((int) Math.min(entry.bytes(), PIECE)).order(ByteOrder.LITTLE_ENDIAN);
        for (long at = entry.begin(); at < entry.end(); at += piece.limit()) {
            piece.clear().limit((int) Math.min(PIECE, entry.end() - at));
            readInto(at, piece);
            entry.dtype().widen(piece.flip(), to);
        }
    }

    /**
     * An F32 tensor as a read-only view of the file itself, little endian, flattened in C order: nothing is copied, and the system
     * reads what is touched. It stays valid after {@link #close}. If the file is cut while it is in use, an access ends in an
     * {@link InternalError}.
     */
    public ByteBuffer map(String name) {
        TensorEntry entry = tensor(name);
        if (entry.dtype() != Dtype.F32) throw wrong(name, "is " + entry.dtype() + ", and only F32 is mapped");
        if (entry.bytes() > Integer.MAX_VALUE) {
            throw wrong(name, "has " + entry.bytes() + " bytes, too many for one view");
        }
        return Disk.reading(file, () -> {
            if (dataStart + entry.end() > channel.size()) throw wrong(name, "is gone: the file was cut short");
            return channel.map(FileChannel.MapMode.READ_ONLY, dataStart + entry.begin(), entry.bytes())
                    .order(ByteOrder.LITTLE_ENDIAN);
        });
    }

    private FormatException wrong(String tensor, String problem) {
        return new FormatException(file.toString(), "tensor '" + tensor + "' " + problem);
    }

    @Override
    public Map<String, List<Long>> shapes() {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        tensors().forEach((name, entry) -> shapes.put(name, entry.shape()));
        return shapes;
    }

    @Override
    public ByteBuffer weights(String name) {
        TensorEntry entry = tensor(name);
        if (entry.dtype() == Dtype.F32) return map(name);
        if (!entry.dtype().isFloat()) throw wrong(name, "is " + entry.dtype() + ", not floating-point numbers");
        if (entry.elements() > MOST / 4) {
            throw wrong(name, "has " + entry.elements() + " elements, in float32 too many for one buffer");
        }
        ByteBuffer bytes = ByteBuffer.allocate(4 * (int) entry.elements()).order(ByteOrder.LITTLE_ENDIAN);
        widen(entry, bytes.asFloatBuffer());
        return bytes;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close " + file + ": " + Reason.of(e), e);
        }
    }

    private void readInto(long begin, ByteBuffer target) {
        Disk.reading(file, () -> {
            readFully(file.toString(), channel, target, dataStart + begin);
            return target;
        });
    }

    private static void readFully(String name, FileChannel channel, ByteBuffer target, long position)
            throws IOException {
        int end = target.limit();
        long at = position;
        while (target.position() < end) {
            target.limit(Math.min(end, target.position() + PIECE));
            int read = channel.read(target, at);
            if (read < 0) throw new FormatException(name, "ends at byte " + at + ": it was cut short while being read");
            at += read;
            target.limit(end);
        }
    }
}
