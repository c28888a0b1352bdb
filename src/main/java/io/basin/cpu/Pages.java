package io.basin.cpu;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/** Zeroed memory outside the Java heap, on huge pages where it is large enough to need many. */
final class Pages {
    private static final long HUGE_PAGE = 2L << 20;
    private static final int MADV_HUGEPAGE = 14;
    private static final NativeLibrary C = NativeLibrary.getInstance("c");

    private Pages() {}

    /** An address, a multiple of 256; 0 when there is no memory. */
    static long allocate(long bytes) {
        boolean huge = bytes >= HUGE_PAGE;
        long rounded = huge ? (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE : bytes;
        try (Memory out = new Memory(8)) {
            long alignment = huge ? HUGE_PAGE : 256;
            if (C.getFunction("posix_memalign").invokeInt(new Object[] {out, alignment, rounded}) != 0) return 0;
            Pointer memory = out.getPointer(0);
            if (huge) C.getFunction("madvise").invokeInt(new Object[] {memory, rounded, MADV_HUGEPAGE});
            memory.setMemory(0, rounded, (byte) 0);
            return Pointer.nativeValue(memory);
        }
    }

    static void free(long address) {
        C.getFunction("free").invokeVoid(new Object[] {new Pointer(address)});
    }
}
