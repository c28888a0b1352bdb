package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

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
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.javacpp.Pointer;

/**
 * An operation as two flat lists of calls. Everything that a call needs (primitive, memory objects, argument map) is
 * built while planning; binding only sets addresses; running allocates nothing, neither Java objects nor native memory.
 */
class CpuOp implements Op {
    /** A memory object together with where its bytes will lie. */
    record Arg(memory memory, memory.desc desc, Slot slot, Arena arena) {}

    /** Turns an address into a pointer that frees nothing. */
    private static final class Address extends Pointer {
        Address(long value) {
            address = value;
        }
    }

    final Dnnl dnnl;
    final Scope scope;
    final Reach reach = new Reach();
    private final String name;
    private final Guard guard;
    private final List<Runnable> forward = new ArrayList<>();
    private final List<Runnable> backward = new ArrayList<>();
    // Kept, so that a step allocates nothing.
    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable forwardTurn = () -> run(forward, "forward");

    @SuppressWarnings("UnnecessaryLambda")
    private final Runnable backwardTurn = () -> run(backward, "backward");

    private final List<Arg> args = new ArrayList<>();
    private final List<Consumer<Binding>> bound = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private Tensor output;

    CpuOp(Dnnl dnnl, Scope scope) {
        this.dnnl = dnnl;
        this.scope = scope;
        name = scope.path();
        guard = dnnl.guard.of(name);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Tensor output() {
        return output;
    }

    /** Declares the output in the given layout, with its gradient where one is wanted. */
    Tensor output(Shape shape, memory.desc desc) {
        CpuLayout layout = new CpuLayout(desc);
        output = new Tensor(name, shape, layout, scope.value(layout.bytes()), scope.gradient(layout.bytes()));
        return output;
    }

    void output(Tensor tensor) {
        output = tensor;
    }

    Arg arg(memory.desc desc, Slot slot) {
        return arg(desc, slot, slot.arena());
    }

    Arg arg(memory.desc desc, Slot slot, Arena arena) {
        Arg arg = new Arg(new memory(desc, dnnl.engine, new Address(0)), desc, slot, arena);
        args.add(arg);
        return arg;
    }

    Arg value(Tensor t) {
        return arg(CpuLayout.of(t.layout()), t.value());
    }

    Arg grad(Tensor t) {
        return arg(CpuLayout.of(t.layout()), t.grad());
    }

    /** A parameter in its own layout. */
    Arg weight(Parameter p) {
        return arg(CpuLayout.of(p.layout()), p.slot());
    }

    Arg weightGrad(Parameter p) {
        return arg(CpuLayout.of(p.layout()), p.slot(), Arena.GRADS);
    }

    /** {@code x} as this operation wants it: where the layouts differ, forward begins with a reorder. */
    Arg input(Tensor x, memory.desc wanted) {
        if (CpuLayout.of(x.layout()).equals(wanted)) return value(x);
        Arg copy = arg(wanted, scope.kept(wanted.get_size()));
        forward(reorder(value(x), copy));
        return copy;
    }

    /** Where backward may write {@code x}'s gradient in the layout it produces; {@link #deliver} passes it on. */
    Arg inputGrad(Tensor x, memory.desc produced) {
        if (CpuLayout.of(x.layout()).equals(produced)) return grad(x);
        return arg(produced, scope.inBackward(produced.get_size()));
    }

    /** Ends backward with a reorder where {@link #inputGrad} gave a place of its own. */
    void deliver(Tensor x, Arg produced) {
        if (produced.slot() != x.grad()) backward(reorder(produced, grad(x)));
    }

    /**
     * Where backward may write a parameter's gradient in the layout it produces; {@link #deliver(Parameter, Arg)} puts it
     * into the parameter's own, which differs where an earlier plan of the model chose it.
     */
    Arg weightGrad(Parameter p, memory.desc produced) {
        if (CpuLayout.of(p.layout()).equals(produced)) return weightGrad(p);
        return arg(produced, scope.inBackward(produced.get_size()));
    }

    void deliver(Parameter p, Arg produced) {
        if (produced.arena() != Arena.GRADS) backward(reorder(produced, weightGrad(p)));
    }

    /** Gives a sum's gradient to one of its terms: another name where layouts agree, else a reorder. */
    void passOn(Tensor term, Arg dy) {
        if (CpuLayout.of(term.layout()).equals(dy.desc())) {
            term.grad().becomes(dy.slot());
        } else {
            backward(reorder(dy, grad(term)));
        }
    }

    /** A parameter as forward wants it. */
    Arg weightInForward(Parameter p, memory.desc wanted) {
        Arg own = weight(p);
        if (own.desc().equals(wanted)) return own;
        Arg copy = arg(wanted, scope.inForward(wanted.get_size()));
        forward(reorder(own, copy));
        return copy;
    }

    /** A parameter as backward wants it. */
    Arg weightInBackward(Parameter p, memory.desc wanted) {
        Arg own = weight(p);
        if (own.desc().equals(wanted)) return own;
        Arg copy = arg(wanted, scope.inBackward(wanted.get_size()));
        backward(reorder(own, copy));
        return copy;
    }

    /** A call of {@code primitive} with its workspace. */
    Call call(primitive primitive, primitive_desc_base pd) {
        Dnnl.check(name, pd);
        Call call = new Call(dnnl.stream, primitive).with(DNNL_ARG_SCRATCHPAD, scratch(pd));
        calls.add(call);
        return call;
    }

    private Arg scratch(primitive_desc_base pd) {
        memory.desc desc = pd.scratchpad_desc();
        return arg(desc, scope.scratch(Math.max(1, desc.get_size())));
    }

    Call reorder(Arg from, Arg to) {
        reorder.primitive_desc pd =
                new reorder.primitive_desc(dnnl.engine, from.desc(), dnnl.engine, to.desc(), Dnnl.attributes(), false);
        return call(new reorder(pd), pd).with(DNNL_ARG_FROM, from).with(DNNL_ARG_TO, to);
    }

    void forward(Runnable work) {
        forward.add(work);
    }

    void backward(Runnable work) {
        backward.add(work);
    }

    /** Asks to be told, at binding, where things lie. */
    void onBind(Consumer<Binding> action) {
        bound.add(action);
    }

    @Override
    public void bind(Binding binding) {
        guard.run(() -> place(binding));
    }

    private void place(Binding binding) {
        binding.into(reach);
        for (Arg arg : args) {
            long base = ((CpuMemory) binding.memory(arg.arena())).address();
            arg.memory().set_data_handle(new Address(base + arg.slot().offset()));
        }
        bound.forEach(action -> action.accept(binding));
    }

    /** A memory object made after binding, for work outside the step, {@code skip} bytes into the slot. */
    memory at(Binding binding, memory.desc desc, Slot slot, long skip) {
        long base = ((CpuMemory) binding.memory(slot.arena())).address();
        return new memory(desc, dnnl.engine, new Address(base + slot.offset() + skip));
    }

    static FloatBuffer floats(Binding binding, Slot slot) {
        return ((CpuMemory) binding.memory(slot.arena())).floats(slot.offset(), slot.bytes());
    }

    @Override
    public void forward() {
        guard.run(forwardTurn);
    }

    @Override
    public void backward() {
        guard.run(backwardTurn);
    }

    /** Does {@code work} once it is known that everything which it reads and writes is still there. */
    final void turn(Runnable work) {
        guard.run(() -> {
            reach.requireOpen(name);
            work.run();
        });
    }

    private void run(List<Runnable> work, String direction) {
        reach.requireOpen(name);
        try {
            for (int i = 0; i < work.size(); i++) work.get(i).run();
        } catch (RuntimeException e) {
            throw new DeviceException(name + ": " + direction + " failed: " + e.getMessage(), e);
        }
    }

    @Override
    public final void close() {
        guard.close(this::release);
    }

    void release() {
        calls.forEach(Call::close);
        args.forEach(a -> a.memory().close());
        calls.clear();
        args.clear();
    }
}
