package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.nio.FloatBuffer;

/**
 * A tensor of a model. Of a trained one the slot counts in PARAMS, GRADS, MOMENTUM and AVERAGE alike; a batch-norm statistic, which
 * is never stepped, lies in STATE and STATE_AVERAGE.
 *
 * @param name as PyTorch names it, such as {@code layer1.0.conv1.weight}
 * @param shape in PyTorch's order: (out, in, kh, kw), (out, in) or (channels)
 * @param layout null for a statistic, whose elements have one order
 * @param decayed whether weight decay applies to it
 */
@Api
public record Parameter(
        String name, Shape shape, @Nullable Layout layout, boolean decayed, Initializer initializer, Slot slot) {
    /** Its elements in {@code arena}, one of those that its slot counts in, in PyTorch's order; waits. */
    public float[] read(Device device, Memory arena) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        device.unpack(arena, slot.offset(), layout, FloatBuffer.wrap(values));
        return values;
    }

    /** Writes its elements into {@code arena}. */
    public void write(Device device, Memory arena, float[] values) {
        device.pack(FloatBuffer.wrap(values), layout, arena, slot.offset());
    }
}
