package io.basin.landscape;

import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import io.basin.train.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Arenas of one landscape: the nets' weights and directions, all freed together. */
final class Arenas implements AutoCloseable {
    private final Device device;
    private final ParameterStore storage;
    private final List<Memory> owned = new ArrayList<>();

    Arenas(Device device, ParameterStore storage) {
        this.device = device;
        this.storage = storage;
    }

    /** An arena of the parameters' size, zeroed. */
    Memory arena() {
        Memory memory = device.allocate(storage.paramBytes());
        owned.add(memory);
        return memory;
    }

    /** The weights in {@code file}, in an arena of their own. */
    Memory load(Path file) {
        Memory memory = arena();
        load(file, memory);
        return memory;
    }

    void load(Path file, Memory into) {
        Checkpoint.loadModel(
                file, device, storage, new Weights(into, storage.live().state()));
    }

    /** The weights in {@code file} on the host, padding included; passes through the storage's own model. */
    float[] read(Path file) {
        Checkpoint.loadModel(file, device, storage, storage.live());
        return Vectors.read(device, storage.live().params());
    }

    @Override
    public void close() {
        owned.forEach(Memory::close);
        owned.clear();
    }
}
