package io.basin.bench;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import java.util.concurrent.TimeUnit;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What the processor gives: one large float32 matrix product, on all threads. No net of the comparison can be faster than this. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Peak {
    static final int SIZE = 2048;

    private stream stream;
    private matmul product;
    private final IntMemoryMap arguments = new IntMemoryMap();

    @Setup
    public void prepare() {
        engine engine = new engine(org.bytedeco.dnnl.engine.kind.cpu, 0);
        stream = new stream(engine);
        memory.desc any = new memory.desc(new long[] {SIZE, SIZE}, memory.data_type.f32, memory.format_tag.any);
        matmul.primitive_desc pd = new matmul.primitive_desc(engine, any, any, any);
        arguments.put(DNNL_ARG_SRC, filled(pd.src_desc(), engine));
        arguments.put(DNNL_ARG_WEIGHTS, filled(pd.weights_desc(), engine));
        arguments.put(DNNL_ARG_DST, filled(pd.dst_desc(), engine));
        product = new matmul(pd);
    }

    private static memory filled(memory.desc desc, engine engine) {
        memory m = new memory(desc, engine);
        FloatPointer values = new FloatPointer(m.get_data_handle());
        for (long i = 0; i < desc.get_size() / 4; i++) values.put(i, 0.5f);
        return m;
    }

    @Benchmark
    public void product() {
        product.execute(stream, arguments);
        stream._wait();
    }
}
