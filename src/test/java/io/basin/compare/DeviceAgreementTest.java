package io.basin.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.SyntheticSet;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.Devices;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.report.Extras;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The self-check of devices, with a second device that is the first under another name, right or wrong. */
class DeviceAgreementTest {
    @TempDir
    private Path folder;

    /** A device that reads weights multiplied by {@code factor}. */
    private record Other(float factor) implements DeviceProvider {
        @Override
        public String name() {
            return "other";
        }

        @Override
        public int priority() {
            return 0;
        }

        @Override
        public Device open(int threads) {
            Device real = Devices.open("cpu", 1);
            return (Device) Proxy.newProxyInstance(
                    Device.class.getClassLoader(), new Class<?>[] {Device.class}, (proxy, method, args) -> {
                        if (method.getName().equals("describe")) return "Another, 1 thread";
                        if (method.getName().equals("pack")) args[0] = scaled((FloatBuffer) args[0]);
                        try {
                            return method.invoke(real, args);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }

        private FloatBuffer scaled(FloatBuffer in) {
            float[] values = new float[in.remaining()];
            in.get(values);
            for (int i = 0; i < values.length; i++) values[i] *= factor;
            return FloatBuffer.wrap(values);
        }
    }

    /** A device that is not there. */
    private record Absent() implements DeviceProvider {
        @Override
        public String name() {
            return "absent";
        }

        @Override
        public int priority() {
            return 0;
        }

        @Override
        public Device open(int threads) {
            throw new DeviceException("no driver");
        }
    }

    private Extras.Check check(DeviceProvider... others) {
        Settings settings = new Settings("synthetic", "mlp");
        try (Device device = Devices.open("cpu", 1);
                Splits splits = Comparison.splits(device, SyntheticSet.trainTest(5200, 50, 8, 8, 1, 4, 1), settings)) {
            Path file = folder.resolve("weights.safetensors");
            Graph graph = Nets.build("mlp", splits.test().sample(), 4);
            try (Model model = new Model(device, graph)) {
                model.initialise(3).save(file);
            }
            List<DeviceProvider> all = new java.util.ArrayList<>(Devices.providers().stream()
                    .filter(p -> p.name().equals("cpu"))
                    .toList());
            all.addAll(List.of(others));
            List<Extras.Check> checks = new DeviceAgreement(
                            splits, () -> Nets.build("mlp", splits.train().sample(), 4), all)
                    .check(List.of(file))
                    .checks();
            assertEquals(1, checks.size());
            return checks.get(0);
        }
    }

    @Test
    void equalDevicesPassAndAWrongOneFails() {
        assertEquals(Extras.Check.PASSED, check(new Other(1)).verdict());
        Extras.Check wrong = check(new Other(1.3f));
        assertEquals(Extras.Check.FAILED, wrong.verdict());
        assertTrue(wrong.detail().contains("Another"), wrong.detail());
    }

    @Test
    void aLoneDeviceIsNotCoveredAndAnAbsentOneSaysWhy() {
        assertEquals(Extras.Check.NOT_COVERED, check().verdict());
        Extras.Check absent = check(new Absent());
        assertEquals(Extras.Check.NOT_COVERED, absent.verdict());
        assertTrue(absent.detail().contains("absent: no driver"), absent.detail());
    }
}
