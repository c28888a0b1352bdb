package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The shares of several points in a combination: a float32 table (rows, points) on the device.
 *
 * <p>A schedule is data: training a curve draws its t for every step before it starts, and the step counter picks the
 * row. A table with a single row serves every step; {@link #set} replaces it between evaluations.
 */
@Api
public final class Coefficients implements AutoCloseable {
    /** So that a kernel can take all points as arguments. */
    public static final int MAX_POINTS = 32;

    private final Device device;
    private final Guard guard;
    private final @Nullable RunState control;
    private final Memory memory;
    private final int rows;
    private final int points;
    private final List<Memory> kept = new ArrayList<>();

    /**
     * @param control whose step counter picks the row; its tables have as many steps as there are rows. Null for one row
     * @param table (rows, points), rounded to float32
     */
    public Coefficients(Device device, @Nullable RunState control, double[]... table) {
        rows = table.length;
        points = table[0].length;
        if (points < 1 || points > MAX_POINTS) {
            throw new IllegalArgumentException("a combination takes 1 to " + MAX_POINTS + " points, got " + points);
        }
        if (rows != (control == null ? 1 : control.steps())) {
            throw new IllegalArgumentException("one row of coefficients for each step, got " + rows);
        }
        this.device = device;
        guard = device.guard().of("the table of coefficients");
        this.control = control;
        memory = device.allocate(pack(table));
    }

    private ByteBuffer pack(double[][] table) {
        ByteBuffer packed = ByteBuffer.allocateDirect(4 * table.length * points).order(ByteOrder.nativeOrder());
        for (double[] row : table) {
            if (row.length != points) {
                throw new IllegalArgumentException("expected " + points + " coefficients, got " + row.length);
            }
            for (double c : row) packed.putFloat((float) c);
        }
        return packed.flip();
    }

    /** Replaces the only row. */
    public void set(double... row) {
        if (control != null) throw new IllegalStateException("a table that follows the steps is fixed");
        guard.run(() -> device.upload(memory, 0, pack(new double[][] {row})));
    }

    /** Frees {@code made}, a device's memory for a combination by these coefficients, with them. */
    public Memory keep(Memory made) {
        kept.add(made);
        return made;
    }

    public Memory memory() {
        return memory;
    }

    /** The control block whose step counter picks the row, or null: row 0. */
    public @Nullable RunState control() {
        return control;
    }

    public int points() {
        return points;
    }

    /** Byte offset of c_j in the row. */
    public long at(long row, int j) {
        return 4 * (row * points + j);
    }

    @Override
    public void close() {
        guard.close(() -> {
            memory.close();
            kept.forEach(Memory::close);
        });
    }
}
