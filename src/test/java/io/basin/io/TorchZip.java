package io.basin.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A checkpoint as Python's torch.save writes it, put together by hand after torch/serialization.py and Python's pickletools: no
 * Python with PyTorch need be there.
 */
public final class TorchZip {
    private final ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    private final ByteArrayOutputStream archive = new ByteArrayOutputStream();
    private final ZipOutputStream zip = new ZipOutputStream(archive);
    private int storages;

    /** Begins the pickle; protocol 2. */
    public TorchZip() {
        ops("\u0080\2");
    }

    /** Instructions as Latin-1. */
    public TorchZip ops(String instructions) {
        pickle.writeBytes(instructions.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    public TorchZip text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ops("X").le(4, bytes.length);
        pickle.writeBytes(bytes);
        return this;
    }

    /** BININT or LONG1. */
    public TorchZip number(long n) {
        return n == (int) n ? ops("J").le(4, n) : ops("\u008a\10").le(8, n);
    }

    private TorchZip le(int bytes, long n) {
        for (int i = 0; i < bytes; i++) pickle.write((int) (n >> 8 * i));
        return this;
    }

    /** A tensor in a storage of its own. */
    public TorchZip tensor(String storage, byte[] data, long elements, long offset, long[] shape, long... strides) {
        stored("archive/data/" + storages, data);
        return view(storage, storages++, elements, offset, shape, strides);
    }

    /** A tensor in a storage that is there already. */
    public TorchZip view(String storage, int key, long elements, long offset, long[] shape, long... strides) {
        ops("ctorch._utils\n_rebuild_tensor_v2\n((");
        text("storage")
                .ops("ctorch\n" + storage + "\n")
                .text("" + key)
                .text("cpu")
                .number(elements)
                .ops("tQ");
        number(offset);
        sizes(shape);
        sizes(strides);
        return ops("\u0089ccollections\nOrderedDict\n)RtR");
    }

    private void sizes(long... sizes) {
        ops("(");
        for (long size : sizes) number(size);
        ops("t");
    }

    public TorchZip floats(float[] values, long... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        long[] strides = new long[shape.length];
        long stride = 1;
        for (int i = shape.length - 1; i >= 0; stride *= shape[i--]) strides[i] = stride;
        return tensor("FloatStorage", bytes.array(), values.length, 0, shape, strides);
    }

    /** An entry that is not compressed. */
    public TorchZip stored(String name, byte[] data) {
        CRC32 sum = new CRC32();
        sum.update(data);
        ZipEntry entry = new ZipEntry(name);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(data.length);
        entry.setCrc(sum.getValue());
        try {
            zip.putNextEntry(entry);
            zip.write(data);
            zip.closeEntry();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Ends pickle and archive. */
    public byte[] bytes() {
        ops(".").stored("archive/data.pkl", pickle.toByteArray());
        stored("archive/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
        stored("archive/version", "3\n".getBytes(StandardCharsets.US_ASCII));
        try {
            zip.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return archive.toByteArray();
    }
}
