package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Arena;
import io.basin.device.Binding;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RecordedOp;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import io.basin.io.OnFailure;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * An operation whose calls are kernels of ours and of the vendor's libraries.
 *
 * <p>The vendor's libraries load code and allocate when a function is first called, which a capture forbids. So a training plan
 * calls each of theirs once when it is first bound, on arenas that are still zero; our own kernels, which alone write a run's
 * state (weights, statistics, counters), are left out.
 */
class CudaOp extends RecordedOp {
    final CudaDevice device;
    /** Descriptors and everything else that lives as long as the operation. */
    final Closer undo = new Closer();

    private final List<Runnable> vendor = new ArrayList<>();
    private final List<KernelArg> places = new ArrayList<>();
    final List<Launch> launches = new ArrayList<>();
    private final boolean training;
    /** Whether values and their gradients are bfloat16. */
    final boolean narrow;

    private boolean warm;

    CudaOp(CudaDevice device, PlanContext scope, @Nullable Tensor... inputs) {
        super(scope, device.guard(), device::require);
        this.device = device;
        training = scope.training();
        narrow = scope.precision() == Precision.BF16;
        for (Tensor x : inputs) if (x != null) describe(x.shape().toString());
        onBind(this::locate);
    }

    /** Plans work that makes descriptors: they are destroyed where it fails half-way. */
    final void planned(Runnable plan) {
        OnFailure.close(this, op -> plan.run());
    }

    /** Declares the output, with its gradient where one is wanted. */
    Tensor output(Shape shape) {
        if (shape.elements() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    name() + ": " + shape + " has more than 2^31 elements: try a smaller" + " `batch`");
        }
        describe("to " + shape);
        return output(shape, CudaLayout.of(shape, narrow));
    }

    KernelArg place(Slot slot, Arena arena) {
        KernelArg place = new KernelArg(slot, arena);
        places.add(place);
        return place;
    }

    KernelArg place(Slot slot) {
        return place(slot, slot.arena());
    }

    /** To be read as it is, with its bias: see {@link CudaConv.Bias}. */
    KernelArg value(Tensor t) {
        device.biases.remove(t.value());
        return place(t.value());
    }

    KernelArg grad(Tensor t) {
        return place(Objects.requireNonNull(t.grad()));
    }

    KernelArg weight(Parameter p) {
        return place(p.slot());
    }

    /**
     * Weights as products take them. In bfloat16 a copy: in training the one that updates write beside the weights, else one
     * that each pass makes.
     */
    KernelArg operand(Parameter p) {
        if (!narrow) return weight(p);
        if (!training) {
            KernelArg copy = place(scope.inForward(p.slot().bytes() / 2));
            int elements = elements(p);
            forward(kernel("pointwise.cu", "narrow", (elements + 3) / 4).args(copy, weight(p), elements));
            return copy;
        }
        scope.copiesWeights();
        onBind(b -> device.follow(b.memory(Arena.PARAMS), b.memory(Arena.COPY)));
        return place(p.slot(), Arena.COPY);
    }

    static int elements(Parameter p) {
        return Math.toIntExact(p.shape().elements());
    }

    KernelArg weightGrad(Parameter p) {
        return place(p.slot(), Arena.GRADS);
    }

    /** Gives a sum's gradient to one of its terms, as another name for the same bytes. */
    static void passOn(Tensor term, KernelArg dy) {
        if (term.grad() != null) term.grad().becomes(dy.slot());
    }

    /** A kernel in {@code items} threads or as many as fill the device. */
    Launch kernel(String file, String kernel, long items) {
        return add(device.kernels.launch(file, kernel, items));
    }

    /** A kernel over values, or its twin for bfloat16, with a thread for each 16 bytes of {@code t}. */
    Launch packs(String file, String kernel, Tensor t) {
        return kernel(file, typed(kernel), packs(t));
    }

    /** The same count as a number; no int, which the rounding would overflow at the largest sizes. */
    long packs(Tensor t) {
        int wide = narrow ? 8 : 4;
        return (t.shape().elements() + wide - 1) / wide;
    }

    String typed(String kernel) {
        return narrow ? kernel + "Bf16" : kernel;
    }

    Launch launch(String file, String kernel) {
        return add(device.kernels.launch(file, kernel));
    }

    Launch add(Launch launch) {
        launches.add(launch);
        return launch;
    }

    /** A call of a library that computes values and gradients only, and no state that steps hand on. */
    Runnable vendor(Runnable call) {
        vendor.add(call);
        return call;
    }

    private void locate(Binding binding) {
        places.forEach(place -> place.bind(binding));
        launches.forEach(Launch::bind);
        if (training && !warm) run(vendor, "first run");
        warm = true;
    }

    @Override
    protected final void release() {
        undo.close();
    }
}
