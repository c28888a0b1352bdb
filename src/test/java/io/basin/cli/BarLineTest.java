package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BarLineTest {
    private final BarLine bar = new BarLine(false, "steps", () -> "all: 9:10 left");

    private String line(int width) {
        return bar.line("swa, seed 1 (2/7)", 0.5, 30, 100, 100, "loss 1.224, acc 58.02%, val 0.712, 81.50%", width);
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 60, 80, 100, 120, 200})
    void itFitsAndHasABarAndSaysHowFar(int width) {
        String line = line(width);
        assertTrue(line.length() <= width, width + ": " + line);
        assertTrue(line.startsWith("swa, seed 1 (2/7)  50% "), line);
        if (width >= 60) assertTrue(line.matches(".*\\|#{4,} {4,}\\|.*"), line);
    }

    @Test
    void whatIsNeededLeastIsLeftOutFirst() {
        assertTrue(
                line(200).endsWith("30 s left, 3.3 steps/s, loss 1.224, acc 58.02%, val 0.712, 81.50%, all: 9:10 left"),
                line(200));
        assertFalse(line(110).contains("steps/s"), line(110));
        assertTrue(line(100).endsWith("30 s left, val 0.712, 81.50%, all: 9:10 left"), line(100));
        assertTrue(line(80).endsWith("30 s left, val 0.712, 81.50%"), line(80));
        assertTrue(line(60).endsWith(" val 0.712, 81.50%"), line(60));
    }

    @Test
    void timesReadAsPeopleSayThem() {
        assertEquals("12 s", BarLine.time(12.2));
        assertEquals("3:05", BarLine.time(185));
        assertEquals("2 h 10 min", BarLine.time(7800));
    }

    @Test
    void aTaskThatHasNotBegunAndOneThatIsDone() {
        BarLine alone = new BarLine(true, "files", () -> "");
        assertEquals("reading   0% |" + " ".repeat(40) + "|", alone.line("reading", 0, 0, 0, 4, "", 100));
        assertEquals(
                "reading 100% |" + "\u2588".repeat(40) + "| 2 s, 2.0 files/s",
                alone.line("reading", 1, 2, 4, 0, "", 100));
    }
}
