package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every single bit of small files: its flip is refused by the file's name, or what is read is the same. */
class FlippedBitTest {
    private static final Map<String, Object> CONTENT =
            Map.of("lr", 0.05, "steps", 28, "device", "cpu, 1 thread", "nets", List.of("a", 1, true));

    @TempDir
    private Path folder;

    /** Flips each bit in turn and asks {@code read} for what the file says; returns how many flips were read. */
    private <T> int flipped(Path file, Function<Path, T> read) throws IOException {
        T right = read.apply(file);
        byte[] bytes = Files.readAllBytes(file);
        Path wrong = folder.resolve("wrong." + file.getFileName());
        int accepted = 0;
        for (int bit = 0; bit < 8 * bytes.length; bit++) {
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(wrong, bytes);
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            T got;
            try {
                got = read.apply(wrong);
            } catch (FormatException e) {
                assertTrue(e.getMessage().startsWith(wrong.toString()), e.getMessage());
                continue;
            }
            assertEquals(right, got, "bit " + bit);
            accepted++;
        }
        assertTrue(accepted < bytes.length, accepted + " flips of " + 8 * bytes.length + " were read");
        return accepted;
    }

    private static Map<String, Object> said(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            Map<String, Object> all = new HashMap<>();
            for (String key : List.of("step", "epochs", "run"))
                all.put(key, in.metadata().get(key));
            in.tensors().forEach((name, t) -> all.put(name, t.dtype() + " " + t.shape() + in.read(name)));
            for (String name : in.tensors().keySet()) all.put(name + " bytes", in.read(name));
            return all;
        }
    }

    /** One that the campaign found: the line would pass for one of an older version. */
    @Test
    void aFlippedBitInTheNameOfALinesCheckIsDamage() throws IOException {
        Path file = Files.createTempFile("line", ".jsonl");
        try (JsonLines lines = JsonLines.create(file)) {
            lines.append(java.util.Map.of("epoch", 1));
        }
        Files.writeString(file, Files.readString(file).replace("\"check\"", "\"chekk\""));
        org.junit.jupiter.api.Assertions.assertThrows(FormatException.class, () -> JsonLines.read(file));
        Files.delete(file);
    }

    @Test
    void ofAFileOfTensors() throws IOException {
        Path file = folder.resolve("run.safetensors");
        Safetensors.writer()
                .add("conv.weight", new long[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6})
                .add("bias", new long[] {2}, new float[] {0, -1})
                .metadata(Map.of("step", "28", "epochs", "1", "run", "Settings[lr=0.05], seed=1"))
                .write(file);
        int accepted = flipped(file, FlippedBitTest::said);
        // Only the name of the sum itself: then the file is one without a sum.
        assertTrue(accepted <= 8 * "sha256".length(), accepted + " flips");
    }

    @Test
    void ofAnObject() throws IOException {
        Path file = folder.resolve("config.json");
        Json.seal(file, CONTENT);
        int accepted = flipped(file, f -> known(Json.unseal(f)));
        assertTrue(accepted <= 8 * "sha256".length(), accepted + " flips");
    }

    /** Without a field that a flip in the sum's name made of it. */
    private static JsonNode known(ObjectNode node) {
        return node.retain(CONTENT.keySet());
    }

    @Test
    void ofLines() throws IOException {
        Path file = folder.resolve("metrics.jsonl");
        try (JsonLines lines = JsonLines.create(file)) {
            for (int epoch = 1; epoch < 4; epoch++) {
                lines.append(new TreeMap<>(Map.of("epoch", epoch, "loss", 1.0 / epoch, "seconds", 0.25)));
            }
        }
        flipped(file, f -> {
            List<JsonNode> lines = JsonLines.read(f);
            // The last line without its end is what a killed process leaves; whoever counts lines misses it.
            if (lines.size() == 2) return "[1, 2, 3] [1.0, 0.5, 0.3333333333333333] [0.25, 0.25, 0.25]";
            return lines.stream().map(n -> n.path("epoch").asInt()).toList() + " "
                    + lines.stream().map(n -> n.path("loss").asDouble()).toList() + " "
                    + lines.stream().map(n -> n.path("seconds").asDouble()).toList();
        });
    }
}
