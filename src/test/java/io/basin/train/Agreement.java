package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Arena;
import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Parameter;
import io.basin.device.ReferenceDevice;
import io.basin.device.Subject;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Runs a setup on a device and on the reference, and compares all that training leaves behind. */
final class Agreement {
    /** What cancels to nothing, such as a bias before batch norm, is compared on the scale of its net. */
    private static final double CANCELLED = 1e-2;

    private final Setup setup;
    private final Close close;

    Agreement(Setup setup, Close close) {
        this.setup = setup;
        this.close = close;
    }

    void check(Subject subject, int steps) {
        try (Device reference = new ReferenceDevice();
                Run expected = setup.on(reference);
                Device device = subject.open();
                Run actual = setup.on(device)) {
            for (int t = 0; t < steps; t++) {
                expected.gradients();
                actual.gradients();
                close.check("probabilities of step " + t, expected.probabilities(), actual.probabilities());
                compare("step " + t, expected, actual, Arena.GRADS);
                expected.update();
                actual.update();
            }
            for (Arena arena : new Arena[] {Arena.PARAMS, Arena.MOMENTUM, Arena.AVERAGE}) {
                compare("after " + steps + " steps", expected, actual, arena);
            }
            compareStates(expected, actual);
            EpochMetrics e = expected.control.read();
            EpochMetrics a = actual.control.read();
            close.check("loss", e.loss(), a.loss());
            assertEquals(e.seen(), a.seen());
            assertEquals(steps, a.step());
            assertEquals(-1, a.broken());
        }
    }

    private void compare(String when, Run expected, Run actual, Arena arena) {
        List<float[]> values = new ArrayList<>();
        double scale = 0;
        for (Parameter p : expected.storage.parameters()) {
            values.add(expected.read(p, arena));
            scale = Math.max(scale, Close.largest(values.get(values.size() - 1)));
        }
        Iterator<float[]> each = values.iterator();
        Iterator<Parameter> twin = actual.storage.parameters().iterator();
        for (Parameter p : expected.storage.parameters()) {
            Parameter q = twin.next();
            assertEquals(p.name(), q.name());
            assertEquals(p.shape(), q.shape());
            close.check(when + ", " + arena + " " + p.name(), each.next(), actual.read(q, arena), CANCELLED * scale);
        }
    }

    private void compareStates(Run expected, Run actual) {
        Iterator<Parameter> twin = actual.storage.states().iterator();
        for (Parameter s : expected.storage.states()) {
            float[] values = expected.read(s, Arena.STATE);
            close.check(s.name(), values, actual.read(twin.next(), Arena.STATE), CANCELLED);
        }
    }
}
