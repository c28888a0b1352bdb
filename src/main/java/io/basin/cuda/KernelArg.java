package io.basin.cuda;

import io.basin.device.Arena;
import io.basin.device.Binding;
import io.basin.device.Slot;

/** An argument of a call: a slot of an arena, whose address is known once the operation is bound. */
@SuppressWarnings("NullAway.Init") // Binding sets the addresses.
final class KernelArg {
    private final Slot slot;
    private final Arena arena;
    private DevicePointer address;

    KernelArg(Slot slot, Arena arena) {
        this.slot = slot;
        this.arena = arena;
    }

    Slot slot() {
        return slot;
    }

    void bind(Binding binding) {
        int part = arena == Arena.COPY || arena == Arena.NARROW_GRADS ? 2 : 1;
        address = CudaMemory.at(binding.memory(arena), slot.offset() / part, slot.bytes() / part);
    }

    DevicePointer address() {
        return address;
    }
}
