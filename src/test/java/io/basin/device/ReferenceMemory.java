package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Memory of the reference device: a double for every 4 bytes, so that the offsets of float32 layouts still hold.
 *
 * <p>It holds either numbers (arenas) or bytes (images, control blocks) and becomes the other when asked for it.
 */
final class ReferenceMemory implements Memory {
    private final ReferenceDevice device;
    private final long bytes;
    private double[] values;
    private ByteBuffer raw;
    private boolean closed;

    ReferenceMemory(ReferenceDevice device, long bytes) {
        this.device = device;
        this.bytes = bytes;
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    double[] values() {
        requireOpen();
        if (values == null) {
            values = new double[Math.toIntExact((bytes + 3) / 4)];
            if (raw != null) for (int i = 0; i < bytes / 4; i++) values[i] = raw.getFloat(4 * i);
            raw = null;
        }
        return values;
    }

    ByteBuffer raw() {
        requireOpen();
        if (raw == null) {
            raw = ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder());
            if (values != null) for (int i = 0; i < bytes / 4; i++) raw.putFloat(4 * i, (float) values[i]);
            values = null;
        }
        return raw;
    }

    void copyTo(ReferenceMemory other) {
        if (raw != null) other.raw().put(0, raw, 0, raw.capacity());
        else System.arraycopy(values(), 0, other.values(), 0, values.length);
    }

    @Override
    public boolean open() {
        return !closed;
    }

    private void requireOpen() {
        if (closed) throw new IllegalStateException("memory was used after it was closed");
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        device.freed(bytes);
    }
}
