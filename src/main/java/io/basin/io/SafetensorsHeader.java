package io.basin.io;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The JSON header of a safetensors file, parsed and proved consistent with the length of the data that follows it.
 *
 * <p>Streamed rather than bound to a tree, so that the memory it takes is a small multiple of the header's bytes whatever they
 * are. The checks are those of the reference implementation: known types, byte counts equal to shape times type, tensors that
 * cover the data section without overlap, hole or remainder.
 */
final class SafetensorsHeader {
    /** The format nests three deep (root, tensor, shape). */
    private static final ObjectMapper MAPPER = Json.mapper(3);

    private final String file;
    private final Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private String sha256;

    private SafetensorsHeader(String file) {
        this.file = file;
    }

    /**
     * @param file name for messages
     * @param header the header's bytes
     * @param dataBytes length of the data section
     * @throws FormatException whatever is wrong
     */
    static SafetensorsHeader parse(String file, byte[] header, long dataBytes) {
        SafetensorsHeader parsed = new SafetensorsHeader(file);
        if (header.length == 0 || header[0] != '{') {
            throw new FormatException(file, "not a safetensors file: its header does not start with '{'");
        }
        try (JsonParser parser = MAPPER.createParser(Json.decode(header, file))) {
            parser.nextToken();
            parsed.readRoot(parser);
            if (parser.nextToken() != null) {
                throw parsed.wrong("something follows the header's closing brace");
            }
        } catch (JsonProcessingException e) {
            throw new FormatException(
                    file, "its header is " + Json.explain(e) + ": it is damaged, name another file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + Reason.of(e), e);
        }
        parsed.checkCover(dataBytes);
        return parsed;
    }

    /** Tensors in the header's order. */
    Map<String, TensorEntry> tensors() {
        return Collections.unmodifiableMap(tensors);
    }

    /** The sum that the file names; null if none. */
    String sha256() {
        return sha256;
    }

    /** All but the sum. */
    Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    private void readRoot(JsonParser parser) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            expect(parser, JsonToken.START_OBJECT, () -> TensorEntry.quote(name) + " must be an object");
            if (name.equals("__metadata__")) {
                readMetadata(parser);
            } else {
                tensors.put(name, readTensor(parser, name));
            }
        }
    }

    private void readMetadata(JsonParser parser) throws IOException {
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            expect(
                    parser,
                    JsonToken.VALUE_STRING,
                    () -> "__metadata__ entry " + TensorEntry.quote(key) + " must be a string");
            if (key.equals(TensorDigest.KEY)) sha256 = parser.getText();
            else metadata.put(key, parser.getText());
        }
    }

    private TensorEntry readTensor(JsonParser parser, String name) throws IOException {
        Dtype dtype = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String field = parser.currentName();
            switch (field) {
                case "dtype" -> dtype = readDtype(parser, name);
                case "shape" -> shape = readSizes(parser, name, field);
                case "data_offsets" -> offsets = readSizes(parser, name, field);
                default -> throw wrong(TensorEntry.quote(name) + " has an unknown field " + TensorEntry.quote(field));
            }
        }
        if (dtype == null || shape == null || offsets == null) {
            String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
            throw wrong(TensorEntry.quote(name) + " has no " + missing);
        }
        return entry(name, dtype, shape, offsets);
    }

    private TensorEntry entry(String name, Dtype dtype, List<Long> shape, List<Long> offsets) {
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
            throw wrong(TensorEntry.quote(name) + " has data_offsets " + brief(offsets) + ", expected [begin, end]");
        }
        long bytes;
        try {
            bytes = TensorEntry.bytes(dtype, shape);
        } catch (ArithmeticException e) {
            throw new FormatException(file, TensorEntry.quote(name) + " has an impossible shape " + brief(shape), e);
        }
        long held = offsets.get(1) - offsets.get(0);
        if (bytes != held) {
            throw wrong(TensorEntry.quote(name) + " of shape " + brief(shape) + " and type " + dtype + " takes " + bytes
                    + " bytes, but its data_offsets hold " + held);
        }
        return new TensorEntry(name, dtype, shape, offsets.get(0), offsets.get(1));
    }

    private Dtype readDtype(JsonParser parser, String name) throws IOException {
        expect(parser, JsonToken.VALUE_STRING, () -> "dtype of " + TensorEntry.quote(name) + " must be a string");
        String text = parser.getText();
        for (Dtype dtype : Dtype.values()) {
            if (dtype.name().equals(text)) {
                return dtype;
            }
        }
        throw wrong("dtype " + TensorEntry.quote(text) + " of " + TensorEntry.quote(name) + " is not one of "
                + List.of(Dtype.values()));
    }

    private List<Long> readSizes(JsonParser parser, String name, String field) throws IOException {
        expect(parser, JsonToken.START_ARRAY, () -> field + " of " + TensorEntry.quote(name) + " must be an array");
        List<Long> sizes = new ArrayList<>(4);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
                throw wrong(field + " of " + TensorEntry.quote(name) + " must hold whole numbers");
            }
            long size = parser.getLongValue();
            if (size < 0) {
                throw wrong(field + " of " + TensorEntry.quote(name) + " holds a negative number, " + size);
            }
            sizes.add(size);
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
        if (covered != dataBytes) {
            throw wrong((dataBytes - covered) + " bytes follow the last tensor");
        }
    }

    private void expect(JsonParser parser, JsonToken token, Supplier<String> otherwise) throws IOException {
        if (parser.nextToken() != token) {
            throw wrong(otherwise.get());
        }
    }

    private FormatException wrong(String problem) {
        return new FormatException(file, problem);
    }

    private static String brief(List<Long> sizes) {
        return sizes.size() <= 8 ? sizes.toString() : "of " + sizes.size() + " numbers";
    }
}
