package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FormatException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Points on disk: kept exactly, never measured twice, never mixed with those of another question. */
class LedgerTest {
    @TempDir
    Path folder;

    private static LossAndError fail() {
        throw new AssertionError("measured again");
    }

    @Test
    void figuresComeBackBitForBitInfinitiesIncluded() {
        LossAndError odd = new LossAndError(Math.PI / 3, 0.1, Double.POSITIVE_INFINITY, Double.NaN);
        LossAndError tiny = new LossAndError(Double.MIN_VALUE, 1.0 / 3, 1e300, -0.0);
        Path file = folder.resolve("p.jsonl");
        try (ResultCache cache = new ResultCache(file, "a=1")) {
            cache.figures("x", () -> odd);
            cache.figures("y", () -> tiny);
        }
        try (ResultCache cache = new ResultCache(file, "a=1")) {
            assertEquals(odd, cache.figures("x", LedgerTest::fail));
            assertEquals(tiny, cache.figures("y", LedgerTest::fail));
        }
    }

    @Test
    void anotherQuestionIsRefusedAndTheFileKept() throws Exception {
        Path file = folder.resolve("p.jsonl");
        new ResultCache(file, "a=1, b=2").close();
        byte[] before = Files.readAllBytes(file);
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> new ResultCache(file, "a=1, b=3"));
        assertTrue(e.getMessage().contains("there 'b=2', now 'b=3'"), e.getMessage());
        org.junit.jupiter.api.Assertions.assertArrayEquals(before, Files.readAllBytes(file));
    }

    @Test
    void aFileOfSomethingElseIsRefused() throws Exception {
        Path file = folder.resolve("p.jsonl");
        Files.writeString(file, "{\"identity\":\"a=1\"}\n{\"loss\":1}\n");
        assertThrows(FormatException.class, () -> new ResultCache(file, "a=1"));
    }
}
