package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyHtoDAsync;

import io.basin.Nullable;
import io.basin.device.BatchReader;
import io.basin.device.Images;
import io.basin.device.MemoryEstimate;
import java.nio.ByteBuffer;
import jcuda.Pointer;

/**
 * The samples that a plan's next steps draw, of a set that stays on the host: a ring of two blocks of steps, in which row r of step t is
 * sample (t mod S) N + r, where S counts the ring's steps and N the rows of each.
 *
 * <p>Which samples a step draws is known beforehand, so the host gathers a block into pinned memory while the device computes with the
 * one before. The stream runs in order: a copy waits for the steps that read the block which it replaces, and the steps that read it
 * wait for the copy. The host waits once in a block at most, where it is two of them ahead of the device.
 */
final class SampleRing implements AutoCloseable {
    /** Bytes of a block, where a step takes fewer. */
    private static final long BLOCK = 16 << 20;

    private final CudaDevice device;
    private final BatchReader reader;
    private final Images images;
    private final Images.Host host;
    /** Of a block. */
    private final int steps;

    private final int pixelBytes;
    private final int labelBytes;
    private final KernelArg pixels;
    private final KernelArg labels;
    private final long[] held = {-1, -1};
    private @Nullable Pinned pinned;

    /** Declares the ring's memory in the batch's plan. */
    SampleRing(CudaBatch op, CudaDevice device, BatchReader reader, Images images, Images.Host host) {
        this.device = device;
        this.reader = reader;
        this.images = images;
        this.host = host;
        pixelBytes = Math.toIntExact(images.pixelBytes());
        labelBytes = 4 * images.labelWidth();
        long step = (long) reader.batch() * (pixelBytes + labelBytes);
        if (2 * step > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("`batch` " + reader.batch() + " takes " + MemoryEstimate.mebibytes(step)
                    + " of samples, of which at most 1 GiB streams at once: choose a smaller one");
        }
        int parts = Math.max(1, images.count() / reader.batch() / 4);
        steps = (int) Math.max(1, Math.min(parts, BLOCK / step));
        pixels = op.place(CudaBatch.throughout(op.scope.kept(2L * rows() * pixelBytes)));
        labels = op.place(CudaBatch.throughout(op.scope.kept(2L * rows() * labelBytes)));
    }

    private int rows() {
        return steps * reader.batch();
    }

    KernelArg pixels() {
        return pixels;
    }

    KernelArg labels() {
        return labels;
    }

    /** Steps after which a place is used again. */
    int length() {
        return 2 * steps;
    }

    /** Brings the block of {@code step} to the device, and begins to bring the next one. */
    void supply(long step) {
        bring(step / steps);
        bring(step / steps + 1);
    }

    private void bring(long block) {
        int half = (int) (block % 2);
        if (held[half] == block || reader.sample(block * steps, 0, images.count()) < 0) return;
        Pinned from = pinned();
        int piece = from.take();
        ByteBuffer to = from.bytes(piece, rows() * (pixelBytes + labelBytes));
        int behind = rows() * pixelBytes;
        for (int row = 0; row < rows(); row++) {
            int sample = reader.sample(block * steps + row / reader.batch(), row % reader.batch(), images.count());
            if (sample < 0) break;
            to.put(row * pixelBytes, host.pixels(), sample * pixelBytes, pixelBytes);
            to.put(behind + row * labelBytes, host.labels(), sample * labelBytes, labelBytes);
        }
        copy(from.pointer(piece), pixels, half, behind);
        copy(from.pointer(piece).withByteOffset(behind), labels, half, rows() * labelBytes);
        from.mark(piece);
        held[half] = block;
    }

    private void copy(Pointer from, KernelArg to, int half, int bytes) {
        Check.driver(
                cuMemcpyHtoDAsync(to.address().plus((long) half * bytes), from, bytes, device.context.stream),
                "cuMemcpyHtoDAsync");
    }

    /** Made when it is first used: a plan that is only measured needs none. */
    private Pinned pinned() {
        if (pinned == null) pinned = new Pinned(device.context.stream, 2, rows() * (pixelBytes + labelBytes));
        return pinned;
    }

    @Override
    public void close() {
        if (pinned != null) pinned.close();
    }
}
