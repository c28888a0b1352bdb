package io.basin.bench;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/** Float arrays as Basin and, with its best allocator, libtorch have them: on huge pages, for as long as the process lives. */
final class HugePages {
    private static final long PAGE = 2L << 20;
    private static final NativeLibrary C = NativeLibrary.getInstance("c");

    private HugePages() {}

    /** The address of {@code n} ordinary numbers: zeros and denormals have another speed. */
    static long filled(int n, int seed) {
        long bytes = (4L * n + PAGE - 1) / PAGE * PAGE;
        try (Memory out = new Memory(8)) {
            if (C.getFunction("posix_memalign").invokeInt(new Object[] {out, PAGE, bytes}) != 0) {
                throw new OutOfMemoryError(bytes + " bytes");
            }
            Pointer memory = out.getPointer(0);
            C.getFunction("madvise").invokeInt(new Object[] {memory, bytes, 14});
            float[] values = new float[1 << 16];
            for (int i = 0; i < values.length; i++) values[i] = (float) Math.sin(i + seed);
            for (int at = 0; at < n; at += values.length) {
                memory.write(4L * at, values, 0, Math.min(values.length, n - at));
            }
            return Pointer.nativeValue(memory);
        }
    }
}
