package io.basin.landscape;

import io.basin.Api;
import io.basin.device.Arena;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.Weights;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.text.Require;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.Plan;
import io.basin.train.Settings;
import io.basin.train.Stepped;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Bends a curve between two nets until the loss along it is low.
 *
 * <p>Each batch draws one t and lowers L(w(t)) + wd/2 |w(t)|^2, whose gradient for control point j is c_j(t) times that for
 * w(t) (Garipov et al. 2018, section 3.2). The ends never move unless they are free; the bends begin on the straight line between them; batch norm's
 * scale and shift are combined like every other parameter. All t's are drawn before the start, so a step is one replay.
 */
@Api
public final class CurveTraining extends Stepped {
    private final Model model;
    private final ParameterStore storage;
    private final RunState control;
    private final Plan plan;
    private final Device.Recording recording;
    private final List<Memory> points = new ArrayList<>();
    /** Of the points that move, by their index. */
    private final Map<Integer, Memory> momenta = new TreeMap<>();
    /** Closes what is owned, the newest first. */
    private final List<Runnable> closing = new ArrayList<>();

    /**
     * Settings of the training.
     *
     * @param bends control points between the ends
     * @param seed of the t's, of the order of samples and of their augmentation
     * @param augmentation as of the nets at the ends
     * @param freeEnds whether the ends are trained like the bends, from the nets on
     */
    public record CurveConfig(
            Curve curve,
            int bends,
            Schedule schedule,
            Settings settings,
            long seed,
            Augmentation augmentation,
            boolean freeEnds) {
        /** Between fixed ends. */
        public CurveConfig(
                Curve curve, int bends, Schedule schedule, Settings settings, long seed, Augmentation augmentation) {
            this(curve, bends, schedule, settings, seed, augmentation, false);
        }

        public CurveConfig {
            Require.given("curve", curve);
            Require.given("schedule", schedule);
            Require.given("settings", settings);
            Require.given("augmentation", augmentation);
            if (bends < 1 || bends > Coefficients.MAX_POINTS - 2) {
                throw new IllegalArgumentException("`bends` must lie between 1 and " + (Coefficients.MAX_POINTS - 2)
                        + ", got " + bends + " (`controls` counts the two ends too)");
            }
            if (schedule.collections().length > 0) {
                throw new IllegalArgumentException("a curve collects no models on its way: `schedule` has "
                        + schedule.collections().length + " to collect; give one that collects none");
            }
        }

        /** Control points, ends included. */
        int points() {
            return bends + 2;
        }

        /** Whether training moves control point j. */
        boolean moves(int j) {
            return freeEnds || j > 0 && j < points() - 1;
        }

        BatchReader batch() {
            return new BatchReader(settings.data().batch(), augmentation, seed, true);
        }

        /** Curves are trained by the papers' SGD alone. */
        Sgd step() {
            if (settings.optimizer() instanceof Sgd sgd) return sgd;
            throw new IllegalArgumentException("a curve is trained by Sgd, got " + settings.optimizer());
        }
    }

    /** Plans and allocates; {@code first} and {@code last} are files of the ends. */
    public CurveTraining(Device device, Graph graph, Images train, CurveConfig config, Path first, Path last) {
        super(
                Require.given("device", device),
                "CurveTraining",
                Require.given("config", config).schedule());
        Settings s = config.settings();
        Loss loss = Loss.crossEntropy(s.smoothing());
        model = own(new Model(device, graph, loss, s.precision(), s.decayEverything()), Model::close);
        try {
            control = own(new RunState(device, schedule.lr(), new double[steps()]), RunState::close);
            plan = own(Plan.training(model, train, control, config.batch()), Plan::close);
            storage = model.store();
            place(config, first, last);
            recording = own(device.record(program(config)), Device.Recording::close);
            control.start(0);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private <T> T own(T made, Consumer<T> close) {
        closing.add(0, () -> close.accept(made));
        return made;
    }

    private Memory arena() {
        return own(device.allocate(storage.paramBytes()), Memory::close);
    }

    /** Loads the ends and puts the bends on the straight line between them. */
    private void place(CurveConfig config, Path first, Path last) {
        int count = config.points();
        for (int j = 0; j < count; j++) {
            points.add(arena());
            if (config.moves(j)) momenta.put(j, arena());
        }
        load(first, points.get(0));
        load(last, points.get(count - 1));
        List<Memory> ends = List.of(points.get(0), points.get(count - 1));
        for (int j = 1; j < count - 1; j++) {
            double t = (double) j / (count - 1);
            try (Coefficients c = new Coefficients(device, null, new double[] {1 - t, t})) {
                device.arenas().weightedSum(ends, c, points.get(j)).run();
                // Waits, as the table must outlive its use.
                control.read();
            }
        }
    }

    private void load(Path file, Memory params) {
        Checkpoint.loadModel(file, model, new Weights(params, storage.memory(Arena.STATE)));
    }

    private Runnable program(CurveConfig config) {
        double[][] table = config.curve().table(Curve.draws(steps(), config.seed()), points.size());
        Coefficients shares = own(new Coefficients(device, control, table), Coefficients::close);
        Runnable combine = device.arenas().weightedSum(points, shares, storage.memory(Arena.PARAMS));
        List<Runnable> updates = new ArrayList<>();
        momenta.forEach((j, momentum) -> updates.add(
                device.arenas().stepCurvePoint(config.step(), storage, points.get(j), momentum, shares, j, control)));
        Runnable tick = device.arenas().advance(control);
        return () -> {
            combine.run();
            plan.forward();
            plan.backward();
            updates.forEach(Runnable::run);
            tick.run();
        };
    }

    @Override
    public void advance() {
        guard.run(() -> {
            if (done == steps()) throw new IllegalStateException("the curve has done all of its " + done + " steps");
            plan.supply(done);
            recording.replay();
            done++;
        });
    }

    @Override
    protected RunState control() {
        return control;
    }

    @Override
    protected String remedy() {
        return "try a smaller `lr` for the curve";
    }

    /** The control points, ends included. Owned by this. */
    public List<Memory> points() {
        return List.copyOf(points);
    }

    /** Its weights are w(t) of the step last trained, and free to be overwritten between steps. */
    @Override
    public Model model() {
        return model;
    }

    private interface Place {
        void accept(String prefix, Memory memory);
    }

    /** The state that the next step depends on: the points that move and their momenta, by their names in a file. */
    private void eachArena(Place use) {
        momenta.forEach((j, momentum) -> {
            use.accept("bend." + j + ".", points.get(j));
            use.accept("momentum." + j + ".", momentum);
        });
    }

    @Override
    protected void save(Path file, Map<String, String> header) {
        guard.run(() -> {
            SafetensorsWriter writer = Checkpoint.writer(totals(), header);
            eachArena((prefix, memory) -> Checkpoint.addArena(writer, device, storage, prefix, memory));
            writer.write(file);
        });
    }

    @Override
    protected EpochMetrics load(Path file) {
        return guard.get(() -> {
            try (Safetensors in = Safetensors.open(file)) {
                eachArena((prefix, memory) -> Checkpoint.readArena(file, in, device, storage, prefix, memory));
                return Checkpoint.metrics(file, in.metadata());
            }
        });
    }

    @Override
    public void close() {
        guard.close(() -> closing.forEach(Runnable::run));
    }
}
