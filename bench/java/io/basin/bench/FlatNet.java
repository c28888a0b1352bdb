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
import io.basin.device.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** One weight array as long as {@link TorchStep}'s with all that training keeps beside it, filled, and no net. */
final class FlatNet implements AutoCloseable {
    private record Plain(long bytes) implements Layout {}

    final Device device;
    final ParameterStore storage = new ParameterStore(true);

    FlatNet() {
        this("cpu", TorchStep.PARAMETERS);
    }

    FlatNet(String on, int parameters) {
        device = Devices.open(on, Nets.threads());
        PlanContext scope = new PlanContext(storage, PlanContext.Mode.TRAIN, Precision.FP32, 1);
        Layout layout = new Plain(4L * parameters);
        Layer.Param weight = new Layer.Param("weight", Shape.of(parameters), Initializer.constant(1), false);
        scope.at(0, "flat").parameter(weight, layout);
        storage.allocate(device, true);
        for (Arena arena : new Arena[] {Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE}) {
            fill(storage.memory(arena), arena.ordinal());
        }
    }

    /** An array more of that length. */
    Memory array(int seed) {
        Memory memory = device.allocate(storage.paramBytes());
        fill(memory, seed);
        return memory;
    }

    /** With ordinary numbers: zeros and denormals have another speed. */
    private void fill(Memory memory, int seed) {
        float[] values = new float[1 << 20];
        for (int i = 0; i < values.length; i++) values[i] = (float) Math.sin(i + seed);
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        for (long at = 0; at < memory.bytes(); at += bytes.capacity()) {
            bytes.clear().limit((int) Math.min(bytes.capacity(), memory.bytes() - at));
            device.upload(memory, at, bytes);
        }
    }

    @Override
    public void close() {
        storage.close();
        device.close();
    }
}
