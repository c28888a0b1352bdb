package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Arena;
import io.basin.device.BatchReader;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Optimizer;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Weights;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.text.Require;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/**
 * A model in training: its recorded step, and where it stands. The model is the caller's, who closes it after this.
 *
 * <p>A step is drawing the batch, forward, backward, the fused update and the tick of the counter, recorded once and replayed
 * by {@link #advance}. Own loops call {@link #gradients} and {@link #update} instead, and between the two look at the
 * loss and the model's gradients, or change them, the rate and the average. Members are copies on the device, taken right after the update that the
 * schedule names, into memory set aside beforehand: between two checkpoints a run allocates nothing and reads nothing.
 *
 * <p>Any thread may call; each call is one turn on the device ({@link Guard}), so several trainings train side by side with the
 * bits that each would have alone. While a {@link Trainer} runs it, no other thread may advance it.
 */
@Api
public final class Training extends Stepped {
    private final NetMemory model;
    private final ParameterStore storage;
    private final RunState control;
    private final Plan plan;
    private final Runnable step;
    private final Runnable tick;
    private final Device.Recording recording;
    private final Averaging averaging;
    /** Of the second average at each step; null where there is none. */
    private final @Nullable Coefficients second;

    private final long seed;
    /** The schedule's own, which returns a copy with each call. */
    private final int[] collections = schedule.collections();
    /** The device's tables. */
    private final double[] lrs = schedule.lr();

    private final double[] alphas;

    private final List<Member> members = new ArrayList<>();
    private final Deque<Weights> spare = new ArrayDeque<>();
    // Kept, so that a step allocates nothing.
    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable turn = () -> oneStep(true);

    /** Whether the gradients are those of the step that comes next. */
    private boolean ready;

    private boolean closesModel;

    /** As the other constructor, where nothing else is allocated beside the training. */
    public Training(
            NetMemory model,
            Images train,
            BatchReader reader,
            Optimizer optimizer,
            Schedule schedule,
            Averaging averaging) {
        this(model, train, reader, optimizer, schedule, averaging, Outlook.NONE);
    }

    /**
     * Plans and allocates. Training starts from the model's weights, or from new ones where it has none yet, with moments and an
     * average of 0.
     *
     * @param reader how batches are drawn; its seed is that of the first weights, too
     */
    public Training(
            NetMemory model,
            Images train,
            BatchReader reader,
            Optimizer optimizer,
            Schedule schedule,
            Averaging averaging,
            Outlook outlook) {
        super(Require.given("model", model).device(), "Training", Require.given("schedule", schedule));
        this.model = model;
        Require.given("train", train);
        Require.given("outlook", outlook);
        this.averaging = Require.given("averaging", averaging);
        seed = Require.given("reader", reader).seed();
        alphas = averaging.alpha();
        Require.given("optimizer", optimizer);
        storage = model.taken().trainedBy(optimizer);
        storage.averagedTwice(averaging.second().length > 0);
        control = new RunState(device, lrs, alphas, averaging.pull());
        Plan planned = null;
        Coefficients shares = null;
        try {
            planned = Plan.training(model, train, control, reader, outlook);
            model.begin(seed);
            control.start(0);
            shares = shares();
            step = stepping(optimizer, shares);
            tick = device.arenas().advance(control);
            // Last: once it is made nothing here can fail, and only what is there before it has to be undone.
            recording = recorded(planned, step, tick);
            plan = planned;
            second = shares;
        } catch (RuntimeException e) {
            if (shares != null) shares.close();
            if (planned != null) planned.close();
            control.close();
            model.released();
            throw e;
        }
    }

    /** (steps, 2): shares of the second average and of the new weights in it. */
    private @Nullable Coefficients shares() {
        if (storage.averages().size() < 2) return null;
        double[][] shares = Arrays.stream(averaging.second())
                .mapToObj(alpha -> new double[] {1 - alpha, alpha})
                .toArray(double[][]::new);
        return new Coefficients(device, control, shares);
    }

    /** The fused update, and a pass of its own for a second average. */
    private Runnable stepping(Optimizer optimizer, @Nullable Coefficients shares) {
        Runnable fused = device.arenas().step(optimizer, storage, control);
        if (shares == null) return fused;
        Memory average = storage.memory(Arena.SECOND_AVERAGE);
        Runnable pass = device.arenas().weightedSum(List.of(average, storage.memory(Arena.PARAMS)), shares, average);
        return () -> {
            fused.run();
            pass.run();
        };
    }

    private Device.Recording recorded(Plan p, Runnable update, Runnable advance) {
        return device.record(() -> {
            p.forward();
            p.backward();
            update.run();
            advance.run();
        });
    }

    /** Begins with another run's weights, statistics and moments, of the same net; its counters and its average are left. */
    public void startFrom(Training other) {
        other.storage.live().copyTo(device, storage.live());
        for (Arena moment : storage.moments()) device.copy(other.storage.memory(moment), storage.memory(moment));
    }

    /** Whether it trains, collects and averages by these tables. */
    public boolean follows(Schedule other, Averaging average) {
        return Arrays.equals(lrs, other.lr())
                && Arrays.equals(collections, other.collections())
                && Arrays.equals(alphas, average.alpha())
                && Arrays.equals(averaging.pull(), average.pull())
                && Arrays.equals(averaging.second(), average.second());
    }

    /** The seed of the initial weights and the order of samples. */
    public long seed() {
        return seed;
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
    @Override
    public void advance() {
        guard.run(turn);
    }

    /**
     * The first half of a step: draws its batch and computes the loss and the model's gradients; waits for the device.
     *
     * @return the mean loss of the batch
     * @throws IllegalStateException as {@link #advance}
     */
    public double gradients() {
        return guard.get(() -> {
            requireMore();
            EpochMetrics before = control.read();
            plan.forward(done);
            plan.backward();
            EpochMetrics after = control.read();
            ready = true;
            return (after.loss() - before.loss()) / (after.seen() - before.seen());
        });
    }

    /**
     * Scales all gradients down such that their norm over all parameters together is at most {@code most}. Waits for the device:
     * the gradients come to the host, and go back where they are scaled.
     *
     * @param most above 0; infinite to measure alone
     * @return their norm before
     * @throws IllegalStateException before {@link #gradients} of this step
     */
    public double clipGradients(double most) {
        Require.limit("most", most);
        return guard.get(() -> {
            requireReady();
            return model.clipGradients(most);
        });
    }

    /**
     * Sets the rate of the next update in place of its schedule's; later ones keep theirs. The bits are those of a schedule with
     * that rate. It copies 4 bytes to the device, in order with the steps, and does not wait.
     *
     * @param lr finite in float32 and not negative; 0 for an update that moves nothing
     * @throws IllegalStateException as {@link #advance}: a trainer's steps are its own, and another thread does not change them
     */
    public void nextRate(double lr) {
        guard.run(() -> {
            Schedule.requireRate("lr", done, lr);
            put(lrs, control.rate(done), lr);
        });
    }

    /**
     * Averages the weights after the next update: {@code average += alpha (w - average)}. For a training without a table of
     * averages, {@link Averaging#none}; it costs what {@link #nextRate} does, and the update reads and writes the average, too.
     *
     * @param alpha in [0, 1]; the first that is not 0 must be 1, as there is no average yet; {@code 1 / n} at the n-th for an equal mean
     * @throws IllegalStateException as {@link #nextRate}, and where a table says when to average
     */
    public void nextAverage(double alpha) {
        guard.run(() -> {
            if (averaging.collected() > 0)
                throw new IllegalStateException(averaging + " is this training's table: make it with Averaging.none");
            Averaging.requireAlpha(done, alpha, Arrays.stream(alphas, 0, done).anyMatch(a -> a > 0));
            put(alphas, control.rate(done + steps()), alpha);
        });
    }

    /** The second half of a step: moves the weights against the gradients, averages and collects. */
    public void update() {
        guard.run(() -> {
            requireReady();
            oneStep(false);
        });
    }

    private void requireReady() {
        if (!ready) throw new IllegalStateException("this step has no gradients yet: call gradients() first");
    }

    private void oneStep(boolean whole) {
        requireMore();
        ready = false;
        if (whole) {
            plan.supply(done);
            recording.replay();
        } else {
            step.run();
            tick.run();
        }
        if (alphas[done] != 0) model.averageMoved();
        if (Arrays.binarySearch(collections, done) >= 0) {
            if (second == null) collect(storage.live(), false);
            else for (Arena a : storage.averages()) collect(average(a), a == Arena.SECOND_AVERAGE);
        }
        done++;
    }

    /** An average with the trained weights' statistics, until its own are measured. */
    private Weights average(Arena arena) {
        return new Weights(storage.memory(arena), storage.live().state());
    }

    private void collect(Weights model, boolean isSecond) {
        Weights to = spare.isEmpty() ? storage.blank(device) : spare.pop();
        // First, so that its memory is freed with the others' where the copy fails.
        members.add(new Member(done, to, isSecond));
        model.copyTo(device, to);
    }

    @Override
    int perCollection() {
        return second == null ? 1 : 2;
    }

    @Override
    void reserve(int steps) {
        int end = done + steps;
        long wanted = perCollection()
                * Arrays.stream(collections).filter(s -> s >= done && s < end).count();
        guard.run(() -> {
            while (spare.size() < wanted) spare.push(storage.blank(device));
        });
    }

    /** They are on disk, and no later work predicts with them. */
    @Override
    void forgetMembers() {
        guard.run(() -> {
            members.forEach(m -> spare.push(m.weights()));
            members.clear();
        });
    }

    @Override
    void resume(EpochMetrics totals, List<Member> collected) {
        super.resume(totals, collected);
        guard.run(() -> members.addAll(collected));
    }

    @Override
    protected void save(Path file, Map<String, String> header) {
        Checkpoint.saveRun(file, this, header);
    }

    @Override
    protected EpochMetrics load(Path file) {
        return Checkpoint.loadRun(file, model);
    }

    @Override
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

    Plan plan() {
        return plan;
    }

    /** The update, alone. */
    Runnable updating() {
        return step;
    }

    @Override
    public NetMemory model() {
        return model;
    }

    @Override
    protected RunState control() {
        return control;
    }

    /** Makes {@link #close} close the model too. */
    public Training closingModel() {
        closesModel = true;
        return this;
    }

    @Override
    public void close() {
        guard.close(() -> {
            recording.close();
            plan.close();
            members.forEach(m -> m.weights().close());
            spare.forEach(Weights::close);
            if (second != null) second.close();
            control.close();
            model.released();
            if (closesModel) model.close();
        });
    }
}
