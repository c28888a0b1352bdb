package io.basin.device;

import io.basin.Api;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * Arithmetic over whole arenas. Each call plans; the work that it returns runs without allocating or waiting, is recorded like any
 * other, and refuses to run on memory that is closed.
 */
@Api
public abstract class Arenas {
    private static final Arena[] STEPPED = {Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE};

    private final Guard guard;
    private final BiConsumer<Reach, String> require;

    /** @param require refuses work, by its name, on memory that is closed */
    protected Arenas(Guard device, BiConsumer<Reach, String> require) {
        guard = device;
        this.require = require;
    }

    /**
     * The fused update of everything in {@code storage}, driven by the tables in {@code control}. Once a loss was not finite
     * neither this nor {@link #stepCurvePoint} changes anything.
     */
    public final Runnable step(Optimizer optimizer, ParameterStore storage, RunState control) {
        Supplier<Runnable> plan = optimizer instanceof Sgd sgd
                ? () -> planStep(sgd, storage, control)
                : () -> planStep((UpdateRule) optimizer, storage, control);
        return turns("step", stepped(storage, control), plan);
    }

    /** to = sum of c_j points_j in one pass; a point whose c_j is 0 takes no part, whatever it holds. */
    public final Runnable weightedSum(List<Memory> points, Coefficients c, Memory to) {
        if (points.size() != c.points()) {
            throw new IllegalArgumentException(c.points() + " coefficients for " + points.size() + " points");
        }
        Reach reach = new Reach().add("the table of coefficients", c.memory()).add("the combination's memory", to);
        for (Memory point : points) {
            if (point.bytes() != to.bytes()) throw new IllegalArgumentException("points and result differ in size");
            reach.add("a point's memory", point);
        }
        if (c.control() != null) reach.add("the control block", c.control().memory());
        return turns("combine", reach, () -> planSum(points, c, to));
    }

    /**
     * The update of control point j of a curve, after the gradients at w(t) = PARAMS: v = mu v + c_j (g + wd w); p -= lr[t] v,
     * with p and v the point's own arenas, and Nesterov and the split as in {@link #step}.
     */
    public final Runnable stepCurvePoint(
            Sgd spec, ParameterStore storage, Memory point, Memory momentum, Coefficients c, int j, RunState control) {
        if (j < 0 || j >= c.points()) throw new IllegalArgumentException("no point " + j + " among " + c.points());
        if (point.bytes() != storage.paramBytes() || momentum.bytes() != storage.paramBytes()) {
            throw new IllegalArgumentException("the point, its momentum and the parameters differ in size");
        }
        Reach reach = stepped(storage, control)
                .add("the point's memory", point)
                .add("the momentum's memory", momentum)
                .add("the table of coefficients", c.memory());
        return turns("bend", reach, () -> planCurvePoint(spec, storage, point, momentum, c, j, control));
    }

    /** Advances the step counter: apart from the update, so that all of it reads the same step. */
    public final Runnable advance(RunState control) {
        return turns("tick", new Reach().add("the control block", control.memory()), () -> planAdvance(control));
    }

    /** Sums of predictions, nothing added yet. */
    public abstract PredictionSum predictionSum(int samples, int classes);

    protected abstract Runnable planStep(Sgd spec, ParameterStore storage, RunState control);

    protected abstract Runnable planStep(UpdateRule rule, ParameterStore storage, RunState control);

    protected abstract Runnable planSum(List<Memory> points, Coefficients c, Memory to);

    protected abstract Runnable planCurvePoint(
            Sgd spec, ParameterStore storage, Memory point, Memory momentum, Coefficients c, int j, RunState control);

    protected abstract Runnable planAdvance(RunState control);

    private static Reach stepped(ParameterStore storage, RunState control) {
        Reach reach = new Reach().add("the control block", control.memory());
        for (Arena arena : STEPPED) reach.add("the memory of " + arena, storage.memory(arena));
        return reach;
    }

    private Runnable turns(String name, Reach reach, Supplier<Runnable> plan) {
        Runnable work = guard.get(plan);
        Runnable checked = () -> {
            require.accept(reach, name);
            work.run();
        };
        return () -> guard.run(checked);
    }
}
