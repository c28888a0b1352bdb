package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @TempDir
    Path folder;

    record Run(String name, double lr, int[] steps) {}

    @Test
    void namesAreSortedSoThatEqualContentGivesEqualText() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("b", List.of(1, 2));
        map.put("a", Map.of("y", 0.1, "x", Double.NaN));
        String expected =
                "{\n  \"a\" : {\n    \"x\" : \"NaN\",\n    \"y\" : 0.1\n  },\n  \"b\" : [\n    1,\n    2\n  ]\n}\n";
        assertEquals(expected, Json.text(map));
        assertEquals("{\"a\":{\"x\":\"NaN\",\"y\":0.1},\"b\":[1,2]}", Json.line(map));
    }

    @Test
    void aFileIsReadBackAsWritten() {
        Path file = folder.resolve("config.json");
        Json.write(file, new Run("r1", 0.05, new int[] {3}));
        JsonNode read = Json.read(file);
        assertEquals(0.05, read.get("lr").asDouble());
        assertEquals("r1", read.get("name").asText());
        assertEquals(3, read.get("steps").get(0).asInt());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "  ", "{", "{\"a\":1,\"a\":2}", "{} {}", "[1,]", "NaN", "{'a':1}", "// x\n1", "\u0000", "01"
            })
    void whatIsNoJsonIsRefusedNamingTheSource(String text) {
        FormatException e = assertThrows(FormatException.class, () -> Json.parse(text, "config.json"));
        assertTrue(e.getMessage().startsWith("config.json: "), e.getMessage());
    }

    @Test
    void depthEncodingSizeAndAbsenceAreErrorsInWords() throws IOException {
        assertThrows(FormatException.class, () -> Json.parse("[".repeat(65) + "]".repeat(65), "deep"));
        assertEquals(1, Json.parse("[".repeat(64) + "]".repeat(64), "deep").size());
        assertThrows(FormatException.class, () -> Json.parse(new byte[] {'"', (byte) 0xc3, '"'}, "latin"));
        assertThrows(FormatException.class, () -> Json.parse("1" + "0".repeat(1000), "number"));
        Path big = Files.write(folder.resolve("big.json"), new byte[Json.MAX_BYTES + 1]);
        assertThrows(FormatException.class, () -> Json.read(big));
        assertThrows(FormatException.class, () -> Json.read(folder.resolve("absent.json")));
        assertThrows(FormatException.class, () -> Json.read(folder));
    }

    @Test
    void aResumedFileEqualsOneThatWasNeverInterrupted() throws IOException {
        Path whole = folder.resolve("whole.jsonl");
        try (JsonLines lines = JsonLines.create(whole)) {
            for (int i = 0; i < 4; i++) {
                lines.append(Map.of("epoch", i, "loss", 1.0 / (i + 1)));
            }
        }
        Path cut = folder.resolve("cut.jsonl");
        long checkpoint;
        try (JsonLines lines = JsonLines.create(cut)) {
            lines.append(Map.of("epoch", 0, "loss", 1.0));
            lines.append(Map.of("epoch", 1, "loss", 0.5));
            lines.force();
            checkpoint = lines.position();
            lines.append(Map.of("epoch", 2, "loss", "half a li"));
        }
        try (JsonLines lines = JsonLines.resume(cut, checkpoint)) {
            assertEquals(checkpoint, lines.position());
            lines.append(Map.of("epoch", 2, "loss", 1.0 / 3));
            lines.append(Map.of("epoch", 3, "loss", 0.25));
        }
        assertEquals(-1, Files.mismatch(whole, cut));
        assertEquals(4, JsonLines.read(cut).size());
    }

    @Test
    void resumingAnotherFileIsRefused() throws IOException {
        Path file = Files.writeString(folder.resolve("a.jsonl"), "{\"a\":1}\n");
        assertThrows(FormatException.class, () -> JsonLines.resume(file, 9));
        assertThrows(FormatException.class, () -> JsonLines.resume(file, 3));
        assertThrows(FormatException.class, () -> JsonLines.resume(folder.resolve("absent"), 0));
        assertThrows(IllegalArgumentException.class, () -> JsonLines.resume(file, -1));
        assertEquals("{\"a\":1}\n", Files.readString(file));
        JsonLines.resume(file, 0).close();
        assertEquals(0, Files.size(file));
    }

    @Test
    void aTornLastLineIsLeftOutAndABadOneIsNamed() throws IOException {
        Path torn = Files.writeString(folder.resolve("torn.jsonl"), "{\"a\":1}\n{\"a\"");
        assertEquals(List.of(Json.parse("{\"a\":1}", "x")), JsonLines.read(torn));
        Path bad = Files.writeString(folder.resolve("bad.jsonl"), "1\n{\n2\n");
        FormatException e = assertThrows(FormatException.class, () -> JsonLines.read(bad));
        assertTrue(e.getMessage().startsWith(bad + " line 2: "), e.getMessage());
    }
}
