package io.basin.data;

import io.basin.Nullable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Objects;

/**
 * Samples and what belongs to them, as a {@link Dataset} holds them.
 *
 * @param pixels and floats (N, H, W, C), of which one is null
 * @param labels (N), all 0 where there are targets
 * @param targets (N, outputs), or null
 */
record SampleValues(byte @Nullable [] pixels, float @Nullable [] floats, int[] labels, float @Nullable [] targets) {
    int length() {
        return pixels != null ? pixels.length : Objects.requireNonNull(floats).length;
    }

    /** The samples as a device takes them. */
    ByteBuffer samples() {
        return pixels != null ? ByteBuffer.wrap(pixels) : bytes(Objects.requireNonNull(floats));
    }

    /** Labels or targets as a device takes them. */
    ByteBuffer answers() {
        return targets != null ? bytes(targets) : ints(ByteOrder.nativeOrder());
    }

    void into(MessageDigest digest) {
        digest.update(ints(ByteOrder.BIG_ENDIAN));
        digest.update(samples());
        if (targets != null) digest.update(bytes(targets));
    }

    /**
     * Copies those at the given indices.
     *
     * @param size elements of a sample
     * @param outputs targets of a sample
     */
    SampleValues subset(int[] indices, int size, int outputs) {
        int[] chosen = new int[indices.length];
        for (int i = 0; i < chosen.length; i++) chosen[i] = labels[Objects.checkIndex(indices[i], labels.length)];
        int all = Math.multiplyExact(indices.length, size);
        return new SampleValues(
                rows(pixels, indices, pixels == null ? null : new byte[all], size),
                rows(floats, indices, floats == null ? null : new float[all], size),
                chosen,
                rows(targets, indices, targets == null ? null : new float[indices.length * outputs], outputs));
    }

    /** Copies rows of {@code size} elements of an array that may be null. */
    @SuppressWarnings("SuspiciousSystemArraycopy")
    private static <T> @Nullable T rows(@Nullable T from, int[] indices, @Nullable T to, int size) {
        if (from == null) return null;
        for (int i = 0; i < indices.length; i++) System.arraycopy(from, indices[i] * size, to, i * size, size);
        return to;
    }

    private static ByteBuffer bytes(float[] floats) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * floats.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(floats);
        return bytes;
    }

    private ByteBuffer ints(ByteOrder order) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * labels.length).order(order);
        bytes.asIntBuffer().put(labels);
        return bytes;
    }
}
