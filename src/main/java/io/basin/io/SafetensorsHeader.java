package io.basin.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import io.basin.Nullable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The JSON header of a safetensors file, parsed and proved consistent with the length of the data that follows it.
 *
 * <p>The checks are those of the reference implementation: known types, byte counts equal to shape times type, tensors that
 * cover the data section without overlap, hole or remainder. {@link Json#MAX_TOKENS} bounds the memory that the tree takes.
 */
final class SafetensorsHeader {
    /** The format nests three deep (root, tensor, shape). */
    private static final ObjectReader READER = Json.mapper(3).reader();

    private static final List<String> FIELDS = List.of("dtype", "shape", "data_offsets");

    private final String file;
    private final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private @Nullable String sha256;

    private SafetensorsHeader(String file) {
        this.file = file;
    }

    static SafetensorsHeader parse(String file, byte[] header, long dataBytes) {
        SafetensorsHeader parsed = new SafetensorsHeader(file);
        if (header.length == 0 || header[0] != '{') {
            throw new FormatException(file, "not a safetensors file: its header does not start with '{'");
        }
        try {
            for (Map.Entry<String, JsonNode> e :
                    READER.readTree(Json.decode(header, file)).properties()) {
                parsed.require(e.getValue().isObject(), TensorEntry.quote(e.getKey()) + " must be an object");
                if (e.getKey().equals("__metadata__")) parsed.readMetadata(e.getValue());
                else parsed.tensors.put(e.getKey(), parsed.readTensor(e.getKey(), e.getValue()));
            }
        } catch (JsonProcessingException e) {
            throw new FormatException(
                    file, "its header is " + Json.explain(e) + ": it is damaged, name another file", e);
        }
        parsed.checkCover(dataBytes);
        return parsed;
    }

    /** Tensors in the header's order. */
    Map<String, TensorEntry> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** The sum that the file names; null if none. */
    @Nullable
    String sha256() {
        return sha256;
    }

    /** All but the sum. */
    Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    private void readMetadata(JsonNode all) {
        for (Map.Entry<String, JsonNode> e : all.properties()) {
            require(
                    e.getValue().isTextual(),
                    "__metadata__ entry " + TensorEntry.quote(e.getKey()) + " must be a string");
            if (e.getKey().equals(TensorDigest.KEY)) sha256 = e.getValue().textValue();
            else metadata.put(e.getKey(), e.getValue().textValue());
        }
    }

    private TensorEntry readTensor(String name, JsonNode node) {
        String quoted = TensorEntry.quote(name);
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            require(
                    FIELDS.contains(field.getKey()),
                    quoted + " has an unknown field " + TensorEntry.quote(field.getKey()));
        }
        for (String field : FIELDS) require(node.has(field), quoted + " has no " + field);
        Dtype dtype = dtype(quoted, node.path("dtype"));
        List<Long> shape = sizes("shape of " + quoted, node.path("shape"));
        List<Long> offsets = sizes("data_offsets of " + quoted, node.path("data_offsets"));
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
            throw wrong(quoted + " has data_offsets " + brief(offsets) + ", expected [begin, end]");
        }
        long bytes;
        try {
            bytes = TensorEntry.bytes(dtype, shape);
        } catch (ArithmeticException e) {
            throw new FormatException(file, quoted + " has an impossible shape " + brief(shape), e);
        }
        long held = offsets.get(1) - offsets.get(0);
        if (bytes != held) {
            throw wrong(quoted + " of shape " + brief(shape) + " and type " + dtype + " takes " + bytes
                    + " bytes, but its data_offsets hold " + held);
        }
        return new TensorEntry(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    private Dtype dtype(String quoted, JsonNode node) {
        require(node.isTextual(), "dtype of " + quoted + " must be a string");
        for (Dtype dtype : Dtype.values()) if (dtype.name().equals(node.textValue())) return dtype;
        throw wrong("dtype " + TensorEntry.quote(node.textValue()) + " of " + quoted + " is not one of "
                + List.of(Dtype.values()));
    }

    private List<Long> sizes(String what, JsonNode node) {
        require(node.isArray(), what + " must be an array");
        List<Long> sizes = new ArrayList<>(node.size());
        for (JsonNode size : node) {
            require(size.canConvertToLong() && size.isIntegralNumber(), what + " must hold whole numbers below 2^63");
            require(size.longValue() >= 0, what + " holds a negative number, " + size);
            sizes.add(size.longValue());
        }
        return sizes;
    }

    private void checkCover(long dataBytes) {
        List<TensorEntry> sorted = new ArrayList<>(tensors.values());
        sorted.sort(Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end));
        long covered = 0;
        for (TensorEntry tensor : sorted) {
            if (tensor.end() > dataBytes) {
                throw wrong(
                        TensorEntry.quote(tensor.name()) + " ends at byte " + tensor.end() + " of a data section of "
                                + dataBytes + " bytes: the file is cut short or its offsets are wrong");
            }
            if (tensor.begin() != covered) {
                throw wrong(TensorEntry.quote(tensor.name())
                        + (tensor.begin() < covered ? " overlaps another tensor" : " is preceded by a hole")
                        + ": it begins at byte " + tensor.begin() + ", expected " + covered);
            }
            covered = tensor.end();
        }
        if (covered != dataBytes) throw wrong((dataBytes - covered) + " bytes follow the last tensor");
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) throw wrong(otherwise);
    }

    private FormatException wrong(String problem) {
        return new FormatException(file, problem);
    }

    private static String brief(List<Long> sizes) {
        return sizes.size() <= 8 ? sizes.toString() : "of " + sizes.size() + " numbers";
    }
}
