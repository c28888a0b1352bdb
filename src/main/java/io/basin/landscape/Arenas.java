package io.basin.landscape;

import io.basin.device.Memory;
import io.basin.device.Weights;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Arenas of one landscape: the nets' weights and directions, all freed together. */
final class Arenas implements AutoCloseable {
    private final Model model;
    private final List<Memory> owned = new ArrayList<>();

    Arenas(Model model) {
        this.model = model;
    }

    /** An arena of the parameters' size, zeroed. */
    Memory arena() {
        Memory memory = model.device().allocate(model.store().paramBytes());
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
        Checkpoint.loadModel(file, model, new Weights(into, model.weights().state()));
    }

    /** The weights in {@code file} on the host, padding included; passes through the model's own weights. */
    float[] read(Path file) {
        return Vectors.read(model.device(), model.load(file).weights().params());
    }

    @Override
    public void close() {
        owned.forEach(Memory::close);
        owned.clear();
    }
}
