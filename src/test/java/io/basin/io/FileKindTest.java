package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FileKindTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "'<!DOCTYPE html><html>', an HTML page",
        "'%C2%89PNG%0D%0A%1A%0A', a PNG picture",
        "'PK%03%04%00%00', a ZIP archive",
        "'%C2%80%02%7D', a Python pickle",
        "'%1F%C2%8B%08', a gzip file",
        "'%00%00%08%03', an IDX file",
        "'%7FELF', a program",
        "'<svg xmlns=', an SVG picture",
        "'{\"a\":1}', JSON text",
        "'not really', text",
        "'', an empty file"
    })
    void weightsThatAreSomethingElseAreNamedAsSuch(String start, String kind) throws IOException {
        byte[] head = java.net.URLDecoder.decode(start, StandardCharsets.UTF_8).getBytes(StandardCharsets.ISO_8859_1);
        Path file = folder.resolve("weights");
        Files.write(file, head);
        assertTrue(FileKind.of(file).startsWith(kind), FileKind.of(file));
        FormatException e = assertThrows(FormatException.class, () -> Safetensors.open(file));
        assertTrue(e.getMessage().contains("is not a safetensors file but looks like " + kind), e.getMessage());
        assertTrue(e.getMessage().endsWith("; name weights that 'train' or 'compare' wrote"), e.getMessage());
    }

    @Test
    void safetensorsAreRecognisedAndNoiseIsNot() throws IOException {
        Path file = folder.resolve("a.safetensors");
        Safetensors.writer().metadata("a", "b").write(file);
        assertEquals("a safetensors file", FileKind.of(file));
        assertEquals("", FileKind.of(Files.write(folder.resolve("noise"), new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 0})));
    }
}
