package io.basin.cpu;

import com.sun.jna.Pointer;
import io.basin.device.Binding;
import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.RunState;
import io.basin.device.Slot;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Host memory at a fixed address, outside the Java heap, where oneDNN and plain Java both reach it. */
record CpuMemory(CpuDevice device, Guard guard, long bytes, long address) implements Memory {
    CpuMemory(CpuDevice device, long bytes, long address) {
        this(device, device.guard().of("memory of the cpu device"), bytes, address);
    }

    static long address(Memory memory) {
        CpuMemory m = (CpuMemory) memory;
        m.guard.requireOpen();
        return m.address;
    }

    /** A view of at most 2 GiB. */
    static ByteBuffer bytes(Memory memory, long offset, long length) {
        if (offset < 0 || length < 0 || offset + length > memory.bytes()) {
            throw new IndexOutOfBoundsException("bytes " + offset + " + " + length + " of " + memory.bytes());
        }
        return new Pointer(address(memory)).getByteBuffer(offset, length).order(ByteOrder.nativeOrder());
    }

    static ByteBuffer bytes(Memory memory) {
        return bytes(memory, 0, memory.bytes());
    }

    static ByteBuffer bytes(Binding binding, Slot slot) {
        return bytes(binding.memory(slot.arena()), slot.offset(), slot.bytes());
    }

    static FloatBuffer floats(Memory memory) {
        return bytes(memory).asFloatBuffer();
    }

    static FloatBuffer floats(Binding binding, Slot slot) {
        return bytes(binding, slot).asFloatBuffer();
    }

    /** A run state's counters, without its tables. */
    static ByteBuffer counters(RunState control) {
        return bytes(control.memory(), 0, RunState.TABLES);
    }

    @Override
    public boolean open() {
        return guard.open();
    }

    @Override
    public void close() {
        guard.close(() -> {
            Pages.free(address);
            device.freed(bytes);
        });
    }
}
