package io.basin.geometry;

import io.basin.device.Arena;
import io.basin.device.Coefficients;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Recording;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.train.Checkpoint;
import io.basin.train.Difference;
import io.basin.train.Plan;
import io.basin.train.Schedule;
import io.basin.train.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Bends a curve between two nets until the loss along it is low.
 *
 * <p>Each batch draws one t and lowers L(w(t)) + wd/2 |w(t)|^2, whose gradient for control point j is c_j(t) times that for
 * w(t) (Garipov et al. 2018, section 3.2). The ends never move; the bends begin on the straight line between them; batch norm's
 * scale and shift are combined like every other parameter. All t's are drawn before the start, so a step is one replay.
 *
 * <p>Any thread may call; each call is one turn on the device ({@link Guard}).
 */
public final class CurveTraining implements AutoCloseable {
    private final Device device;
    private final Guard guard;
    private final Storage storage;
    private final Control control;
    private final Plan plan;
    private final Recording recording;
    private final int steps;
    private final List<Memory> points = new ArrayList<>();
    private final List<Memory> momenta = new ArrayList<>();
    private final List<AutoCloseable> owned = new ArrayList<>();
    private volatile int step;

    /**
     * What is trained.
     *
     * @param bends control points between the ends
     * @param seed of the t's, of the order of samples and of their augmentation
     * @param mean and std per channel, of pixels scaled to [0, 1]
     */
    public record Course(
            Curve curve, int bends, Schedule schedule, Settings settings, long seed, float[] mean, float[] std) {
        public Course {
            if (bends < 1 || bends > Coefficients.MAX_POINTS - 2) {
                throw new IllegalArgumentException("--bends must lie between 1 and " + (Coefficients.MAX_POINTS - 2)
                        + ", got " + bends + " (--num-bends counts the two ends too)");
            }
        }

        Spec.Batch batch() {
            return new Spec.Batch(settings.batch(), settings.pad(), settings.flip(), mean, std, seed, true);
        }

        Spec.Step step() {
            return new Spec.Step(settings.momentum(), settings.weightDecay(), settings.nesterov());
        }
    }

    /** Plans and allocates; {@code first} and {@code last} are files of the ends. */
    public CurveTraining(Device device, Graph graph, Images train, Course course, Path first, Path last) {
        this.device = device;
        guard = device.guard().of("the curve's training");
        Settings s = course.settings();
        steps = course.schedule().steps();
        storage = new Storage(s.decayEverything());
        owned.add(storage);
        try {
            control = own(new Control(device, course.schedule().lr(), new double[steps]));
            plan = own(Plan.training(
                    device,
                    graph,
                    storage,
                    train,
                    control,
                    course.batch(),
                    new Spec.Loss(s.smoothing()),
                    s.precision()));
            place(course.bends() + 2, first, last);
            recording = own(device.record(program(course)));
            control.start(0);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T own(T made) {
        owned.add(made);
        return made;
    }

    /** Loads the ends and puts the bends on the straight line between them. */
    private void place(int count, Path first, Path last) {
        for (int j = 0; j < count; j++) points.add(own(device.allocate(storage.paramBytes())));
        load(first, points.get(0));
        load(last, points.get(count - 1));
        List<Memory> ends = List.of(points.get(0), points.get(count - 1));
        for (int j = 1; j < count - 1; j++) {
            momenta.add(own(device.allocate(storage.paramBytes())));
            double t = (double) j / (count - 1);
            try (Coefficients c = new Coefficients(device, null, new double[] {1 - t, t})) {
                device.combine(ends, c, points.get(j)).run();
                // Waits, for the table must outlive its use.
                control.read();
            }
        }
    }

    private void load(Path file, Memory params) {
        Checkpoint.loadModel(file, device, storage, new Weights(params, storage.memory(Arena.STATE)));
    }

    private Runnable program(Course course) {
        double[][] table = course.curve().table(Curve.draws(steps, course.seed()), points.size());
        Coefficients shares = own(new Coefficients(device, control, table));
        Runnable combine = device.combine(points, shares, storage.memory(Arena.PARAMS));
        List<Runnable> updates = new ArrayList<>();
        for (int j = 1; j < points.size() - 1; j++) {
            updates.add(device.bend(course.step(), storage, points.get(j), momenta.get(j - 1), shares, j, control));
        }
        Runnable tick = device.tick(control);
        return () -> {
            combine.run();
            plan.forward();
            plan.backward();
            updates.forEach(Runnable::run);
            tick.run();
        };
    }

    /**
     * One update of every bend.
     *
     * @throws IllegalStateException at the end of the schedule and after {@link #close}
     */
    public void advance() {
        guard.run(() -> {
            if (step == steps) throw new IllegalStateException("the curve has done all of its " + steps + " steps");
            recording.replay();
            step++;
        });
    }

    /** Updates done. */
    public int step() {
        return step;
    }

    public int steps() {
        return steps;
    }

    /** Sums since the last {@link #startEpoch}; waits for the device. */
    public Control.Totals totals() {
        return guard.get(control::read);
    }

    public void startEpoch() {
        guard.run(() -> control.start(step));
    }

    /** The control points, ends included. Owned by this. */
    public List<Memory> points() {
        return List.copyOf(points);
    }

    /** Its own model is w(t) of the step last trained, and free to be overwritten between steps. */
    public Storage storage() {
        return storage;
    }

    /** Writes all that the next step depends on. */
    public void save(Path file, String identity, Map<String, String> metadata) {
        guard.run(() -> write(file, identity, metadata));
    }

    private void write(Path file, String identity, Map<String, String> metadata) {
        Control.Totals t = totals();
        SafetensorsWriter writer = Safetensors.writer().metadata(metadata);
        writer.metadata("identity", identity)
                .metadata("step", Long.toString(t.step()))
                .metadata("loss", Double.toString(t.loss()))
                .metadata("hits", Long.toString(t.hits()))
                .metadata("seen", Long.toString(t.seen()));
        for (int j = 1; j < points.size() - 1; j++) {
            Checkpoint.addArena(writer, device, storage, "bend." + j + ".", points.get(j));
            Checkpoint.addArena(writer, device, storage, "momentum." + j + ".", momenta.get(j - 1));
        }
        writer.write(file);
    }

    /** Goes on from {@code file} if it is there; another course's file is refused. */
    public void resume(Path file, String identity) {
        if (Files.exists(file)) guard.run(() -> read(file, identity));
    }

    private void read(Path file, String identity) {
        try (Safetensors in = Safetensors.open(file)) {
            Map<String, String> m = in.metadata();
            String there = m.getOrDefault("identity", "");
            if (!there.equals(identity)) {
                throw new IllegalArgumentException("--resume: " + file + " was made with other settings: "
                        + Difference.first(there, identity) + "; repeat them, or start in a new folder with --out");
            }
            for (int j = 1; j < points.size() - 1; j++) {
                Checkpoint.readArena(file, in, device, storage, "bend." + j + ".", points.get(j));
                Checkpoint.readArena(file, in, device, storage, "momentum." + j + ".", momenta.get(j - 1));
            }
            control.start(new Control.Totals(
                    Long.parseLong(m.get("step")),
                    Double.parseDouble(m.get("loss")),
                    Long.parseLong(m.get("hits")),
                    Long.parseLong(m.get("seen")),
                    -1));
            step = Integer.parseInt(m.get("step"));
        } catch (NumberFormatException | NullPointerException e) {
            throw new FormatException(
                    file.toString(), "a count of its run is not a number: it is damaged, delete it to train anew", e);
        }
    }

    @Override
    public void close() {
        guard.close(this::release);
    }

    private void release() {
        for (int i = owned.size() - 1; i >= 0; i--) {
            try {
                owned.get(i).close();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        owned.clear();
    }
}
