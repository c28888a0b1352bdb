package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Guard;
import io.basin.device.RunState;
import io.basin.device.Weights;
import io.basin.methods.Schedule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;

/**
 * A training step by step, and how far it is: of a net, or of the bends of a curve between nets. A {@link Trainer} drives it.
 *
 * <p>Any thread may call; each call is one turn on the device ({@link Guard}).
 */
@Api
public abstract class Stepped implements AutoCloseable {
    /**
     * A model collected after update {@code step}, counted from 0.
     *
     * @param second whether it is the second average, which is collected with the first
     */
    public record Member(int step, Weights weights, boolean second) {
        public Member(int step, Weights weights) {
            this(step, weights, false);
        }
    }

    protected final Device device;
    protected final Guard guard;
    protected final Schedule schedule;
    /** Updates done. */
    protected volatile int done;

    private volatile @Nullable Thread driver;

    /** @param owner for messages */
    protected Stepped(Device device, String owner, Schedule schedule) {
        this.device = device;
        guard = device.guard().of(owner);
        this.schedule = schedule;
    }

    /** Counts the steps on the device. */
    protected abstract RunState control();

    /**
     * One update.
     *
     * @throws IllegalStateException at the end of the schedule and after {@link #close}
     */
    public abstract void advance();

    /** Its weights are those of the step last trained. */
    public abstract NetMemory model();

    /** Writes all that the next step depends on. */
    protected abstract void save(Path file, Map<String, String> header);

    /** Takes up what {@link #save} wrote; returns where that stood. */
    protected abstract EpochMetrics load(Path file);

    /** Updates done. */
    public int step() {
        return done;
    }

    public int steps() {
        return schedule.steps();
    }

    /** Sums since the last {@link #startEpoch} up to the last update; only {@code get} waits. */
    public Supplier<EpochMetrics> fetch() {
        return guard.get(control()::fetch);
    }

    /** The same; waits for the device. */
    public EpochMetrics totals() {
        return fetch().get();
    }

    /** Zeroes the sums. */
    public void startEpoch() {
        guard.run(() -> control().start(done));
    }

    /** Continues from a checkpoint whose content is loaded already. */
    void resume(EpochMetrics totals, List<Member> collected) {
        guard.run(() -> {
            done = Math.toIntExact(totals.step());
            control().start(totals);
        });
    }

    /** Continues before update {@code step} of its schedule, with sums of 0, from the weights, moments and averages as they are. */
    public void startAt(int step) {
        Objects.checkIndex(step, steps());
        resume(new EpochMetrics(step, 0, 0, 0, -1), List.of());
    }

    /** Advice where the loss or a weight is no longer finite. */
    protected String remedy() {
        return "try a smaller `lr` or a `warmUp`";
    }

    void requireMore() {
        requireDriver();
        if (done == steps()) throw new IllegalStateException("the training has done all of its " + done + " steps");
    }

    private void requireDriver() {
        Thread other = driver;
        if (other == null || other == Thread.currentThread()) return;
        throw new IllegalStateException(
                "the training is in use by a trainer in thread '" + other.getName() + "': train another one here");
    }

    /** Lets only the calling thread advance while {@code work} runs. */
    void driven(Runnable work) {
        guard.run(() -> {
            requireDriver();
            driver = Thread.currentThread();
        });
        try {
            work.run();
        } finally {
            driver = null;
        }
    }

    /** Puts the next step's number into a table, here and at {@code place} on the device. */
    void put(double[] table, long place, double value) {
        requireMore();
        ByteBuffer four = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
        device.upload(control().memory(), place, four.putFloat(0, (float) value));
        table[done] = value;
    }

    /** Models that one collection takes: of a run with two averages both. */
    int perCollection() {
        return 1;
    }

    /** Sets memory aside for what the next {@code steps} updates collect. */
    void reserve(int steps) {}

    /** Models collected so far. */
    public List<Member> members() {
        return List.of();
    }

    /** Gives the members' memory back for later ones. */
    void forgetMembers() {}

    @Override
    public abstract void close();
}
