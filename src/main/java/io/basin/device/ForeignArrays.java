package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.Dtype;
import java.nio.ByteBuffer;

/**
 * Elementwise passes over arrays that others own and over float32 arenas that lie beside them, each as large as all arrays: the
 * basis of {@code io.basin.average}. Every implementation has the same bits; a pass allocates nothing.
 */
@Api
public interface ForeignArrays extends AutoCloseable {
    /**
     * Another library's array.
     *
     * @param type F32, BF16 or F16
     * @param count elements
     * @param address where it begins, a multiple of the type's size; 0 for a {@code float[]}
     * @param owner the {@code float[]}, or an object to be kept reachable as long as this, or null
     */
    record Array(
            String name,
            Dtype type,
            int count,
            long address,
            @Nullable Object owner) {
        /** Its type as the kernels number them: 0 of F32, 1 of BF16, 2 of F16. */
        public int kind() {
            return type == Dtype.F32 ? 0 : type == Dtype.BF16 ? 1 : 2;
        }
    }

    /**
     * An operation on each element of an array, w, and of the arenas x and y. Every product and sum rounds by itself, to float32;
     * w is widened when read and rounded to nearest, ties to even, when written. Bytes are those of float32 arrays.
     */
    enum Pass {
        /** x = w + 0, as AVERAGE with p = 1 and x = 0. 8 bytes. */
        COPY,
        /** x = x + p (w - x). 12 bytes. */
        AVERAGE,
        /** x = x + p (y - x), with p = 1 x = y + 0. 12 bytes. */
        MEAN,
        /** x as AVERAGE, with p = 1 as COPY; then y = (1 - p) y + q (w - x)^2, with p = 1 y = 0. 20 bytes. */
        MOMENT,
        /** y = w - x. 12 bytes. */
        DEVIATION,
        /** w = w + p (x - w), with p = 1 w = x. 12 bytes. */
        PULL,
        /** w and x change places; for float32 alone. 16 bytes. */
        EXCHANGE,
        /** y = w, w = x. 16 bytes. */
        SHOW,
        /** w = y. 8 bytes. */
        HIDE
    }

    /** Does a pass over all arrays; on a GPU it is enqueued. */
    void run(Pass pass, int x, int y, float p, float q);

    /** An arena's part for an array, copied into a new buffer in native order; waits for it. */
    ByteBuffer read(int arena, int array);

    /** Overwrites an arena's part for an array by all bytes of a buffer in native order, position 0. */
    void write(int arena, int array, ByteBuffer from);

    /** Gives up the arenas; the arrays stay their owner's. */
    @Override
    void close();
}
