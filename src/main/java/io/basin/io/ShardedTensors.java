package io.basin.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Safetensors files of one model beside their index, {@code model.safetensors.index.json}, as Hugging Face's libraries write them:
 * {@code {"metadata": {...}, "weight_map": {"layer.weight": "model-00001-of-00002.safetensors", ...}}}.
 */
final class ShardedTensors implements StateDict {
    static final String ENDING = ".index.json";

    private final Map<String, Safetensors> files = new LinkedHashMap<>();
    private final Map<String, Safetensors> owners = new LinkedHashMap<>();
    private final Map<String, List<Long>> shapes = new LinkedHashMap<>();
    private final Path index;

    private ShardedTensors(Path index) {
        this.index = index;
    }

    /** Opens and checks the index and every file that it names, which lie in its folder. */
    static ShardedTensors open(Path index) {
        return OnFailure.close(new ShardedTensors(index), all -> {
            JsonNode map = Json.read(index).path("weight_map");
            if (!map.isObject() || map.isEmpty()) {
                throw all.wrong(
                        "has no 'weight_map': it is not an index of safetensors files, name one of those files");
            }
            map.properties().forEach(e -> all.add(e.getKey(), e.getValue()));
        });
    }

    private void add(String tensor, JsonNode node) {
        String name = node.asText();
        if (!node.isTextual() || !name.matches("[\\w. -]+\\.safetensors")) {
            throw wrong(
                    TensorEntry.quote(tensor) + " lies in " + TensorEntry.quote(name)
                            + ", which is not a plain name of a safetensors file: name them in 'weight_map', in the same folder");
        }
        Safetensors file = files.computeIfAbsent(name, n -> Safetensors.open(index.resolveSibling(n)));
        TensorEntry entry = file.tensors().get(tensor);
        if (entry == null) {
            throw wrong(TensorEntry.quote(tensor) + " is not in " + name + ": fetch the index and its files anew");
        }
        owners.put(tensor, file);
        shapes.put(tensor, entry.shape());
    }

    private FormatException wrong(String problem) {
        return new FormatException(index.toString(), problem);
    }

    @Override
    public Map<String, List<Long>> shapes() {
        return Collections.unmodifiableMap(shapes);
    }

    @Override
    public ByteBuffer weights(String name) {
        Safetensors owner = owners.get(name);
        if (owner == null) throw wrong("has no tensor '" + name + "'");
        return owner.weights(name);
    }

    @Override
    public void close() {
        new ArrayList<>(files.values()).forEach(Safetensors::close);
    }
}
