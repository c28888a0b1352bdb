package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Layout;
import io.basin.device.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Elements in logical order (outer, channels, inner), in memory as (outer, inner, channels).
 *
 * <p>That is all there is: images (N, C, H W) lie as NHWC, filters (K, C, R S) as KRSC, a dense layer's weights on an image
 * (out, C, H W) as (out, H W, C), so that the image need not be moved to be flattened. With inner = 1 both orders are one.
 */
record CudaLayout(int outer, int channels, int inner) implements Layout {
    static CudaLayout of(Layout layout) {
        return (CudaLayout) layout;
    }

    /** Of (N, C), (N, C, H, W), (K, C, R, S) or (C). */
    static CudaLayout of(Shape s) {
        if (s.rank() == 1) return new CudaLayout(1, s.dim(0), 1);
        int inner = Math.toIntExact(s.elements() / ((long) s.dim(0) * s.dim(1)));
        return new CudaLayout(s.dim(0), s.dim(1), inner);
    }

    long elements() {
        return (long) outer * channels * inner;
    }

    @Override
    public long bytes() {
        return 4 * elements();
    }

    /** From logical order into memory order, or the reverse. */
    private void move(FloatBuffer from, FloatBuffer to, boolean packing) {
        int f = from.position();
        int t = to.position();
        for (int o = 0; o < outer; o++) {
            int base = o * channels * inner;
            for (int c = 0; c < channels; c++) {
                for (int i = 0; i < inner; i++) {
                    int logical = base + c * inner + i;
                    int stored = base + i * channels + c;
                    if (packing) to.put(t + stored, from.get(f + logical));
                    else to.put(t + logical, from.get(f + stored));
                }
            }
        }
    }

    static ByteBuffer direct(int floats) {
        if (floats > Integer.MAX_VALUE / Float.BYTES) {
            throw new IllegalArgumentException(
                    "a copy between host and device moves at most 2^29 - 1 numbers, not " + floats);
        }
        return ByteBuffer.allocateDirect(Float.BYTES * floats).order(ByteOrder.nativeOrder());
    }

    /** The numbers as the device keeps them; {@code layout} null for as they are. */
    static ByteBuffer stored(@Nullable Layout layout, FloatBuffer logical) {
        ByteBuffer stored = direct(logical.remaining());
        if (layout == null) stored.asFloatBuffer().put(logical.duplicate());
        else of(layout).move(logical, stored.asFloatBuffer(), true);
        return stored;
    }

    /** The reverse. */
    static void read(@Nullable Layout layout, ByteBuffer stored, FloatBuffer logical) {
        if (layout == null) logical.duplicate().put(stored.asFloatBuffer());
        else of(layout).move(stored.asFloatBuffer(), logical, false);
    }
}
