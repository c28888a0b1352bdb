package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuLaunchKernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
    private static final int MOST = 20;
    private static final int WORD = 8;

    private final CUstream stream;
    private final CUfunction function;
    private final String call;
    private final ByteBuffer memory = ByteBuffer.allocateDirect(2 * MOST * WORD).order(ByteOrder.nativeOrder());
    private final Pointer parameters = Pointer.to(memory);
    private final long base = CudaContext.address(memory);
    private final KernelArg[] places = new KernelArg[MOST];
    private int count;
    private int gridX = 1;
    private int gridY = 1;
    private int blockX = 1;
    private int blockY = 1;

    Launch(CudaContext context, CUfunction function, String kernel) {
        this(context.stream, function, kernel);
    }

    Launch(CUstream stream, CUfunction function, String kernel) {
        this.stream = stream;
        this.function = function;
        call = "cuLaunchKernel of " + kernel;
    }

    /** Blocks and the threads of each. */
    Launch shape(int gridX, int gridY, int blockX, int blockY) {
        this.gridX = gridX;
        this.gridY = gridY;
        this.blockX = blockX;
        this.blockY = blockY;
        return this;
    }

    /** @param place null for a null pointer */
    Launch arg(KernelArg place) {
        places[count] = place;
        memory.putLong(
                next(),
                place == null || place.address() == null ? 0 : place.address().value());
        return this;
    }

    Launch arg(int value) {
        memory.putInt(next(), value);
        return this;
    }

    Launch arg(boolean value) {
        return arg(value ? 1 : 0);
    }

    Launch arg(long value) {
        memory.putLong(next(), value);
        return this;
    }

    Launch arg(float value) {
        memory.putFloat(next(), value);
        return this;
    }

    Launch arg(double value) {
        memory.putDouble(next(), value);
        return this;
    }

    /** Enters the next argument's address into the array; returns where its value goes. */
    private int next() {
        int at = (MOST + count) * WORD;
        memory.putLong(count * WORD, base + at);
        count++;
        return at;
    }

    /** Replaces an argument that is no address: only for work that is never captured. */
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
        Check.driver(cuLaunchKernel(function, gridX, gridY, 1, blockX, blockY, 1, 0, stream, parameters, null), call);
    }
}
