package io.basin.train;

import io.basin.device.Arena;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Map;

/**
 * Models and runs as safetensors files: tensors under PyTorch's names in PyTorch's order, so that other programs read them and
 * the layout of the day stays out of files. Float32 in, float32 out: a round trip keeps every bit.
 *
 * <p>What is not finite is neither written nor read: a run that diverged leaves the file that it could go on from.
 */
public final class Checkpoint {
    private static final String MOMENTUM = "momentum.";
    private static final String AVERAGE = "average.";

    private Checkpoint() {}

    /** Writes one model: weights and batch-norm statistics. */
    public static void saveModel(
            Path file, Device device, Storage storage, Weights model, Map<String, String> metadata) {
        SafetensorsWriter writer = Safetensors.writer().metadata(metadata);
        addModel(writer, device, storage, model);
        writer.write(file);
    }

    private static void addModel(SafetensorsWriter writer, Device device, Storage storage, Weights model) {
        for (Parameter p : storage.parameters()) add(writer, device, "", p, model.params());
        for (Storage.State s : storage.states()) {
            float[] values = new float[Math.toIntExact(s.shape().elements())];
            device.unpack(model.state(), s.slot().offset(), null, FloatBuffer.wrap(values));
            writer.add(s.name(), s.shape().toLongs(), requireFinite(s.name(), values));
        }
    }

    private static void add(SafetensorsWriter writer, Device device, String prefix, Parameter p, Memory memory) {
        float[] values = new float[Math.toIntExact(p.shape().elements())];
        device.unpack(memory, p.slot().offset(), p.layout(), FloatBuffer.wrap(values));
        writer.add(prefix + p.name(), p.shape().toLongs(), requireFinite(prefix + p.name(), values));
    }

    private static float[] requireFinite(String tensor, float[] values) {
        if (!finite(values)) throw new DivergedException("tensor '" + tensor + "' is no longer finite");
        return values;
    }

    private static boolean finite(float[] values) {
        for (float v : values) if (!Float.isFinite(v)) return false;
        return true;
    }

    /** Reads one model by names; a missing tensor or another shape is a {@link FormatException} that names both. */
    public static Map<String, String> loadModel(Path file, Device device, Storage storage, Weights model) {
        try (Safetensors in = Safetensors.open(file)) {
            readModel(file, in, device, storage, model);
            return in.metadata();
        }
    }

    private static void readModel(Path file, Safetensors in, Device device, Storage storage, Weights model) {
        for (Parameter p : storage.parameters()) read(file, in, device, "", p, model.params());
        for (Storage.State s : storage.states()) {
            float[] values = floats(file, in, s.name(), s.shape());
            device.pack(FloatBuffer.wrap(values), null, model.state(), s.slot().offset());
        }
    }

    private static void read(Path file, Safetensors in, Device device, String prefix, Parameter p, Memory memory) {
        float[] values = floats(file, in, prefix + p.name(), p.shape());
        device.pack(FloatBuffer.wrap(values), p.layout(), memory, p.slot().offset());
    }

    private static float[] floats(Path file, Safetensors in, String name, io.basin.device.Shape shape) {
        if (!in.tensors().containsKey(name)) {
            throw new FormatException(file.toString(), "has no tensor '" + name + "'; is it a file of another net?");
        }
        var found = in.tensor(name).shape();
        if (!found.equals(shape.dims().stream().map(Integer::longValue).toList())) {
            throw new FormatException(
                    file.toString(), "tensor '" + name + "' has shape " + found + ", the net needs " + shape);
        }
        float[] values = in.floats(name);
        if (!finite(values)) {
            throw new FormatException(
                    file.toString(), "tensor '" + name + "' is not finite: its run diverged; name another file");
        }
        return values;
    }

    /** Writes everything that the next step depends on. */
    static void saveRun(Path file, Session session, Map<String, String> metadata) {
        Storage storage = session.storage();
        Device device = session.device();
        Control.Totals t = session.totals();
        SafetensorsWriter writer = Safetensors.writer().metadata(metadata);
        writer.metadata("step", Long.toString(t.step()));
        writer.metadata("loss", Double.toString(t.loss()));
        writer.metadata("hits", Long.toString(t.hits()));
        writer.metadata("seen", Long.toString(t.seen()));
        addModel(writer, device, storage, storage.live());
        for (Parameter p : storage.parameters()) {
            add(writer, device, MOMENTUM, p, storage.memory(Arena.MOMENTUM));
            add(writer, device, AVERAGE, p, storage.memory(Arena.AVERAGE));
        }
        writer.write(file);
    }

    /** Restores a run's weights, momentum and average; returns where it stood. */
    static Control.Totals loadRun(Path file, Session session) {
        Storage storage = session.storage();
        Device device = session.device();
        try (Safetensors in = Safetensors.open(file)) {
            readModel(file, in, device, storage, storage.live());
            for (Parameter p : storage.parameters()) {
                read(file, in, device, MOMENTUM, p, storage.memory(Arena.MOMENTUM));
                read(file, in, device, AVERAGE, p, storage.memory(Arena.AVERAGE));
            }
            Map<String, String> m = in.metadata();
            return new Control.Totals(
                    Long.parseLong(required(file, m, "step")),
                    Double.parseDouble(required(file, m, "loss")),
                    Long.parseLong(required(file, m, "hits")),
                    Long.parseLong(required(file, m, "seen")),
                    -1);
        } catch (NumberFormatException e) {
            throw new FormatException(
                    file.toString(), "a count of its run is not a number: it is damaged, delete it to train anew", e);
        }
    }

    /** Takes up another run's weights, statistics and momentum; its counters and its average are left. */
    static void loadStart(Path file, Session session) {
        Storage storage = session.storage();
        try (Safetensors in = Safetensors.open(file)) {
            required(file, in.metadata(), "step");
            readModel(file, in, session.device(), storage, storage.live());
            for (Parameter p : storage.parameters()) {
                read(file, in, session.device(), MOMENTUM, p, storage.memory(Arena.MOMENTUM));
            }
        }
    }

    /** Adds an arena of the parameters' size, its tensors named {@code prefix + name}. */
    public static void addArena(
            SafetensorsWriter writer, Device device, Storage storage, String prefix, Memory memory) {
        for (Parameter p : storage.parameters()) add(writer, device, prefix, p, memory);
    }

    /** Reads what {@link #addArena} added. */
    public static void readArena(
            Path file, Safetensors in, Device device, Storage storage, String prefix, Memory memory) {
        for (Parameter p : storage.parameters()) read(file, in, device, prefix, p, memory);
    }

    private static String required(Path file, Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null)
            throw new FormatException(file.toString(), "has no '" + key + "': it is no checkpoint of a run");
        return value;
    }
}
