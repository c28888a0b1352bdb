package io.basin.cpu;

import io.basin.device.Memory;
import io.basin.device.RunState;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.IntConsumer;

/** One elementwise pass over whole arenas, shared out among the crew in tiles as {@link CpuStep} explains. */
abstract class CpuPass implements Runnable, IntConsumer {
    static final int TILE = 256;
    private static final int PIECE = 64 * TILE;

    private final WorkerPool crew;
    private final int length;
    private final ThreadLocal<float[][]> tiles;

    /** @param arenas how many tiles each thread needs */
    CpuPass(WorkerPool crew, long bytes, int arenas) {
        this.crew = crew;
        length = Math.toIntExact(bytes / 4);
        tiles = ThreadLocal.withInitial(() -> new float[arenas][TILE]);
    }

    static FloatBuffer floats(Memory memory) {
        return ((CpuMemory) memory).floats(0, memory.bytes());
    }

    static ByteBuffer bytes(Memory memory) {
        return ((CpuMemory) memory).bytes(0, memory.bytes());
    }

    /** The step that the control block counts; refused where its tables have none. */
    static int step(RunState control, ByteBuffer tables) {
        long t = tables.getLong(RunState.STEP);
        if (t >= control.steps()) {
            throw new IllegalStateException("step " + t + " lies beyond the schedule's " + control.steps() + " steps");
        }
        return (int) t;
    }

    /** Calls {@link #tile} for all elements. */
    final void pass() {
        crew.run((length + PIECE - 1) / PIECE, this);
    }

    @Override
    public final void accept(int piece) {
        float[][] t = tiles.get();
        int end = Math.min(length, (piece + 1) * PIECE);
        for (int i = piece * PIECE; i < end; i += TILE) tile(t, i, Math.min(TILE, end - i));
    }

    /** Does elements {@code i} to {@code i + n - 1}; called by any thread of the crew. */
    abstract void tile(float[][] t, int i, int n);
}
