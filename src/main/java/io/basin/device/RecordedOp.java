package io.basin.device;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * An operation as two flat lists of calls, on any device. Everything that a call needs is built
 * while planning; binding only sets addresses; running allocates nothing.
 */
public class RecordedOp implements Op {
    /** Declares memory while planning. */
    public final PlanContext scope;
    /** Memory beside the plan's arenas that the calls use. */
    public final Reach reach = new Reach();

    private final String name;
    private final Guard guard;
    private final BiConsumer<Reach, String> require;
    private final List<Runnable> forward = new ArrayList<>();
    private final List<Runnable> backward = new ArrayList<>();
    // Kept, so that a step allocates nothing.
    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable forwardTurn = () -> run(forward, "forward");

    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable backwardTurn = () -> run(backward, "backward");

    private final List<Consumer<Binding>> bound = new ArrayList<>();
    private final StringBuilder shapes = new StringBuilder();

    @SuppressWarnings("NullAway.Init") // Planning sets it.
    private Tensor output;

    /**
     * The operation that {@code scope} announced.
     *
     * @param device whose turns the calls take
     * @param require refuses work, by its name, on memory that is closed
     */
    protected RecordedOp(PlanContext scope, Guard device, BiConsumer<Reach, String> require) {
        this.scope = scope;
        this.require = require;
        name = scope.path();
        guard = device.of(name);
    }

    /** Plans in one turn. Vendors' errors say little, so the message adds the layer's name and its inputs. */
    public static <T extends Op> T planned(PlanContext scope, Guard device, Shape input, Supplier<T> plan) {
        try {
            return device.get(plan);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new DeviceException(scope.path() + ": planning failed: " + e.getMessage() + "; " + input, e);
        }
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final Tensor output() {
        return output;
    }

    /** Declares the output, with its gradient where one is wanted. */
    public final Tensor output(Shape shape, Layout layout) {
        long bytes = layout.bytes();
        return output(new Tensor(name, shape, layout, scope.value(bytes), scope.gradient(bytes)));
    }

    /** Declares an output without a gradient. */
    public final Tensor result(Shape shape, Layout layout) {
        return output(new Tensor(name, shape, layout, scope.value(layout.bytes()), null));
    }

    public final Tensor output(Tensor tensor) {
        output = tensor;
        return tensor;
    }

    /** Adds to the operation's description in messages of failures. */
    public final void describe(String shape) {
        shapes.append(shapes.isEmpty() ? "; " : ", ").append(shape);
    }

    public final void forward(Runnable work) {
        forward.add(work);
    }

    public final void backward(Runnable work) {
        backward.add(work);
    }

    /** Takes work back that another operation does instead. */
    public final void withdraw(Runnable work) {
        forward.remove(work);
        backward.remove(work);
    }

    /** Registers a callback for addresses at binding. */
    public final void onBind(Consumer<Binding> action) {
        bound.add(action);
    }

    @Override
    public final void bind(Binding binding) {
        guard.run(() -> {
            binding.into(reach);
            bound.forEach(action -> action.accept(binding));
        });
    }

    @Override
    public final void forward() {
        guard.run(forwardTurn);
    }

    @Override
    public final void backward() {
        guard.run(backwardTurn);
    }

    /** Does work that is neither forward nor backward. */
    protected final void turn(String what, Runnable work) {
        guard.run(() -> run(List.of(work), what));
    }

    /** Does all of {@code work} within a turn. */
    protected final void run(List<Runnable> work, String what) {
        require.accept(reach, name);
        try {
            for (int i = 0; i < work.size(); i++) work.get(i).run();
        } catch (RuntimeException e) {
            throw new DeviceException(name + ": " + what + " failed: " + e.getMessage() + shapes, e);
        }
    }

    /** Frees what planning made; called once. */
    protected void release() {}

    @Override
    public final void close() {
        guard.close(this::release);
    }
}
