package io.basin.train;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Shape;
import io.basin.device.Weights;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.io.Tensors;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Models and runs as safetensors files: tensors under PyTorch's names in PyTorch's order, so that other programs read them and
 * the layout of the day stays out of files. Float32 in, float32 out: a round trip keeps every bit.
 *
 * <p>Numbers that are not finite are neither written nor read: a run that diverged leaves the file that it could go on from.
 */
public final class Checkpoint {
    private static String prefix(Arena a) {
        return a.name().toLowerCase(Locale.ROOT) + ".";
    }

    private Checkpoint() {}

    /** Writes one model: weights and batch-norm statistics. */
    public static void saveModel(Path file, NetMemory net, Weights weights, Map<String, String> metadata) {
        requireMeasured(file, net.device(), net.store(), weights);
        SafetensorsWriter writer = Safetensors.writer().metadata(net.header()).metadata(metadata);
        addModel(writer, net.device(), net.store(), weights);
        writer.write(file);
    }

    /** The state of an average is 0 until its statistics are measured: no batch has variance 0 in every channel. */
    private static void requireMeasured(Path file, Device device, ParameterStore storage, Weights model) {
        List<Parameter> variances = storage.states().stream()
                .filter(s -> s.name().endsWith(Tensors.VARIANCE))
                .toList();
        for (Parameter s : variances) {
            for (float v : s.read(device, model.state())) if (v != 0) return;
        }
        if (variances.isEmpty()) return;
        throw new IllegalStateException("the batch-norm statistics of the model for " + file
                + " were never measured, running_var is 0: call Evaluator.refresh before it is saved");
    }

    /** In one turn: another thread may train the model, and a file holds one step's weights. */
    private static void addModel(SafetensorsWriter writer, Device device, ParameterStore storage, Weights model) {
        device.guard().run(() -> {
            for (Parameter p : storage.parameters()) add(writer, device, "", p, model.params());
            for (Parameter s : storage.states()) add(writer, device, "", s, model.state());
        });
    }

    private static void add(SafetensorsWriter writer, Device device, String prefix, Parameter p, Memory memory) {
        String name = prefix + p.name();
        writer.add(name, p.shape().toLongs(), requireFinite(name, p.read(device, memory)));
    }

    /** @throws DivergedException naming a weight that is not finite, which a ReLU may hide from the loss */
    static void requireFinite(NetMemory net, Weights weights) {
        for (Parameter p : net.store().parameters()) requireFinite(p.name(), p.read(net.device(), weights.params()));
    }

    private static float[] requireFinite(String tensor, float[] values) {
        if (!finite(values)) throw new DivergedException("tensor '" + tensor + "' is no longer finite");
        return values;
    }

    private static boolean finite(float[] values) {
        for (float v : values) if (!Float.isFinite(v)) return false;
        return true;
    }

    /** Reads one model by names; its statistics need not be measured yet. */
    public static Map<String, String> loadModel(Path file, NetMemory net, Weights weights) {
        return loadModel(file, net, weights, false, false);
    }

    /**
     * The same.
     *
     * @param part whether the file may hold more than this net
     * @param measured whether its statistics must be those of samples
     */
    static Map<String, String> loadModel(Path file, NetMemory net, Weights weights, boolean part, boolean measured) {
        ParameterStore storage = net.store();
        try (Safetensors in = Safetensors.open(file)) {
            if (!part) Tensors.requireNoOthers(file, in, names(storage));
            if (measured) Tensors.requireMeasured(file, in);
            readModel(file, in, net.device(), storage, weights);
            return in.metadata();
        }
    }

    /** Names of the tensors of a net's weights file. */
    public static Set<String> names(ParameterStore storage) {
        Set<String> names = new HashSet<>();
        for (Parameter p : storage.parameters()) names.add(p.name());
        for (Parameter s : storage.states()) names.add(s.name());
        return names;
    }

    private static void readModel(Path file, Safetensors in, Device device, ParameterStore storage, Weights model) {
        device.guard().run(() -> {
            for (Parameter p : storage.parameters()) read(file, in, device, "", p, model.params());
            for (Parameter s : storage.states()) read(file, in, device, "", s, model.state());
        });
    }

    private static void read(Path file, Safetensors in, Device device, String prefix, Parameter p, Memory memory) {
        p.write(device, memory, floats(file, in, prefix + p.name(), p.shape()));
    }

    /** A tensor of a weights file. */
    public static float[] floats(Path file, Safetensors in, String name, Shape shape) {
        requireShape(file, in, name, shape);
        return Tensors.weights(file, in, name);
    }

    private static void requireShape(Path file, Safetensors in, String name, Shape shape) {
        if (!in.tensors().containsKey(name)) {
            throw new FormatException(file.toString(), "has no tensor '" + name + "'; is it a file of another net?");
        }
        var found = in.tensor(name).shape();
        if (!found.equals(shape.dims().stream().map(Integer::longValue).toList())) {
            throw new FormatException(
                    file.toString(),
                    "tensor '" + name + "' has shape " + found + ", the net needs " + shape + ": name a file of it");
        }
    }

    /** Refuses a file of another net than its header says, before memory for that net is allocated. */
    static void requireFits(Path file, Graph net) {
        try (Safetensors in = Safetensors.open(file)) {
            Tensors.requireNoOthers(file, in, Set.copyOf(net.tensorNames()));
            for (Node node : net.nodes()) {
                node.tensors().forEach(p -> requireShape(file, in, node.name(p), p.shape()));
            }
        }
    }

    /** Writes everything that the next step depends on. */
    static void saveRun(Path file, Stepped training, Map<String, String> metadata) {
        ParameterStore storage = training.model().store();
        Device device = training.model().device();
        SafetensorsWriter writer = writer(training.totals(), metadata);
        addModel(writer, device, storage, storage.live());
        for (Arena a : arenas(storage, true)) addArena(writer, device, storage, prefix(a), storage.memory(a));
        writer.write(file);
    }

    /** A writer of a training's state, whose header says where it stands. */
    public static SafetensorsWriter writer(EpochMetrics t, Map<String, String> metadata) {
        return Safetensors.writer()
                .metadata(metadata)
                .metadata("step", Long.toString(t.step()))
                .metadata("loss", Double.toString(t.loss()))
                .metadata("hits", Long.toString(t.hits()))
                .metadata("seen", Long.toString(t.seen()));
    }

    /** The step and sums of the training whose state {@code file} holds. */
    public static EpochMetrics metrics(Path file, Map<String, String> m) {
        try {
            return new EpochMetrics(
                    Long.parseLong(required(file, m, "step")),
                    Double.parseDouble(required(file, m, "loss")),
                    Long.parseLong(required(file, m, "hits")),
                    Long.parseLong(required(file, m, "seen")),
                    Long.parseLong(m.getOrDefault("broken", "-1")));
        } catch (NumberFormatException e) {
            throw new FormatException(
                    file.toString(), "a count of its run is not a number: it is damaged, delete it to train anew", e);
        }
    }

    /** A run's state beside its model. */
    private static List<Arena> arenas(ParameterStore storage, boolean average) {
        List<Arena> arenas = new ArrayList<>(storage.moments());
        if (average) arenas.addAll(storage.averages());
        return arenas;
    }

    private static void readArenas(Path file, Safetensors in, NetMemory net, boolean average) {
        ParameterStore storage = net.store();
        readModel(file, in, net.device(), storage, storage.live());
        for (Arena a : arenas(storage, average)) {
            readArena(file, in, net.device(), storage, prefix(a), storage.memory(a));
        }
    }

    /** Whether a file with this header holds the state of a training, of a net's or of a curve's, and not a model. */
    public static boolean isState(Map<String, String> header) {
        return header.keySet().containsAll(List.of("step", "loss", "hits", "seen"));
    }

    /** Restores a run's weights, moments and average; returns where it stood. */
    static EpochMetrics loadRun(Path file, NetMemory net) {
        try (Safetensors in = Safetensors.open(file)) {
            readArenas(file, in, net, true);
            return metrics(file, in.metadata());
        }
    }

    /** Takes up another run's weights, statistics and, of a checkpoint, moments; its counters and its average are left. */
    static void loadStart(Path file, NetMemory net) {
        try (Safetensors in = Safetensors.open(file)) {
            if (isState(in.metadata())) readArenas(file, in, net, false);
            else loadModel(file, net, net.store().live());
        }
    }

    /** Adds an arena of the parameters' size, its tensors named {@code prefix + name}. */
    public static void addArena(
            SafetensorsWriter writer, Device device, ParameterStore storage, String prefix, Memory memory) {
        device.guard().run(() -> storage.parameters().forEach(p -> add(writer, device, prefix, p, memory)));
    }

    /** Reads what {@link #addArena} added. */
    public static void readArena(
            Path file, Safetensors in, Device device, ParameterStore storage, String prefix, Memory memory) {
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
            throw new FormatException(file.toString(), "has no '" + key + "': it is not a checkpoint of a run");
        return value;
    }
}
