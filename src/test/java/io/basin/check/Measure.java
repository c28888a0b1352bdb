package io.basin.check;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.Arena;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Layout;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.io.Json;
import io.basin.io.Sha256;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Nets;
import io.basin.train.Model;
import io.basin.train.Training;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What the hardware check measures in processes of its own: a result is a line of JSON. */
final class Measure {
    private static final int CLASSES = 10;
    private static final int RUNS = 5;
    /** Updates of one timing of the step kernel. */
    private static final int UPDATES = 10;
    /** As {@code pytorch.py} has it. */
    private static final int AVERAGE_EVERY = 10;

    private static final int WARM = 5;
    private static final Sgd SGD = new Sgd(0.9, 5e-4, false);

    private record Plain(long bytes) implements Layout {}

    private final Device device;

    private Measure(Device device) {
        this.device = device;
    }

    /** determinism NET BATCH STEPS; step PARAMETERS; speed NET BATCH SECONDS. */
    public static void main(String[] args) {
        boolean right = true;
        try (Device device = Devices.open("cuda", 0)) {
            Measure measure = new Measure(device);
            if (args[0].equals("step")) {
                measure.step(Integer.parseInt(args[1]));
            } else {
                for (String name : Parts.PRECISIONS) right &= measure.net(args, name);
            }
        }
        if (!right) System.exit(1);
    }

    /** One precision that fails leaves the others to be measured. */
    private boolean net(String[] args, String name) {
        Precision precision = Precision.valueOf(name.toUpperCase(Locale.ROOT));
        int batch = Integer.parseInt(args[2]);
        try {
            if (args[0].equals("speed")) return speed(args[1], precision, batch, Double.parseDouble(args[3]));
            return determinism(args[1], precision, batch, Integer.parseInt(args[3]));
        } catch (RuntimeException e) {
            System.out.println(args[1] + " in " + name + ": " + e);
            return false;
        }
    }

    private void say(Map<String, Object> row) {
        row.put("device", device.describe());
        System.out.println(Json.line(row));
    }

    private boolean determinism(String net, Precision precision, int batch, int steps) {
        ToDoubleFunction<Training> last = t -> {
            for (int i = 0; i < steps; i++) t.advance();
            return t.totals().loss();
        };
        String[] sums = new String[2];
        boolean finite = true;
        for (int run = 0; run < 2; run++) {
            MessageDigest digest = Sha256.digest();
            finite &= Double.isFinite(train(net, precision, batch, steps, t -> {
                double loss = last.applyAsDouble(t);
                for (Arena arena : List.of(Arena.PARAMS, Arena.MOMENTUM, Arena.AVERAGE, Arena.STATE)) {
                    Memory memory = t.model().store().memory(arena);
                    ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(memory.bytes()));
                    device.download(memory, 0, bytes);
                    digest.update(bytes.clear());
                }
                return loss;
            }));
            sums[run] = Sha256.hex(digest);
        }
        boolean equal = sums[0].equals(sums[1]);
        say(row("net", net, "precision", precision.on(device), "steps", steps, "finite", finite, "equal", equal));
        return equal && finite;
    }

    private boolean speed(String net, Precision precision, int batch, double seconds) {
        double[] rates = new double[RUNS];
        double loss = train(net, precision, batch, 1 << 18, t -> {
            int steps = WARM;
            double time = timed(t, steps);
            // Once more: the first steps load what the later ones have.
            time = timed(t, steps);
            steps = (int) Math.max(1, Math.min(t.steps() / (2.0 * RUNS), seconds / RUNS / time * steps));
            for (int i = 0; i < RUNS; i++) rates[i] = (double) batch * steps / timed(t, steps);
            return t.totals().loss();
        });
        Arrays.sort(rates);
        say(row(
                "net",
                net,
                "precision",
                precision.name().toLowerCase(Locale.ROOT),
                "images_per_s",
                rates[RUNS / 2],
                "least",
                rates[0],
                "most",
                rates[RUNS - 1],
                "batch",
                batch));
        return Double.isFinite(loss);
    }

    /** Seconds of so many steps, to their end on the device. */
    private static double timed(Training t, int steps) {
        long start = System.nanoTime();
        for (int i = 0; i < steps; i++) t.advance();
        t.totals();
        return (System.nanoTime() - start) / 1e9;
    }

    /** Trains on the shapes that the net is for: grey 28 x 28 plain, or coloured 32 x 32 cropped and flipped. */
    private double train(String net, Precision precision, int batch, int steps, ToDoubleFunction<Training> work) {
        boolean grey = List.of("mlp", "small-cnn").contains(net);
        Dataset set = grey
                ? SyntheticSet.synthetic(8 * batch, 28, 28, 1, CLASSES, 1)
                : SyntheticSet.synthetic(8 * batch, 32, 32, 3, CLASSES, 1);
        BatchReader reader = new BatchReader(batch, set.augmentation(grey ? 0 : 4, !grey), 1, true);
        double[] alpha = new double[steps];
        for (int i = AVERAGE_EVERY - 1; i < steps; i += AVERAGE_EVERY) alpha[i] = i < AVERAGE_EVERY ? 1 : 0.01;
        try (Images images = set.upload(device);
                Model model =
                        new Model(device, Nets.build(net, images.sample(), CLASSES), Loss.crossEntropy(0), precision);
                Training training =
                        new Training(model, images, reader, SGD, Schedule.constant(steps, 1e-3), Averaging.of(alpha))) {
            return work.applyAsDouble(training);
        }
    }

    /** The fused update by events, without and with the average, beside a copy that moves as many bytes. */
    private void step(int parameters) {
        try (ParameterStore store = new ParameterStore(true)) {
            PlanContext scope = new PlanContext(store, PlanContext.Mode.TRAIN, Precision.FP32, 1);
            Shape shape = Shape.of(parameters);
            scope.at(0, "flat")
                    .parameter(
                            new Layer.Param("weight", shape, Initializer.constant(1), false),
                            new Plain(4L * parameters));
            store.allocate(device, true);
            for (Arena arena : List.of(Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE)) {
                fill(store.memory(arena), arena.ordinal());
            }
            for (int average = 0; average < 2; average++) {
                try (RunState control = new RunState(device, new double[] {1e-3}, new double[] {0.01 * average})) {
                    update(parameters, average == 1, device.arenas().step(SGD, store, control));
                }
            }
        }
    }

    private void update(int parameters, boolean average, Runnable step) {
        long moved = (average ? 28L : 20L) * parameters;
        double update = milliseconds(step);
        try (Memory from = device.allocate(moved / 2);
                Memory to = device.allocate(moved / 2)) {
            double copy = milliseconds(() -> device.copy(from, to));
            say(row(
                    "parameters",
                    parameters,
                    "average",
                    average,
                    "gb_per_s",
                    moved / update / 1e6,
                    "copy_gb_per_s",
                    moved / copy / 1e6,
                    "share_of_copy",
                    copy / update));
        }
    }

    /** The median of some runs of {@link #UPDATES} each, after one that does not count. */
    private double milliseconds(Runnable work) {
        double[] times = new double[RUNS];
        for (int i = -1; i < RUNS; i++) {
            double time = device.milliseconds(() -> {
                        for (int k = 0; k < UPDATES; k++) work.run();
                    })
                    / UPDATES;
            if (i >= 0) times[i] = time;
        }
        Arrays.sort(times);
        return times[RUNS / 2];
    }

    /** Ordinary numbers: zeros and denormals may have another speed. */
    private void fill(Memory memory, int seed) {
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) Math.min(4 << 20, memory.bytes()))
                .order(ByteOrder.nativeOrder());
        while (bytes.remaining() >= 4) bytes.putFloat((float) Math.sin(bytes.position() + seed));
        for (long at = 0; at < memory.bytes(); at += bytes.capacity()) {
            bytes.clear().limit((int) Math.min(bytes.capacity(), memory.bytes() - at));
            device.upload(memory, at, bytes);
        }
    }

    private static Map<String, Object> row(Object... namesAndValues) {
        Map<String, Object> row = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) row.put((String) namesAndValues[i], namesAndValues[i + 1]);
        return row;
    }
}
