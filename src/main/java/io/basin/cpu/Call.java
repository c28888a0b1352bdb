package io.basin.cpu;

import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;

/** A primitive with its arguments, ready to run any number of times. */
final class Call implements Runnable {
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

    Call with(int argument, CpuOp.Arg arg) {
        return with(argument, arg.memory());
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
