package io.basin.bench;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Layout;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The fused update of as many parameters as {@link TorchStep} has, averaging at every step: 28 bytes a parameter. */
@State(Scope.Benchmark)
@BenchmarkMode(org.openjdk.jmh.annotations.Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinStep {
    private record Plain(long bytes) implements Layout {}

    @Param("cpu")
    public String on;

    @Param("" + TorchStep.PARAMETERS)
    public int parameters;

    private Device device;
    private ParameterStore storage;
    private RunState control;
    private Runnable step;
    private Pace pace;

    @Setup
    public void prepare() {
        device = Devices.open(on, Nets.threads());
        storage = new ParameterStore(true);
        PlanContext scope = new PlanContext(storage, PlanContext.Mode.TRAIN, Precision.FP32, 1);
        Layout layout = new Plain(4L * parameters);
        Layer.Param weight = new Layer.Param("weight", Shape.of(parameters), Initializer.constant(1), false);
        scope.at(0, "flat").parameter(weight, layout);
        storage.allocate(device, true);
        // Ordinary numbers: zeros and denormals have another speed.
        for (Arena arena : new Arena[] {Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE}) fill(arena);
        double[] lr = {1e-3};
        double[] alpha = {0.01};
        control = new RunState(device, lr, alpha);
        step = device.arenas().step(new Sgd(0.9, 5e-4, false), storage, control);
        pace = new Pace(device, control);
    }

    private void fill(Arena arena) {
        Memory memory = storage.memory(arena);
        float[] values = new float[1 << 20];
        for (int i = 0; i < values.length; i++) values[i] = (float) Math.sin(i + arena.ordinal());
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        for (long at = 0; at < memory.bytes(); at += bytes.capacity()) {
            bytes.clear().limit((int) Math.min(bytes.capacity(), memory.bytes() - at));
            device.upload(memory, at, bytes);
        }
    }

    @Benchmark
    public void step() {
        step.run();
        pace.keep();
    }

    @TearDown
    public void close() {
        control.close();
        storage.close();
        device.close();
    }
}
