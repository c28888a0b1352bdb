package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Layout;
import io.basin.device.Shape;
import io.basin.io.Half;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Elements in logical order (outer, channels, inner), in memory as (outer, inner, channels).
 *
 * <p>That is all there is: images (N, C, H W) lie as NHWC, filters (K, C, R S) as KRSC, a dense layer's weights on an image
 * (out, C, H W) as (out, H W, C), so that the image need not be moved to be flattened. With inner = 1 both orders are one.
 *
 * @param narrow whether elements are bfloat16 in memory, not float32
 */
record CudaLayout(int outer, int channels, int inner, boolean narrow) implements Layout {
    static CudaLayout of(Layout layout) {
        return (CudaLayout) layout;
    }

    /** Of (N, C), (N, C, H, W), (K, C, R, S) or (C), in float32. */
    static CudaLayout of(Shape s) {
        return of(s, false);
    }

    static CudaLayout of(Shape s, boolean narrow) {
        if (s.rank() == 1) return new CudaLayout(1, s.dim(0), 1, narrow);
        int inner = Math.toIntExact(s.elements() / ((long) s.dim(0) * s.dim(1)));
        return new CudaLayout(s.dim(0), s.dim(1), inner, narrow);
    }

    long elements() {
        return (long) outer * channels * inner;
    }

    @Override
    public long bytes() {
        return (narrow ? 2 : 4) * elements();
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

    /** Room for so many numbers. */
    static ByteBuffer direct(@Nullable Layout layout, int numbers) {
        int each = isNarrow(layout) ? Short.BYTES : Float.BYTES;
        if (numbers > Integer.MAX_VALUE / Float.BYTES) {
            throw new IllegalArgumentException(
                    "a copy between host and device moves at most 2^29 - 1 numbers, not " + numbers);
        }
        return CudaArenas.direct(each * numbers);
    }

    private static boolean isNarrow(@Nullable Layout layout) {
        return layout != null && of(layout).narrow;
    }

    /** The numbers as the device keeps them; {@code layout} null for as they are. */
    static ByteBuffer stored(@Nullable Layout layout, FloatBuffer logical) {
        ByteBuffer stored = direct(layout, logical.remaining());
        FloatBuffer ordered = isNarrow(layout) ? FloatBuffer.allocate(logical.remaining()) : stored.asFloatBuffer();
        if (layout == null) ordered.put(logical.duplicate());
        else of(layout).move(logical, ordered, true);
        if (isNarrow(layout))
            for (int i = 0; i < ordered.capacity(); i++) stored.putShort(2 * i, Half.toBf16(ordered.get(i)));
        return stored;
    }

    /** The reverse. */
    static void read(@Nullable Layout layout, ByteBuffer stored, FloatBuffer logical) {
        FloatBuffer ordered = stored.asFloatBuffer();
        if (isNarrow(layout)) {
            ordered = FloatBuffer.allocate(logical.remaining());
            for (int i = 0; i < ordered.capacity(); i++) ordered.put(i, Half.ofBf16(stored.getShort(2 * i)));
        }
        if (layout == null) logical.duplicate().put(ordered);
        else of(layout).move(ordered, logical, false);
    }
}
