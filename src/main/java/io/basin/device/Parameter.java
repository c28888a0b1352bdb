package io.basin.device;

/**
 * A trained tensor: one slot that counts in PARAMS, GRADS, MOMENTUM and AVERAGE alike.
 *
 * @param name as PyTorch names it, such as {@code layer1.0.conv1.weight}
 * @param shape in PyTorch's order: (out, in, kh, kw), (out, in) or (channels)
 * @param decayed whether weight decay applies to it
 */
public record Parameter(String name, Shape shape, Layout layout, boolean decayed, Initializer initializer, Slot slot) {}
