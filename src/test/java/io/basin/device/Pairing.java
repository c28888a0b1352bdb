package io.basin.device;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * The same trial on a device and on the reference: one operation with its inputs, random values and gradients, forward
 * and backward, everything that comes out compared.
 */
final class Pairing {
    /** Plans the operation under test. */
    interface Planner {
        Op plan(Device device, PlanContext scope, List<Tensor> inputs);
    }

    final int rows;
    final Shape sample;
    final Planner planner;
    final List<BiFunction<OpTrial, Integer, Tensor>> inputs = new ArrayList<>();
    private long seed = 1;
    private PlanContext.Mode mode = PlanContext.Mode.TRAIN;

    Pairing(int rows, Shape sample, Planner planner) {
        this.rows = rows;
        this.sample = sample;
        this.planner = planner;
    }

    Pairing with(OpTrial.From from, int channels) {
        inputs.add((trial, i) -> trial.input(from, channels));
        return this;
    }

    Pairing withRows(int features) {
        inputs.add((trial, i) -> trial.rows(features));
        return this;
    }

    Pairing seed(long s) {
        seed = s;
        return this;
    }

    Pairing evaluating() {
        mode = PlanContext.Mode.EVALUATE;
        return this;
    }

    /** Compares outputs within {@code forward}, gradients within {@code backward}. */
    void check(Subject subject, Close forward, Close backward) {
        Map<String, float[]> expected;
        try (Device reference = new ReferenceDevice()) {
            expected = run(reference);
        }
        try (Device device = subject.open()) {
            Map<String, float[]> actual = run(device);
            expected.forEach((name, e) -> (name.startsWith("d") ? backward : forward).check(name, e, actual.get(name)));
            org.junit.jupiter.api.Assertions.assertEquals(0, device.liveBytes());
        }
    }

    private Map<String, float[]> run(Device device) {
        Map<String, float[]> results = new LinkedHashMap<>();
        try (OpTrial trial = OpTrial.of(device, mode, rows, sample)) {
            List<Tensor> xs = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) xs.add(inputs.get(i).apply(trial, i));
            Op op = trial.plan("op", scope -> planner.plan(device, scope, xs));
            trial.ready();
            fill(trial, xs);
            op.forward();
            results.put("y", trial.read(op.output()));
            for (String state : states(trial)) results.put(state, trial.readState(state));
            if (mode == PlanContext.Mode.EVALUATE) return results;
            trial.writeGrad(
                    op.output(), Draws.normal(seed + 1000, op.output().shape().elements()));
            op.backward();
            for (int i = 0; i < xs.size(); i++) results.put("dx" + i, trial.readGrad(xs.get(i)));
            for (String name : parameters(trial)) results.put("d " + name, trial.readGrad(name));
        }
        return results;
    }

    private void fill(OpTrial trial, List<Tensor> xs) {
        for (int i = 0; i < xs.size(); i++) {
            trial.write(xs.get(i), Draws.normal(seed + i, xs.get(i).shape().elements()));
        }
        int at = 100;
        for (String name : parameters(trial)) {
            trial.write(
                    name,
                    Draws.normal(seed + at++, trial.parameter(name).shape().elements()));
        }
        for (String name : states(trial)) {
            float[] values = Draws.normal(seed + at++, trial.stateLength(name));
            if (name.endsWith("var")) for (int i = 0; i < values.length; i++) values[i] = 0.5f + values[i] * values[i];
            trial.writeState(name, values);
        }
    }

    private static List<String> parameters(OpTrial trial) {
        return trial.parameterNames().stream().filter(n -> n.startsWith("op.")).toList();
    }

    private static List<String> states(OpTrial trial) {
        return trial.stateNames();
    }
}
