package io.basin.cli;

import io.basin.data.Progress;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Says once how long a task will take, as soon as a little of it was timed: the second unit, or a second's worth of short ones. Units
 * that go by in no time, which are known already, and the first one, which warms up, do not count.
 */
final class Estimate implements Progress.Counter {
    private static final long SECOND = 1_000_000_000;
    /** Nanoseconds below which a unit cannot have been measured. */
    private static final long KNOWN = 300_000;
    /** The fewest seconds that are worth saying. */
    private static final double SHORT = 10;

    private final String task;
    private final String unit;
    private final LongSupplier clock;
    private final Consumer<String> out;
    private final Progress.Counter counter;
    private long left;
    private long last;
    private long start;
    private long timed = -1;

    /**
     * @param total units
     * @param clock nanoseconds
     * @param counter that is told of all units
     */
    Estimate(String task, long total, String unit, LongSupplier clock, Consumer<String> out, Progress.Counter counter) {
        this.task = task;
        this.unit = unit;
        this.clock = clock;
        this.out = out;
        this.counter = counter;
        left = total;
        last = clock.getAsLong();
    }

    @Override
    public void step(long units) {
        counter.step(units);
        left -= units;
        long now = clock.getAsLong();
        boolean known = now - last < KNOWN;
        last = now;
        if (left <= 0 || known && timed < 0) return;
        if (timed < 0) start = now;
        timed = timed < 0 ? 0 : timed + units;
        if (timed == 0 || now - start < SECOND) return;
        double seconds = 1e-9 * (now - start) / timed * left;
        if (seconds > SHORT) out.accept(task + ": about " + BarLine.time(seconds) + " for " + left + " more " + unit);
        left = 0;
    }

    @Override
    public void close() {
        counter.close();
    }
}
