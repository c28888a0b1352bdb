package io.basin.device;

import java.nio.FloatBuffer;

/**
 * A trained tensor: one slot that counts in PARAMS, GRADS, MOMENTUM and AVERAGE alike.
 *
 * @param name as PyTorch names it, such as {@code layer1.0.conv1.weight}
 * @param shape in PyTorch's order: (out, in, kh, kw), (out, in) or (channels)
 * @param decayed whether weight decay applies to it
 */
public record Parameter(String name, Shape shape, Layout layout, boolean decayed, Initializer initializer, Slot slot) {
    /** Its elements in {@code arena}, one of the parameters' size, in PyTorch's order; waits. */
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
