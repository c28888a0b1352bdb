package io.basin.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.Nullable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * JSON with limits when read and one spelling when written.
 *
 * <p>Read: UTF-8 only, at most {@link #MAX_BYTES} long, of {@link #MAX_TOKENS} tokens and {@link #MAX_DEPTH} deep, no repeated names, nothing after the value.
 * Written: names sorted, two spaces, {@code \n}, so equal content gives equal bytes on every machine and a diff shows only
 * changes. NaN and the infinities, which JSON lacks, are written as the strings {@code "NaN"}, {@code "Infinity"}.
 */
public final class Json {
    /** The largest document that is read, in bytes. */
    public static final int MAX_BYTES = 8 << 20;
    /** The most names, values and brackets that are read: each takes far more memory than its bytes in the file. */
    static final int MAX_TOKENS = 250_000;
    /** Of a long document, in which {@link #write} takes more for each. */
    private static final int BYTES_A_TOKEN = 16;
    /** The deepest nesting that is read. */
    public static final int MAX_DEPTH = 64;

    private static final ObjectMapper MAPPER = mapper(MAX_DEPTH);
    private static final DefaultPrettyPrinter PRETTY = printer();

    private static final String SUM = "sha256";

    private Json() {}

    /** A mapper with our limits whose input may nest {@code depth} deep. */
    static ObjectMapper mapper(int depth) {
        return JsonMapper.builder(factory(depth, MAX_BYTES, MAX_TOKENS))
                .enable(
                        DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
                        DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .enable(JsonNodeFeature.WRITE_PROPERTIES_SORTED)
                .build();
    }

    /** @param length of a document, in bytes; -1 for any */
    private static JsonFactory factory(int depth, long length, long tokens) {
        StreamReadConstraints limits = StreamReadConstraints.builder()
                .maxNestingDepth(depth)
                .maxStringLength(MAX_BYTES)
                .maxNameLength(1 << 16)
                .maxNumberLength(400)
                .maxDocumentLength(length)
                .maxTokenCount(tokens)
                .build();
        return JsonFactory.builder()
                .streamReadConstraints(limits)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .build();
    }

    /** For documents that may be long. */
    private static JsonFactory longDocument(long tokens) {
        return factory(MAX_DEPTH, -1, tokens);
    }

    /** As {@link #read(Path, String)}, for files that can be had again. */
    public static JsonNode read(Path file) {
        return read(file, "it is damaged; take a copy of it, or delete it");
    }

    /** @param remedy what to do about a damaged one, for the error */
    public static JsonNode read(Path file, String remedy) {
        if (!Files.isRegularFile(file)) {
            throw new FormatException(file.toString(), Files.exists(file) ? "is not a file" : "no such file");
        }
        byte[] bytes = Disk.reading(file, () -> {
            if (Files.size(file) <= MAX_BYTES) return Files.readAllBytes(file);
            throw new FormatException(file.toString(), "longer than " + MAX_BYTES + " bytes, too long for our JSON");
        });
        return parse(decode(bytes, file.toString()), file.toString(), remedy);
    }

    /**
     * Writes an object, which may be long, with a field more for each of {@code names}: the SHA-256 of that field, which is read again
     * without the others.
     */
    public static void sealFields(Path file, ObjectNode value, String... names) {
        ObjectNode node = value.deepCopy();
        for (String name : names) {
            node.put(name + "_" + SUM, Sha256.of(line(reread(line(node.path(name))))));
        }
        write(file, node);
    }

    /** As a reader will have it, who has numbers of fewer types. */
    private static JsonNode reread(String text) {
        try (JsonParser parser = longDocument(Long.MAX_VALUE).createParser(text)) {
            return MAPPER.readTree(parser);
        } catch (IOException e) {
            throw new IllegalStateException("what was written as JSON cannot be read", e);
        }
    }

    /**
     * The field of the object in a file that {@link #sealFields} wrote, or that an older version wrote, with a line of warning; the
     * other fields are passed over.
     *
     * @return a missing node where the object has no such field
     */
    public static JsonNode unsealField(Path file, String name, String remedy) {
        JsonNode found = MissingNode.getInstance();
        String sumName = name + "_" + SUM;
        String sum = null;
        boolean sums = false;
        try (InputStream in = Files.newInputStream(file);
                JsonParser parser = longDocument(MAX_TOKENS + Files.size(file) / BYTES_A_TOKEN)
                        .createParser(in)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new FormatException(file.toString(), "is not a JSON object: " + remedy);
            }
            for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                parser.nextToken();
                if (isAlmost(field, sumName)) throw unlike(file, remedy);
                sums |= field.endsWith("_" + SUM);
                if (field.equals(name)) {
                    found = MAPPER.reader()
                            .without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                            .readTree(parser);
                } else if (field.equals(sumName)) {
                    sum = parser.getText();
                } else {
                    parser.skipChildren();
                }
            }
        } catch (JsonProcessingException e) {
            throw new FormatException(file.toString(), explain(e) + ": " + remedy, e);
        } catch (IOException e) {
            throw Disk.unreadable(file, e);
        }
        // Nor is it there, nor does its sum miss it: the object is of another kind.
        if (!(sums && sum == null && found.isMissingNode())) requireSum(file, sum, found, remedy);
        return found;
    }

    /** A file without a sum is of an older version, and a note says so. */
    private static void requireSum(Path file, @Nullable String sum, JsonNode content, String remedy) {
        if (sum == null) {
            Notices.once(file + " has no SHA-256, so damage to it goes unnoticed: an older version wrote it");
        } else if (!sum.equals(Sha256.of(line(content)))) {
            throw unlike(file, remedy);
        }
    }

    /** Parses {@code text}; {@code name} stands for the file in error messages. */
    public static JsonNode parse(String text, String name) {
        return parse(text, name, "it is damaged");
    }

    static JsonNode parse(String text, String name, String remedy) {
        try {
            JsonNode node = MAPPER.readTree(text);
            if (node instanceof MissingNode) throw new FormatException(name, "empty, expected JSON: " + remedy);
            return node;
        } catch (JsonProcessingException e) {
            throw new FormatException(name, explain(e) + ": " + remedy, e);
        }
    }

    /** Parses UTF-8 {@code bytes}; {@code name} stands for the file in error messages. */
    public static JsonNode parse(byte[] bytes, String name) {
        return parse(decode(bytes, name), name);
    }

    /** A record, or an array of records, out of what {@link #write} made of it. NaN and the infinities may be text. */
    public static <T> T as(JsonNode node, Class<T> type) {
        try {
            return MAPPER.treeToValue(node, type);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(e.getOriginalMessage(), e);
        }
    }

    /** Strict UTF-8: left to itself Jackson guesses UTF-16 and UTF-32 from the first bytes. */
    static String decode(byte[] bytes, String name) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new FormatException(name, "not UTF-8 text: it is damaged, or another program wrote it", e);
        }
    }

    /** The place of the error in our words: Jackson's echo the input, which may be binary and long, and name its types. */
    static String explain(JsonProcessingException e) {
        String theirs = String.valueOf(e.getOriginalMessage());
        String what = "not valid JSON";
        if (theirs.startsWith("Duplicate")) what += ", a name stands twice";
        if (theirs.startsWith("Trailing")) what += ", something follows its end";
        if (e.getLocation() == null) return what;
        return what + " (from line " + e.getLocation().getLineNr() + ", column "
                + e.getLocation().getColumnNr() + " on)";
    }

    /** The values within an object that are not objects, by their names from the outermost on, joined with dots; in the object's order. */
    public static Map<String, JsonNode> leaves(JsonNode node) {
        Map<String, JsonNode> all = new LinkedHashMap<>();
        leaves("", node, all);
        return all;
    }

    private static void leaves(String within, JsonNode node, Map<String, JsonNode> into) {
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            String name = within + field.getKey();
            if (field.getValue().isObject()) leaves(name + ".", field.getValue(), into);
            else into.put(name, field.getValue());
        }
    }

    public static JsonNode tree(Object value) {
        return MAPPER.valueToTree(value);
    }

    /** The value as pretty text, ending in a newline. {@code value}: a JsonNode, map, list, record, string, number. */
    public static String text(Object value) {
        return written(MAPPER.writer(PRETTY), value) + "\n";
    }

    /** @param source named in errors */
    public static List<String> texts(String text, String source) {
        JsonNode array = parse(text, source);
        List<String> texts = new ArrayList<>();
        for (JsonNode one : array) if (one.isTextual()) texts.add(one.textValue());
        if (array.isArray() && texts.size() == array.size()) return texts;
        throw new FormatException(source, "is no list of names: it is damaged, name another file");
    }

    /** @param source named in errors */
    public static float[] floats(String text, String source) {
        JsonNode array = parse(text, source);
        float[] out = new float[array.size()];
        for (int i = 0; i < out.length; i++) {
            if (!array.path(i).isNumber()) throw new FormatException(source, "is not an array of numbers");
            out[i] = array.get(i).floatValue();
        }
        return out;
    }

    /** The value on one line, without a newline. */
    public static String line(Object value) {
        return written(MAPPER.writer(), value);
    }

    private static String written(ObjectWriter writer, Object value) {
        try {
            return writer.writeValueAsString(tree(value));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot be written as JSON", e);
        }
    }

    /** Writes an object with one field more, {@code sha256}: the sum of the others. */
    public static void seal(Path file, Object value) {
        ObjectNode node = (ObjectNode) parse(text(value), file.toString());
        write(file, node.put(SUM, Sha256.of(line(node))));
    }

    /**
     * Reads an object that {@link #seal} wrote, without the sum; one that has none, as an older version wrote it, with a line of
     * warning.
     */
    public static ObjectNode unseal(Path file) {
        return unseal(file, "restore it from a copy, or start anew in another folder");
    }

    /** The same with what to do about a damaged file. */
    public static ObjectNode unseal(Path file, String remedy) {
        if (!(read(file, remedy) instanceof ObjectNode node)) {
            throw new FormatException(file.toString(), "is not a JSON object: " + remedy);
        }
        JsonNode sum = node.remove(SUM);
        if (sum == null && node.propertyStream().anyMatch(field -> isAlmost(field.getKey(), SUM)))
            throw unlike(file, remedy);
        requireSum(file, sum == null ? null : sum.asText(), node, remedy);
        return node;
    }

    private static FormatException unlike(Path file, String remedy) {
        return new FormatException(
                file.toString(),
                "is damaged or was changed: its content does not have the SHA-256 that it names; " + remedy);
    }

    /** A flipped bit in the name of the sum must not make a file one of an older version. */
    static boolean isAlmost(String name, String right) {
        if (name.length() != right.length()) return false;
        return IntStream.range(0, name.length())
                        .filter(i -> name.charAt(i) != right.charAt(i))
                        .count()
                == 1;
    }

    /** Writes {@link #text} through {@link AtomicFile}. */
    public static void write(Path file, Object value) {
        AtomicFile.write(file, text(value));
    }

    private static DefaultPrettyPrinter printer() {
        DefaultIndenter indent = new DefaultIndenter("  ", "\n");
        DefaultPrettyPrinter printer = new DefaultPrettyPrinter();
        printer.indentObjectsWith(indent);
        printer.indentArraysWith(indent);
        return printer;
    }
}
