package io.basin.train;

import io.basin.device.Arena;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Recording;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;

/**
 * One net in training: its memory, its recorded step, and where it stands.
 *
 * <p>A step is drawing the batch, forward, backward, the fused update and the tick of the counter, recorded once and replayed.
 * Members are copies on the device, taken right after the update that the schedule names, into memory that was set aside
 * beforehand: between two checkpoints a run allocates nothing and reads nothing.
 *
 * <p>Any thread may call; each call is one turn on the device ({@link Guard}), so several sessions train side by side with the
 * bits that each would have alone. While a {@link Trainer} runs it, no other thread may advance it.
 */
public final class Session implements AutoCloseable {
    /** A model collected after update {@code step}, counted from 0. */
    public record Member(int step, Weights weights) {}

    private final Device device;
    private final Guard guard;
    private final Storage storage;
    private final Control control;
    private final Plan plan;
    private final Recording recording;
    private final Schedule schedule;
    private final Averaging averaging;
    private final long seed;
    /** The schedule's own, which it copies for whoever asks. */
    private final int[] collections;

    private final List<Member> members = new ArrayList<>();
    private final Deque<Weights> spare = new ArrayDeque<>();
    private final Runnable turn = this::update;
    private volatile int step;
    private volatile Thread driver;

    /** As the other constructor, where nothing else is to be allocated beside the training. */
    public Session(
            Device device,
            Graph graph,
            Images train,
            Settings s,
            Schedule schedule,
            Averaging averaging,
            long seed,
            float[] mean,
            float[] std) {
        this(device, graph, train, s, schedule, averaging, seed, mean, std, Outlook.NONE);
    }

    /**
     * Plans, allocates and initialises.
     *
     * @param seed of the initial weights, of the order of samples and of their augmentation
     * @param mean and std per channel, of pixels scaled to [0, 1]
     */
    public Session(
            Device device,
            Graph graph,
            Images train,
            Settings s,
            Schedule schedule,
            Averaging averaging,
            long seed,
            float[] mean,
            float[] std,
            Outlook outlook) {
        this.device = device;
        guard = device.guard().of("the session");
        this.schedule = schedule;
        this.averaging = averaging;
        this.seed = seed;
        collections = schedule.collections();
        storage = new Storage(s.decayEverything());
        control = new Control(device, schedule.lr(), averaging.alpha());
        Plan planned = null;
        try {
            Spec.Batch batch = new Spec.Batch(s.batch(), s.pad(), s.flip(), mean, std, seed, true);
            Spec.Loss loss = new Spec.Loss(s.smoothing());
            planned = Plan.training(device, graph, storage, train, control, batch, loss, s.precision(), outlook);
            storage.initialise(device, seed);
            control.start(0);
            // Last: once it is made nothing here can fail, and only what is there before it has to be undone.
            recording = recorded(planned, s);
            plan = planned;
        } catch (RuntimeException e) {
            if (planned != null) planned.close();
            control.close();
            storage.close();
            throw e;
        }
    }

    private Recording recorded(Plan p, Settings s) {
        Runnable update = device.step(new Spec.Step(s.momentum(), s.weightDecay(), s.nesterov()), storage, control);
        Runnable tick = device.tick(control);
        return device.record(() -> {
            p.forward();
            p.backward();
            update.run();
            tick.run();
        });
    }

    /** Begins with another run's weights, statistics and momentum, of the same net; its counters and its average are left. */
    public void startFrom(Session other) {
        other.storage.live().copyTo(device, storage.live());
        device.copy(other.storage.memory(Arena.MOMENTUM), storage.memory(Arena.MOMENTUM));
    }

    /** Whether it trains with these rates, and collects and averages what these say. */
    public boolean follows(Schedule other, Averaging average) {
        return Arrays.equals(schedule.lr(), other.lr())
                && Arrays.equals(collections, other.collections())
                && Arrays.equals(averaging.alpha(), average.alpha());
    }

    /** That of the initial weights and the order of samples. */
    public long seed() {
        return seed;
    }

    /** Updates done. */
    public int step() {
        return step;
    }

    public int steps() {
        return schedule.steps();
    }

    /** The rate of update {@code at} as the device's table has it; waits for the device. */
    public double rate(int at) {
        ByteBuffer value = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
        guard.run(() -> device.download(control.memory(), control.rate(at), value));
        return value.getFloat(0);
    }

    /**
     * One update, and a copy of the model where the schedule collects.
     *
     * @throws IllegalStateException at the end of the schedule, after {@link #close}, and while another thread's trainer runs
     */
    public void advance() {
        guard.run(turn);
    }

    private void update() {
        if (driver != null) requireDriver();
        if (step == steps()) throw new IllegalStateException("the session has done all of its " + step + " steps");
        recording.replay();
        if (Arrays.binarySearch(collections, step) >= 0) {
            Weights to = spare.isEmpty() ? storage.blank(device) : spare.pop();
            // First, so that its memory is freed with the others' where the copy fails.
            members.add(new Member(step, to));
            storage.live().copyTo(device, to);
        }
        step++;
    }

    private void requireDriver() {
        if (driver == Thread.currentThread()) return;
        throw new IllegalStateException(
                "the session is in use by a trainer in thread '" + driver.getName() + "': train another one here");
    }

    /** Lets only the calling thread advance while {@code work} runs: what a trainer does between updates is part of the run. */
    void driven(Runnable work) {
        guard.run(() -> {
            if (driver != null) requireDriver();
            driver = Thread.currentThread();
        });
        try {
            work.run();
        } finally {
            driver = null;
        }
    }

    /** Sets memory aside for the models that the next {@code steps} updates collect. */
    void reserve(int steps) {
        int end = step + steps;
        long wanted =
                Arrays.stream(collections).filter(s -> s >= step && s < end).count();
        guard.run(() -> {
            while (spare.size() < wanted) spare.push(storage.blank(device));
        });
    }

    /** Gives the members' memory back for later ones: they are on disk, and nothing will predict from them. */
    void forgetMembers() {
        guard.run(() -> {
            members.forEach(m -> spare.push(m.weights()));
            members.clear();
        });
    }

    /** Sums since the last {@link #startEpoch} up to the last update; only {@code get} waits. */
    public Supplier<Control.Totals> fetch() {
        return guard.get(control::fetch);
    }

    /** The same; waits for the device. */
    public Control.Totals totals() {
        return fetch().get();
    }

    /** Zeroes the sums. */
    public void startEpoch() {
        guard.run(() -> control.start(step));
    }

    /** Puts the session where a checkpoint left off; storage is filled by the caller. */
    void resume(Control.Totals totals, List<Member> collected) {
        guard.run(() -> {
            step = Math.toIntExact(totals.step());
            control.start(totals);
            members.addAll(collected);
        });
    }

    public List<Member> members() {
        return guard.get(() -> List.copyOf(members));
    }

    /** Hands the members over to the caller, who closes them. */
    public List<Member> takeMembers() {
        return guard.get(() -> {
            List<Member> taken = List.copyOf(members);
            members.clear();
            return taken;
        });
    }

    public Storage storage() {
        return storage;
    }

    public Device device() {
        return device;
    }

    @Override
    public void close() {
        guard.close(() -> {
            recording.close();
            plan.close();
            members.forEach(m -> m.weights().close());
            spare.forEach(Weights::close);
            control.close();
            storage.close();
        });
    }
}
