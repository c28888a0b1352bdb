package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.ReferenceDevice;
import io.basin.device.Sets;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random directions: their length, their filters, and that no device's layout shows in them. */
class DirectionsTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final Graph NET = Nets.smallCnn(Shape.of(1, 12, 12), 10);

    private interface Trial {
        void accept(Device device, ParameterStore storage, Memory into);
    }

    private static void on(Device device, Trial trial) {
        try (device;
                var images = Sets.random(device, 1, 4, Shape.of(1, 12, 12), 10);
                Model model = new Model(device, NET);
                Evaluator plan = new Evaluator(model, images, Sets.plain(4, 1))) {
            ParameterStore storage = model.initialise(3).store();
            try (Memory into = device.allocate(storage.paramBytes())) {
                trial.accept(device, storage, into);
            }
            assertEquals(1, plan.batches());
        }
    }

    private static Map<String, float[]> read(Device device, ParameterStore storage, Memory arena) {
        Map<String, float[]> values = new LinkedHashMap<>();
        for (Parameter p : storage.parameters()) {
            float[] v = new float[Math.toIntExact(p.shape().elements())];
            device.unpack(arena, p.slot().offset(), p.layout(), FloatBuffer.wrap(v));
            values.put(p.name(), v);
        }
        return values;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void everyDeviceDrawsTheSameDirections(Subject subject) {
        BiConsumer<Directions, Memory> random = (d, into) -> d.random(2, into);
        Map<String, float[]> expected = new LinkedHashMap<>();
        on(new ReferenceDevice(), (device, storage, into) -> {
            random.accept(new Directions(device, storage, 5), into);
            expected.putAll(read(device, storage, into));
        });
        on(subject.open(), (device, storage, into) -> {
            random.accept(new Directions(device, storage, 5), into);
            read(device, storage, into).forEach((name, v) -> Close.ROUNDING.check(name, expected.get(name), v));
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void randomDirectionsAreGaussianOfLengthOneAndNearlyPerpendicular(Subject subject) {
        on(subject.open(), (device, storage, into) -> {
            Directions directions = new Directions(device, storage, 5);
            directions.random(0, into);
            float[] a = Vectors.read(device, into);
            directions.random(1, into);
            float[] b = Vectors.read(device, into);
            double n = storage.parameterCount();
            assertEquals(1, Vectors.norm(a), 1e-5);
            assertEquals(1, Vectors.norm(b), 1e-5);
            // The product of two of them has deviation 1 / sqrt(n).
            assertTrue(Math.abs(Vectors.dot(a, b)) < 4 / Math.sqrt(n), "product " + Vectors.dot(a, b));
            double fourth = 0;
            for (float v : a) fourth += Math.pow(v, 4);
            // A normal number's fourth moment is 3, its own deviation sqrt(96).
            assertEquals(3, fourth * n, 4 * Math.sqrt(96 / n));
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void filtersAreAsLongAsTheNetsOwnAndBiasesAndBatchNormRest(Subject subject) {
        on(subject.open(), (device, storage, into) -> {
            new Directions(device, storage, 5)
                    .filterNormalised(0, storage.live().params(), into);
            Map<String, float[]> net = read(device, storage, storage.live().params());
            Map<String, float[]> direction = read(device, storage, into);
            int filters = 0;
            for (Parameter p : storage.parameters()) {
                float[] d = direction.get(p.name());
                if (p.shape().rank() == 1) {
                    assertEquals(0, Close.largest(d), p.name());
                    continue;
                }
                int length = d.length / p.shape().dim(0);
                for (int f = 0; f < p.shape().dim(0); f++, filters++) {
                    float[] own = Arrays.copyOfRange(net.get(p.name()), f * length, (f + 1) * length);
                    float[] drawn = Arrays.copyOfRange(d, f * length, (f + 1) * length);
                    assertEquals(Vectors.norm(own), Vectors.norm(drawn), 1e-5 * Vectors.norm(own), p.name());
                }
            }
            assertEquals(32 + 32 + 64 + 64 + 128 + 10, filters);
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void seedsAndIndicesGiveOtherDirections(Subject subject) {
        on(subject.open(), (device, storage, into) -> {
            new Directions(device, storage, 5).random(0, into);
            float[] a = Vectors.read(device, into);
            new Directions(device, storage, 6).random(0, into);
            assertTrue(Vectors.distance(a, Vectors.read(device, into)) > 1);
            new Directions(device, storage, 5).random(0, into);
            assertEquals(0, Vectors.distance(a, Vectors.read(device, into)));
        });
    }
}
