package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuLaunchKernel;

import io.basin.Nullable;
import io.basin.device.Memory;
import java.nio.ByteBuffer;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;

/**
 * One kernel with its grid and its arguments, ready to run any number of times.
 *
 * <p>The driver wants an array of addresses, one of each argument. Array and arguments lie in one direct buffer that is written
 * once; binding replaces the addresses among the arguments; launching allocates nothing.
 */
final class Launch implements Runnable {
    private static final int MOST = 24;
    private static final int WORD = 8;

    private final CUstream stream;
    private final CUfunction function;
    final String call;
    private final ByteBuffer memory = CudaArenas.direct(2 * MOST * WORD);
    private final Pointer parameters = Pointer.to(memory);
    private final long base = CudaContext.address(memory);
    private final KernelArg[] places = new KernelArg[MOST];
    private int count;
    private int[] grid = {1, 1, 1, 1};

    Launch(CUstream stream, CUfunction function, String kernel) {
        this.stream = stream;
        this.function = function;
        call = "cuLaunchKernel of " + kernel;
    }

    /** Blocks and the threads of each. */
    Launch shape(int gridX, int gridY, int blockX, int blockY) {
        grid = new int[] {gridX, gridY, blockX, blockY};
        return this;
    }

    /**
     * Appends arguments: a {@link KernelArg}, a {@link DevicePointer}, a {@link Memory} for the whole of it, null for a null pointer,
     * or a number of the width that the kernel takes.
     */
    Launch args(@Nullable Object... values) {
        for (Object value : values) {
            int at = (MOST + count) * WORD;
            memory.putLong(count * WORD, base + at);
            put(at, value);
            count++;
        }
        return this;
    }

    private void put(int at, @Nullable Object value) {
        if (value instanceof KernelArg place) places[count] = place;
        else if (value instanceof DevicePointer pointer) memory.putLong(at, pointer.value());
        else if (value instanceof Memory whole) put(at, CudaMemory.at(whole, 0, whole.bytes()));
        else if (value instanceof Integer i) memory.putInt(at, i);
        else if (value instanceof Boolean b) memory.putInt(at, b ? 1 : 0);
        else if (value instanceof Long l) memory.putLong(at, l);
        else if (value instanceof Float f) memory.putFloat(at, f);
        else if (value instanceof Double d) memory.putDouble(at, d);
        else if (value != null) throw new IllegalArgumentException("a kernel takes no " + value.getClass());
    }

    /** Replaces an argument that is not an address: only for work that is never captured. */
    void set(int index, int value) {
        memory.putInt((MOST + index) * WORD, value);
    }

    /** Takes up where the places lie now. */
    void bind() {
        for (int i = 0; i < count; i++) {
            if (places[i] != null)
                memory.putLong((MOST + i) * WORD, places[i].address().value());
        }
    }

    @Override
    public void run() {
        int[] g = grid;
        Check.driver(cuLaunchKernel(function, g[0], g[1], 1, g[2], g[3], 1, 0, stream, parameters, null), call);
    }
}
