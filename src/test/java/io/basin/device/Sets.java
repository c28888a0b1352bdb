package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Uploads small image sets. */
public final class Sets {
    private Sets() {}

    /** Random pixels and labels. */
    public static Images random(Device device, long seed, int count, Shape sample, int classes) {
        byte[] pixels = Draws.bytes(seed, Math.toIntExact(count * sample.elements()));
        return of(device, pixels, Draws.labels(seed, count, classes), sample, classes);
    }

    /** @param pixels (count, height, width, channels) */
    public static Images of(Device device, byte[] pixels, int[] labels, Shape sample, int classes) {
        ByteBuffer ints = ByteBuffer.allocateDirect(4 * labels.length).order(ByteOrder.nativeOrder());
        for (int label : labels) ints.putInt(label);
        Memory p = upload(
                device, ByteBuffer.allocateDirect(pixels.length).put(pixels).flip());
        try {
            Memory l = upload(device, ints.flip());
            return new Images(p, l, labels.length, sample.dim(1), sample.dim(2), sample.dim(0), classes);
        } catch (RuntimeException e) {
            p.close();
            throw e;
        }
    }

    /** The same, to stream from the host. */
    public static Images streaming(Device device, byte[] pixels, int[] labels, Shape sample, int classes) {
        ByteBuffer ints = ByteBuffer.allocate(4 * labels.length).order(ByteOrder.nativeOrder());
        for (int label : labels) ints.putInt(label);
        return new Images(
                device.allocate(0),
                device.allocate(0),
                labels.length,
                sample.dim(1),
                sample.dim(2),
                sample.dim(0),
                classes,
                false,
                false,
                new Images.Host(ByteBuffer.wrap(pixels), ints));
    }

    /**
     * @param values (count, height, width, channels)
     * @param targets (count, outputs)
     */
    public static Images ofFloats(Device device, float[] values, float[] targets, Shape sample, int outputs) {
        Memory v = upload(device, direct(values));
        try {
            Memory t = upload(device, direct(targets));
            int count = targets.length / outputs;
            return new Images(v, t, count, sample.dim(1), sample.dim(2), sample.dim(0), outputs, true, true);
        } catch (RuntimeException e) {
            v.close();
            throw e;
        }
    }

    private static ByteBuffer direct(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    private static Memory upload(Device device, ByteBuffer bytes) {
        Memory memory = device.allocate(bytes.remaining());
        try {
            device.upload(memory, 0, bytes);
            return memory;
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    /** Batches in the set's own order, pixels scaled to about [-2, 2]. */
    public static BatchReader plain(int batch, int channels) {
        return batch(batch, channels, 0, false);
    }

    public static BatchReader shuffled(int batch, int channels, long seed) {
        return batch(batch, channels, seed, true);
    }

    private static BatchReader batch(int batch, int channels, long seed, boolean shuffled) {
        float[] mean = new float[channels];
        float[] std = new float[channels];
        for (int c = 0; c < channels; c++) {
            mean[c] = 0.4f + 0.05f * (c % 3);
            std[c] = 0.25f + 0.02f * (c % 4);
        }
        return new BatchReader(batch, new Augmentation(0, false, mean, std), seed, shuffled);
    }
}
