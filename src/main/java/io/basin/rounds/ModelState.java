package io.basin.rounds;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.train.NetMemory;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Named tensors on the host, in PyTorch's order, as workers exchange them. Weights and statistics have their own names, moments of
 * an optimizer a prefix. Not changed once made.
 */
final class ModelState {
    /** @param shape outermost size first */
    record Tensor(List<Long> shape, float[] values) {}

    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /** By name, in the net's order. */
    Map<String, Tensor> tensors() {
        return tensors;
    }

    /** @throws IllegalArgumentException where there is no tensor of that name */
    float[] values(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor != null) return tensor.values();
        throw new IllegalArgumentException(
                "the weights of this round are of another net: there is no tensor '" + name + "'");
    }

    ModelState put(String name, Tensor tensor) {
        tensors.put(name, tensor);
        return this;
    }

    /** A net's weights and batch-norm statistics. */
    static ModelState of(NetMemory net, Weights weights) {
        ModelState made = new ModelState();
        ParameterStore store = net.store();
        store.parameters().forEach(p -> made.read("", p, net.device(), weights.params()));
        store.states().forEach(p -> made.read("", p, net.device(), weights.state()));
        return made;
    }

    /** The same with the moments that the net is trained with. */
    ModelState withMoments(NetMemory net) {
        ParameterStore store = net.store();
        for (Arena arena : store.moments()) {
            store.parameters().forEach(p -> read(prefix(arena), p, net.device(), store.memory(arena)));
        }
        return this;
    }

    /** Whether this is one of batch norm's, as {@link io.basin.train.Checkpoint} names them. */
    static boolean isStatistic(String name) {
        return name.endsWith("running_mean") || name.endsWith("running_var");
    }

    private static String prefix(Arena arena) {
        return arena.name().toLowerCase(Locale.ROOT) + ".";
    }

    private void read(String prefix, Parameter p, Device device, Memory memory) {
        put(
                prefix + p.name(),
                new Tensor(p.shape().dims().stream().map(Integer::longValue).toList(), p.read(device, memory)));
    }

    /** The first tensor that holds something else than numbers. */
    Optional<String> notFinite() {
        return tensors.entrySet().stream()
                .filter(t -> !isFinite(t.getValue().values()))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    static boolean isFinite(float[] values) {
        for (float v : values) if (!Float.isFinite(v)) return false;
        return true;
    }

    /** Puts weights and statistics into a net. */
    void writeTo(NetMemory net, Weights weights) {
        ParameterStore store = net.store();
        store.parameters().forEach(p -> write("", p, net.device(), weights.params()));
        store.states().forEach(p -> write("", p, net.device(), weights.state()));
    }

    /** Puts moments into a net. */
    void writeMomentsTo(NetMemory net) {
        ParameterStore store = net.store();
        for (Arena arena : store.moments()) {
            store.parameters().forEach(p -> write(prefix(arena), p, net.device(), store.memory(arena)));
        }
    }

    private void write(String prefix, Parameter p, Device device, Memory memory) {
        Tensor tensor = tensors.get(prefix + p.name());
        if (tensor == null || tensor.values().length != p.shape().elements()) {
            throw new IllegalArgumentException(
                    "the weights of this round are of another net: tensor '" + prefix + p.name() + "' does not fit");
        }
        p.write(device, memory, tensor.values());
    }

    /** Writes a safetensors file with a SHA-256; whole or not at all. */
    void write(Path file, Map<String, String> metadata) {
        SafetensorsWriter writer = Safetensors.writer().metadata(metadata);
        tensors.forEach((name, t) ->
                writer.add(name, t.shape().stream().mapToLong(Long::longValue).toArray(), t.values()));
        writer.write(file);
    }

    /** @throws FormatException where the file is damaged */
    static ModelState read(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            return of(in);
        }
    }

    static ModelState of(Safetensors in) {
        ModelState made = new ModelState();
        in.tensors().forEach((name, entry) -> made.put(name, new Tensor(entry.shape(), in.floats(name))));
        return made;
    }
}
