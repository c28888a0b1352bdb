package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import io.basin.device.Arena;
import io.basin.device.Binding;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Reach;
import io.basin.device.RecordedOp;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc;
import org.bytedeco.dnnl.primitive_desc_base;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/** An operation of oneDNN's primitives and plain Java; native memory is allocated while planning only. */
class CpuOp extends RecordedOp {
    /** A memory object together with where its bytes will lie. */
    record Arg(memory memory, memory.desc desc, Slot slot, Arena arena) {}

    /** A primitive with its arguments, ready to run any number of times. */
    static final class Call implements Runnable {
        private final stream stream;
        private final primitive primitive;
        private final IntMemoryMap arguments = new IntMemoryMap();

        Call(stream stream, primitive primitive) {
            this.stream = stream;
            this.primitive = primitive;
        }

        Call with(int argument, memory memory) {
            arguments.put(argument, memory);
            return this;
        }

        Call with(int argument, Arg arg) {
            return with(argument, arg.memory());
        }

        Call with(int first, Arg a, int second, Arg b, int third, Arg c) {
            return with(first, a).with(second, b).with(third, c);
        }

        @Override
        public void run() {
            primitive.execute(stream, arguments);
        }

        void close() {
            arguments.close();
            primitive.close();
        }
    }

    /** Turns an address into a pointer that frees nothing. */
    private static final class DevicePointer extends Pointer {
        DevicePointer(long value) {
            address = value;
        }
    }

    final Dnnl dnnl;
    private final List<Arg> args = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();

    CpuOp(Dnnl dnnl, PlanContext scope) {
        super(scope, dnnl.guard, Reach::requireOpen);
        this.dnnl = dnnl;
        onBind(this::place);
    }

    /** Declares the output in the given layout, with its gradient where one is wanted. */
    Tensor output(Shape shape, memory.desc desc) {
        return output(shape, new CpuLayout(desc));
    }

    Arg arg(memory.desc desc, Slot slot) {
        return arg(desc, slot, slot.arena());
    }

    Arg arg(memory.desc desc, Slot slot, Arena arena) {
        Arg arg = new Arg(new memory(desc, dnnl.engine, new DevicePointer(0)), desc, slot, arena);
        args.add(arg);
        return arg;
    }

    Arg value(Tensor t) {
        return arg(CpuLayout.of(t.layout()), t.value());
    }

    Arg grad(Tensor t) {
        return arg(CpuLayout.of(t.layout()), Objects.requireNonNull(t.grad()));
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

    /** Memory for {@code x}'s gradient in the layout that backward produces; {@link #deliver} passes it on. */
    Arg inputGrad(Tensor x, memory.desc produced) {
        if (CpuLayout.of(x.layout()).equals(produced)) return grad(x);
        return arg(produced, scope.inBackward(produced.get_size()));
    }

    /** Ends backward with a reorder where {@link #inputGrad} gave a place of its own. */
    void deliver(Tensor x, Arg produced) {
        if (produced.slot() != x.grad()) backward(reorder(produced, grad(x)));
    }

    /** Gives a sum's gradient to one of its terms: another name where layouts agree, else a reorder. */
    void passOn(Tensor term, Arg dy) {
        if (CpuLayout.of(term.layout()).equals(dy.desc())) {
            Objects.requireNonNull(term.grad()).becomes(dy.slot());
        } else {
            backward(reorder(dy, grad(term)));
        }
    }

    /** A call of a primitive with its workspace. */
    Call call(primitive_desc pd) {
        return call(new primitive(pd), pd);
    }

    private Call call(primitive primitive, primitive_desc_base pd) {
        Dnnl.check(name(), pd);
        memory.desc scratch = pd.scratchpad_desc();
        Call call = new Call(dnnl.stream, primitive)
                .with(DNNL_ARG_SCRATCHPAD, arg(scratch, scope.scratch(Math.max(1, scratch.get_size()))));
        calls.add(call);
        return call;
    }

    Call reorder(Arg from, Arg to) {
        reorder.primitive_desc pd =
                new reorder.primitive_desc(dnnl.engine, from.desc(), dnnl.engine, to.desc(), Dnnl.attributes(), false);
        return call(new reorder(pd), pd).with(DNNL_ARG_FROM, from).with(DNNL_ARG_TO, to);
    }

    private void place(Binding binding) {
        for (Arg arg : args) {
            long base = CpuMemory.address(binding.memory(arg.arena()));
            arg.memory().set_data_handle(new DevicePointer(base + arg.slot().offset()));
        }
    }

    /** A memory object made after binding, for work outside the step, {@code skip} bytes into the slot. */
    memory at(Binding binding, memory.desc desc, Slot slot, long skip) {
        long base = CpuMemory.address(binding.memory(slot.arena()));
        return new memory(desc, dnnl.engine, new DevicePointer(base + slot.offset() + skip));
    }

    @Override
    protected void release() {
        calls.forEach(Call::close);
        args.forEach(a -> a.memory().close());
        calls.clear();
        args.clear();
    }
}
