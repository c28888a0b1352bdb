package io.basin.exchange;

import io.basin.io.AtomicFile;
import io.basin.io.FormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes one message of Protocol Buffers (https://protobuf.dev/programming-guides/encoding): fields in the order in which they are
 * put. Large fields are kept as the buffers that they came in, so that nothing is copied on its way to the file.
 */
final class Protobuf {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;

    private final List<ByteBuffer> pieces = new ArrayList<>();
    private ByteArrayOutputStream tail = new ByteArrayOutputStream();
    private long before;

    Protobuf put(int field, long value) {
        varint((long) field << 3 | VARINT);
        varint(value);
        return this;
    }

    Protobuf put(int field, float value) {
        varint((long) field << 3 | FIXED32);
        tail.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array());
        return this;
    }

    Protobuf put(int field, double value) {
        varint((long) field << 3 | FIXED64);
        tail.writeBytes(packed(value).array());
        return this;
    }

    /** As a list is written. */
    static ByteBuffer packed(double... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double v : values) bytes.putDouble(v);
        return bytes.flip();
    }

    Protobuf put(int field, String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        head(field, bytes.length);
        tail.writeBytes(bytes);
        return this;
    }

    Protobuf put(int field, ByteBuffer value) {
        head(field, value.remaining());
        flush();
        pieces.add(value);
        before += value.remaining();
        return this;
    }

    Protobuf put(int field, Protobuf message) {
        message.flush();
        head(field, message.before);
        flush();
        pieces.addAll(message.pieces);
        before += message.before;
        return this;
    }

    /** @throws FormatException naming {@code file} where the message exceeds the format's 2 GB */
    void writeTo(String file, FileChannel channel) throws IOException {
        flush();
        if (before > Integer.MAX_VALUE) {
            throw new FormatException(
                    file, "would have " + before + " bytes, and ONNX's format ends at 2 GB: export fewer nets");
        }
        for (ByteBuffer piece : pieces) AtomicFile.writeFully(channel, piece.duplicate());
    }

    /** A small message whole. */
    byte[] bytes() {
        flush();
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(before));
        for (ByteBuffer piece : pieces) all.put(piece.duplicate());
        return all.array();
    }

    private void head(int field, long length) {
        varint((long) field << 3 | LENGTH);
        varint(length);
    }

    /** Seven bits at a time, the lowest first. */
    private void varint(long value) {
        long rest = value;
        for (; (rest & ~0x7FL) != 0; rest >>>= 7) tail.write((int) (rest & 0x7F | 0x80));
        tail.write((int) rest);
    }

    private void flush() {
        pieces.add(ByteBuffer.wrap(tail.toByteArray()));
        before += tail.size();
        tail = new ByteArrayOutputStream();
    }
}
