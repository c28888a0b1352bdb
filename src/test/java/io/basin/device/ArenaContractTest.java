package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Combinations of arenas and a control point's update, against their formulas in doubles. */
class ArenaContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final double[] RATES = {0.5, 0.01, 0.2};
    private static final double[] ALPHA = {1, 0, 0.25};
    /** Odd tails, several pieces of work, and a split between decayed and undecayed that is no multiple of a tile. */
    private static final int[] DECAYED = {13, 40_007};

    private static final int[] SPARED = {1, 207, 4098};

    /** A storage of its own, its arenas filled with normal numbers, and a control block with rates and shares. */
    private record Bench(Device device, Storage storage, Control control, List<Runnable> closes)
            implements AutoCloseable {
        static Bench on(Device device) {
            Storage storage = new Storage(false);
            for (int n : DECAYED) declare(storage, n, false);
            for (int n : SPARED) declare(storage, n, true);
            storage.allocate(device, true);
            Control control = new Control(device, RATES, ALPHA);
            control.start(0);
            Bench bench = new Bench(device, storage, control, new ArrayList<>(List.of(control::close, storage::close)));
            bench.fill(storage.memory(Arena.PARAMS), 1);
            bench.fill(storage.memory(Arena.GRADS), 2);
            return bench;
        }

        private static void declare(Storage storage, int n, boolean vector) {
            Layout plain = () -> 4L * n;
            storage.parameter("p" + n, Shape.of(n), plain, Initializer.constant(0), vector);
        }

        int length() {
            return Math.toIntExact(storage.paramBytes() / 4);
        }

        Memory arena(long seed) {
            Memory memory = device.allocate(storage.paramBytes());
            closes.add(memory::close);
            fill(memory, seed);
            return memory;
        }

        Coefficients coefficients(Control steps, double[]... table) {
            Coefficients c = new Coefficients(device, steps, table);
            closes.add(c::close);
            return c;
        }

        void fill(Memory memory, long seed) {
            write(memory, Draws.normal(seed, memory.bytes() / 4));
        }

        void write(Memory memory, float[] values) {
            ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
            bytes.asFloatBuffer().put(values);
            device.upload(memory, 0, bytes);
        }

        float[] read(Memory memory) {
            ByteBuffer bytes = ByteBuffer.allocateDirect((int) memory.bytes()).order(ByteOrder.nativeOrder());
            device.download(memory, 0, bytes);
            float[] out = new float[bytes.capacity() / 4];
            bytes.asFloatBuffer().get(out);
            return out;
        }

        @Override
        public void close() {
            closes.forEach(Runnable::run);
        }
    }

    /** On the device and on the oracle; afterwards nothing is left allocated. */
    private static void on(Subject subject, Consumer<Bench> trial) {
        for (Device device : List.of(subject.open(), new ReferenceDevice())) {
            try (device) {
                try (Bench bench = Bench.on(device)) {
                    trial.accept(bench);
                }
                assertEquals(0, device.liveBytes());
            }
        }
    }

    private static float[] sum(double[] c, float[]... points) {
        float[] out = new float[points[0].length];
        for (int i = 0; i < out.length; i++) {
            double sum = 0;
            for (int j = 0; j < c.length; j++) sum += (float) c[j] * (double) points[j][i];
            out[i] = (float) sum;
        }
        return out;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aCombinationIsTheSumOfItsSharesOfThePoints(Subject subject) {
        double[][] rows = {{0.3}, {1, -2.5}, {0.125, 1.75, -0.5}, {0.2, 0.1, 0.4, 0.3, -1, 2, 3}};
        on(subject, bench -> {
            for (double[] row : rows) {
                List<Memory> points = IntStream.range(0, row.length)
                        .mapToObj(j -> bench.arena(10 + j))
                        .toList();
                Memory to = bench.arena(99);
                bench.device()
                        .combine(points, bench.coefficients(null, row), to)
                        .run();
                float[][] values = points.stream().map(bench::read).toArray(float[][]::new);
                Close.OPERATION.check(Arrays.toString(row), sum(row, values), bench.read(to));
            }
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aPointWithoutAShareTakesNoPartAndOneWithAShareOfOneIsCopiedBitForBit(Subject subject) {
        on(subject, bench -> {
            Memory a = bench.arena(3);
            Memory b = bench.arena(4);
            float[] broken = new float[bench.length()];
            Arrays.fill(broken, Float.NaN);
            bench.write(b, broken);
            Memory to = bench.arena(5);
            Coefficients c = bench.coefficients(null, new double[] {1, 0});
            Runnable combine = bench.device().combine(List.of(a, b), c, to);
            combine.run();
            assertArrayEquals(bench.read(a), bench.read(to));
            c.set(0, 0);
            combine.run();
            assertArrayEquals(new float[bench.length()], bench.read(to));
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theStepCounterPicksTheRowAndAReplayFollowsIt(Subject subject) {
        double[][] table = {{1, 0}, {0.25, 0.75}, {-1, 2}};
        on(subject, bench -> {
            Memory a = bench.arena(6);
            Memory b = bench.arena(7);
            Memory to = bench.arena(8);
            Runnable combine = bench.device().combine(List.of(a, b), bench.coefficients(bench.control(), table), to);
            Runnable tick = bench.device().tick(bench.control());
            try (Recording recording = bench.device().record(() -> {
                combine.run();
                tick.run();
            })) {
                bench.control().start(0);
                for (double[] row : table) {
                    recording.replay();
                    Close.OPERATION.check("row", sum(row, bench.read(a), bench.read(b)), bench.read(to));
                }
            }
        });
    }

    /** d = c (g + wd w), v = mu v + d, p -= lr v or for Nesterov lr (d + mu v); wd before the split only. */
    private static void formula(Bench bench, Spec.Step spec, double c, double lr, double[] p, double[] v) {
        float[] w = bench.read(bench.storage().memory(Arena.PARAMS));
        float[] g = bench.read(bench.storage().memory(Arena.GRADS));
        for (int i = 0; i < p.length; i++) {
            double wd = 4L * i < bench.storage().splitBytes() ? spec.weightDecay() : 0;
            double d = (float) c * (g[i] + wd * w[i]);
            v[i] = spec.momentum() * v[i] + d;
            p[i] -= (float) lr * (spec.nesterov() ? d + spec.momentum() * v[i] : v[i]);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aBendFollowsItsFormulaWithRateAndShareOfEachStep(Subject subject) {
        double[][] table = {{0.5, 0.5, 0}, {0.1, 0.2, 0.7}, {0, 0, 1}};
        for (boolean nesterov : new boolean[] {false, true}) {
            Spec.Step spec = new Spec.Step(0.9, 0.05, nesterov);
            on(subject, bench -> {
                Memory point = bench.arena(21);
                Memory momentum = bench.arena(22);
                double[] p = doubles(bench.read(point));
                double[] v = doubles(bench.read(momentum));
                Coefficients c = bench.coefficients(bench.control(), table);
                Runnable bend = bench.device().bend(spec, bench.storage(), point, momentum, c, 1, bench.control());
                for (int t = 0; t < table.length; t++) {
                    bend.run();
                    bench.device().tick(bench.control()).run();
                    formula(bench, spec, table[t][1], RATES[t], p, v);
                }
                Close.OPERATION.check("point", floats(p), bench.read(point));
                Close.OPERATION.check("momentum", floats(v), bench.read(momentum));
            });
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aBendLeavesWeightsAndGradientsAlone(Subject subject) {
        on(subject, bench -> {
            float[] w = bench.read(bench.storage().memory(Arena.PARAMS));
            float[] g = bench.read(bench.storage().memory(Arena.GRADS));
            Coefficients c = bench.coefficients(null, new double[] {0.5});
            Spec.Step spec = new Spec.Step(0.9, 0.05, false);
            bench.device()
                    .bend(spec, bench.storage(), bench.arena(1), bench.arena(2), c, 0, bench.control())
                    .run();
            assertArrayEquals(w, bench.read(bench.storage().memory(Arena.PARAMS)));
            assertArrayEquals(g, bench.read(bench.storage().memory(Arena.GRADS)));
        });
    }

    /** The flag is set in the step whose loss broke and stays: that step's updates and all later ones leave the point alone. */
    @ParameterizedTest
    @MethodSource(ALL)
    void afterALossThatIsNoNumberNoPointMoves(Subject subject) {
        on(subject, bench -> {
            Memory point = bench.arena(21);
            Memory momentum = bench.arena(22);
            float[] p = bench.read(point);
            float[] v = bench.read(momentum);
            Coefficients c = bench.coefficients(null, new double[] {0.5});
            Spec.Step spec = new Spec.Step(0.9, 0.05, false);
            Runnable bend = bench.device().bend(spec, bench.storage(), point, momentum, c, 0, bench.control());
            for (long t = 1; t <= RATES.length; t++) {
                bench.control().start(new Control.Totals(t, 0, 0, 0, 1));
                bend.run();
                assertArrayEquals(p, bench.read(point), "step " + t);
                assertArrayEquals(v, bench.read(momentum), "step " + t);
            }
        });
    }

    /** A combination moves no model: it is where the loss is measured, with or without a broken one before it. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aCombinationIsMadeAfterALossThatIsNoNumberToo(Subject subject) {
        on(subject, bench -> {
            Memory a = bench.arena(3);
            Memory to = bench.arena(5);
            Coefficients c = bench.coefficients(bench.control(), new double[][] {{1}, {1}, {1}});
            bench.control().start(new Control.Totals(1, 0, 0, 0, 0));
            bench.device().combine(List.of(a), c, to).run();
            assertArrayEquals(bench.read(a), bench.read(to));
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void beyondTheTablesEverythingIsRefusedOrNothingChanges(Subject subject) {
        try (Device device = subject.open();
                Bench bench = Bench.on(device)) {
            Memory point = bench.arena(21);
            Memory to = bench.arena(22);
            Coefficients c = bench.coefficients(bench.control(), new double[][] {{0.5}, {0.5}, {0.5}});
            Spec.Step spec = new Spec.Step(0.9, 0.05, false);
            List<Runnable> work = List.of(
                    device.bend(spec, bench.storage(), point, bench.arena(23), c, 0, bench.control()),
                    device.combine(List.of(point), c, to));
            bench.control().start(RATES.length);
            float[] p = bench.read(point);
            float[] before = bench.read(to);
            for (Runnable one : work) {
                if (device.immediate()) assertThrows(IllegalStateException.class, one::run);
                else one.run();
            }
            assertArrayEquals(p, bench.read(point));
            assertArrayEquals(before, bench.read(to));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void whatDoesNotFitIsRefused(Subject subject) {
        on(subject, bench -> {
            Device device = bench.device();
            Coefficients two = bench.coefficients(null, new double[] {1, 2});
            Memory a = bench.arena(1);
            try (Memory small = device.allocate(4)) {
                refused(() -> device.combine(List.of(a), two, a));
                refused(() -> device.combine(List.of(a, small), two, a));
                Spec.Step spec = new Spec.Step(0, 0, false);
                refused(() -> device.bend(spec, bench.storage(), a, a, two, 2, bench.control()));
                refused(() -> device.bend(spec, bench.storage(), small, a, two, 0, bench.control()));
            }
            refused(() -> two.set(1));
            refused(() -> new Coefficients(device, bench.control(), new double[] {1}));
            refused(() -> new Coefficients(device, null, new double[Coefficients.MAX_POINTS + 1]));
        });
    }

    private static void refused(org.junit.jupiter.api.function.Executable action) {
        assertThrows(IllegalArgumentException.class, action);
    }

    private static double[] doubles(float[] values) {
        double[] out = new double[values.length];
        for (int i = 0; i < out.length; i++) out[i] = values[i];
        return out;
    }

    private static float[] floats(double[] values) {
        float[] out = new float[values.length];
        for (int i = 0; i < out.length; i++) out[i] = (float) values[i];
        return out;
    }
}
