package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;

/**
 * A value at one of its uses: where it lies, how it is laid out, and where that use writes its gradient.
 *
 * @param name path of the layer that made it, for messages
 * @param shape logical extents, (N, C, H, W) or (N, C)
 * @param layout the producer's choice; a consumer that wants another embeds its own reorder
 * @param grad null where no gradient is needed: in evaluation, and for the images
 */
@Api
public record Tensor(
        String name,
        Shape shape,
        Layout layout,
        Slot value,
        @Nullable Slot grad) {
    /** The same value for another use, with a gradient of its own. */
    public Tensor branch(@Nullable Slot otherGrad) {
        return new Tensor(name, shape, layout, value, otherGrad);
    }
}
