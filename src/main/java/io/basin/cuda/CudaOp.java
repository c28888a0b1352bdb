package io.basin.cuda;

import io.basin.device.Arena;
import io.basin.device.Binding;
import io.basin.device.DeviceException;
import io.basin.device.Guard;
import io.basin.device.Op;
import io.basin.device.Parameter;
import io.basin.device.Reach;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * An operation as two flat lists of calls, built while planning; binding only sets addresses; running allocates nothing.
 *
 * <p>The vendor's libraries load code and allocate when a function is first called, which a capture forbids. So a training plan
 * calls each of theirs once when it is first bound, on arenas that are still zero; our own kernels, which alone write what a run
 * is made of (weights, statistics, counters), are left out.
 */
class CudaOp implements Op {
    final CudaDevice device;
    final Scope scope;
    /** Descriptors and whatever else lives as long as the operation. */
    final Undo undo = new Undo();

    final Reach reach = new Reach();
    private final Guard guard;
    private final String name;
    private final List<Runnable> forward = new ArrayList<>();
    private final List<Runnable> backward = new ArrayList<>();
    // Kept, so that a step allocates nothing.
    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable forwardTurn = () -> run(forward, "forward");

    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable backwardTurn = () -> run(backward, "backward");

    private final List<Runnable> vendor = new ArrayList<>();
    private final List<Place> places = new ArrayList<>();
    private final List<Launch> launches = new ArrayList<>();
    private final List<Consumer<Binding>> bound = new ArrayList<>();
    private final StringBuilder shapes = new StringBuilder();
    private final boolean training;
    private Tensor output;
    private boolean warm;

    CudaOp(CudaDevice device, Scope scope, Tensor... inputs) {
        this.device = device;
        this.scope = scope;
        name = scope.path();
        guard = device.guard().of(name);
        training = scope.training();
        for (Tensor x : inputs) if (x != null) describe(x.shape().toString());
    }

    /** Adds to what error messages say about the operation. */
    final void describe(String shape) {
        shapes.append(shapes.isEmpty() ? "" : ", ").append(shape);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Tensor output() {
        return output;
    }

    /** Declares the output, with its gradient where one is wanted. */
    Tensor output(Shape shape) {
        if (shape.elements() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    name + ": " + shape + " has more than 2^31 elements: try a smaller" + " --batch-size");
        }
        CudaLayout layout = CudaLayout.of(shape);
        return output(new Tensor(name, shape, layout, scope.value(layout.bytes()), scope.gradient(layout.bytes())));
    }

    Tensor output(Tensor tensor) {
        output = tensor;
        describe("to " + tensor.shape());
        return tensor;
    }

    Place place(Slot slot, Arena arena) {
        Place place = new Place(slot, arena);
        places.add(place);
        return place;
    }

    Place place(Slot slot) {
        return place(slot, slot.arena());
    }

    Place value(Tensor t) {
        return place(t.value());
    }

    Place grad(Tensor t) {
        return place(t.grad());
    }

    Place weight(Parameter p) {
        return place(p.slot());
    }

    Place weightGrad(Parameter p) {
        return place(p.slot(), Arena.GRADS);
    }

    /** Gives a sum's gradient to one of its terms, as another name for the same bytes. */
    static void passOn(Tensor term, Place dy) {
        if (term.grad() != null) term.grad().becomes(dy.slot());
    }

    /** A kernel in blocks of 256 threads, {@code items} threads in all or as many as fill the device. */
    Launch kernel(String file, String kernel, long items) {
        return launch(file, kernel).shape(device.kernels().blocks(items, 256), 1, 256, 1);
    }

    Launch launch(String file, String kernel) {
        return add(new Launch(device.context(), device.kernels().get(file, kernel), kernel));
    }

    Launch add(Launch launch) {
        launches.add(launch);
        return launch;
    }

    void forward(Runnable work) {
        forward.add(work);
    }

    void backward(Runnable work) {
        backward.add(work);
    }

    /** A call of a library that computes values and gradients only, and none of what is carried from step to step. */
    Runnable vendor(Runnable call) {
        vendor.add(call);
        return call;
    }

    /** Asks to be told, at binding, where things lie. */
    void onBind(Consumer<Binding> action) {
        bound.add(action);
    }

    @Override
    public void bind(Binding binding) {
        guard.run(() -> locate(binding));
    }

    private void locate(Binding binding) {
        binding.into(reach);
        for (Place place : places) place.bind(binding);
        for (Launch launch : launches) launch.bind();
        bound.forEach(action -> action.accept(binding));
        if (training && !warm) run(vendor, "first run");
        warm = true;
    }

    @Override
    public void forward() {
        guard.run(forwardTurn);
    }

    @Override
    public void backward() {
        guard.run(backwardTurn);
    }

    private void run(List<Runnable> work, String direction) {
        device.require(reach, name);
        try {
            for (int i = 0; i < work.size(); i++) work.get(i).run();
        } catch (DeviceException e) {
            throw named(direction, e);
        }
    }

    /** Runs what is neither forward nor backward. */
    void run(Runnable work, String what) {
        guard.run(() -> run(List.of(work), what));
    }

    private DeviceException named(String what, DeviceException e) {
        return new DeviceException(name + ": " + what + " failed: " + e.getMessage() + "; " + shapes, e);
    }

    @Override
    public void close() {
        guard.close(undo::close);
    }
}
