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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Models and runs as safetensors files: tensors under PyTorch's names in PyTorch's order, so that other programs read them and
 * the layout of the day stays out of files. Float32 in, float32 out: a round trip keeps every bit.
 *
 * <p>What is not finite is neither written nor read: a run that diverged leaves the file that it could go on from.
 */
public final class Checkpoint {
    private static final String MOMENTUM = "momentum.";
    private static final String AVERAGE = "average.";
    private static final String VARIANCE = "running_var";

    private Checkpoint() {}

    /**
     * Writes one model: weights and batch-norm statistics.
     *
     * @throws IllegalStateException where the statistics of an average were never measured
     */
    public static void saveModel(
            Path file, Device device, Storage storage, Weights model, Map<String, String> metadata) {
        requireMeasured(file, device, storage, model);
        SafetensorsWriter writer = Safetensors.writer().metadata(metadata);
        addModel(writer, device, storage, model);
        writer.write(file);
    }

    /** The state of an average is 0 until its statistics are measured: no batch has variance 0 in every channel. */
    private static void requireMeasured(Path file, Device device, Storage storage, Weights model) {
        List<Storage.State> variances = storage.states().stream()
                .filter(s -> s.name().endsWith(VARIANCE))
                .toList();
        for (Storage.State s : variances) {
            for (float v : state(device, s, model)) if (v != 0) return;
        }
        if (variances.isEmpty()) return;
        throw new IllegalStateException("the batch-norm statistics of the model for " + file
                + " were never measured, running_var is 0: call Evaluator.refresh before it is saved");
    }

    private static float[] state(Device device, Storage.State s, Weights model) {
        float[] values = new float[Math.toIntExact(s.shape().elements())];
        device.unpack(model.state(), s.slot().offset(), null, FloatBuffer.wrap(values));
        return values;
    }

    /** In one turn: another thread may train the model, and a file holds one step's weights. */
    private static void addModel(SafetensorsWriter writer, Device device, Storage storage, Weights model) {
        device.guard().run(() -> addAll(writer, device, storage, model));
    }

    private static void addAll(SafetensorsWriter writer, Device device, Storage storage, Weights model) {
        for (Parameter p : storage.parameters()) add(writer, device, "", p, model.params());
        for (Storage.State s : storage.states()) {
            writer.add(s.name(), s.shape().toLongs(), requireFinite(s.name(), state(device, s, model)));
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

    /**
     * Reads one model by names.
     *
     * @throws FormatException naming the file and the tensor where one is missing, has another shape or is not finite, or where
     *     the file holds weights that the net has not
     */
    public static Map<String, String> loadModel(Path file, Device device, Storage storage, Weights model) {
        return loadModel(file, device, storage, model, false);
    }

    /** The same; {@code part} where the file may hold more than this net. */
    public static Map<String, String> loadModel(
            Path file, Device device, Storage storage, Weights model, boolean part) {
        try (Safetensors in = Safetensors.open(file)) {
            if (!part) Tensors.requireNoOthers(file, in, names(storage));
            readModel(file, in, device, storage, model);
            return in.metadata();
        }
    }

    /** Names of the tensors of a net's weights file. */
    public static Set<String> names(Storage storage) {
        Set<String> names = new HashSet<>();
        for (Parameter p : storage.parameters()) names.add(p.name());
        for (Storage.State s : storage.states()) names.add(s.name());
        return names;
    }

    private static void readModel(Path file, Safetensors in, Device device, Storage storage, Weights model) {
        device.guard().run(() -> readAll(file, in, device, storage, model));
    }

    private static void readAll(Path file, Safetensors in, Device device, Storage storage, Weights model) {
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
        return Tensors.weights(file, in, name);
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

    /** Whether a file with this header holds the state of a training, of a net's or of a curve's, and not a model. */
    public static boolean isState(Map<String, String> header) {
        return header.keySet().containsAll(List.of("step", "loss", "hits", "seen"));
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
        device.guard().run(() -> storage.parameters().forEach(p -> add(writer, device, prefix, p, memory)));
    }

    /** Reads what {@link #addArena} added. */
    public static void readArena(
            Path file, Safetensors in, Device device, Storage storage, String prefix, Memory memory) {
        device.guard().run(() -> storage.parameters().forEach(p -> read(file, in, device, prefix, p, memory)));
    }

    /** A count in the header of a run's file; 0 if it has none of that name. */
    static int count(Path file, Map<String, String> metadata, String key) {
        try {
            return Integer.parseInt(metadata.getOrDefault(key, "0"));
        } catch (NumberFormatException e) {
            throw new FormatException(file.toString(), "its '" + key + "' is not a number: " + e.getMessage(), e);
        }
    }

    private static String required(Path file, Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null)
            throw new FormatException(file.toString(), "has no '" + key + "': it is no checkpoint of a run");
        return value;
    }
}
