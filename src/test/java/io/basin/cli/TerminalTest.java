package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Progress;
import io.basin.report.Lines;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the user's language and terminal are, figures are the same and signs can be read. */
class TerminalTest {
    @TempDir
    private Path folder;

    private static String printed(Charset charset, boolean results, String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Terminal out = new Terminal(bytes, charset, results)) {
            out.printf(Locale.ROOT, "%s", text);
        }
        return bytes.toString(charset);
    }

    /** As every minute; here at once and in an hour. */
    @Test
    void longWorkReportsLinesWhereThereIsNoTerminal() {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try (Progress.Counter often = Bars.lines("curve", 80, "steps", Duration.ZERO);
                Progress.Counter seldom = Bars.lines("files", -1, "B", Duration.ofHours(1))) {
            for (int i = 0; i < 2; i++) often.step(20);
            seldom.step(1);
        } finally {
            System.setErr(before);
        }
        assertEquals(
                List.of("curve: 20 of 80 steps", "curve: 40 of 80 steps"),
                said.toString(StandardCharsets.UTF_8).lines().toList());
    }

    @Test
    void signsThatAnEncodingLacksAreSpelled() {
        String text = "63.15 ±37.48 \u2192 \u2026";
        assertEquals("63.15 +-37.48 -> ...", printed(StandardCharsets.US_ASCII, true, text));
        assertEquals("63.15 ±37.48 -> ...", printed(StandardCharsets.ISO_8859_1, true, text));
        assertEquals(text, printed(StandardCharsets.UTF_8, true, text));
    }

    @Test
    void resultsCannotSteerTheTerminalButBarsCan() {
        assertEquals("a?[2Jb\tc\n", printed(StandardCharsets.UTF_8, true, "a\u001b[2Jb\tc\n"));
        assertEquals("\r\u001b[33m10%", printed(StandardCharsets.UTF_8, false, "\r\u001b[33m10%"));
    }

    private List<Object> schedule(Path out, Object... more) {
        List<Object> args = new ArrayList<>(List.of(more));
        args.addAll(List.of("schedule", "mnist", "--samples", 2000, "--validation", 100, "--epochs", 2));
        args.addAll(List.of("--csv", out + ".csv", "--svg", out + ".svg"));
        return args;
    }

    @ParameterizedTest
    @ValueSource(strings = {"ar-EG", "fa-IR", "hi-IN-u-nu-deva"})
    void otherDigitsChangeNoFigure(String tag) throws Exception {
        Locale other = Locale.forLanguageTag(tag);
        Child usual = Child.start(folder, schedule(folder.resolve("usual")));
        List<Object> language = new ArrayList<>(
                List.of("-Duser.language=" + other.getLanguage(), "-Duser.country=" + other.getCountry()));
        if (tag.contains("nu")) language.add("-Duser.extensions=u-nu-deva");
        Child theirs = Child.start(folder, schedule(folder.resolve("theirs"), language.toArray()));
        assertEquals(0, usual.code(), usual.complained());
        assertEquals(0, theirs.code(), theirs.complained());
        assertEquals(usual.said(), theirs.said());
        for (String end : List.of(".csv", ".svg")) {
            assertArrayEquals(
                    Files.readAllBytes(Path.of(folder.resolve("usual") + end)),
                    Files.readAllBytes(Path.of(folder.resolve("theirs") + end)),
                    end);
        }
    }

    @Test
    void chartsOfAProgramInAnotherLanguageHaveTheSameDigits() {
        double[] x = {0, 1, 2};
        String usual = new Lines("title", "x", "y").line("a", x, x).svg();
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertEquals(usual, new Lines("title", "x", "y").line("a", x, x).svg());
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void aNameThatTheLocaleCannotHoldIsSaidToBeSoWithARemedy() throws Exception {
        Path file = folder.resolve("caf\u00e9.csv");
        List<Object> args = List.of("schedule", "mnist", "--epochs", 1, "--csv", file);
        Child child = Child.start(folder, Map.of("LC_ALL", "C"), args);
        int code = child.code();
        String said = child.complained();
        // From Java 18 on the name is understood; before, nothing but another locale helps.
        if (code == 0) assertTrue(Files.exists(file), said);
        else assertTrue(code == 2 && said.contains("--csv: ") && said.contains("LC_ALL=C.UTF-8"), said);
    }

    @Test
    void aTableTooWideIsFoldedBetweenItsColumnsAndNoFigureIsCut() {
        String table =
                "method    nets      accuracy %\nsgd, new        75.64 [1, 100]\nswa          3      75.56 ±6.6\n";
        assertEquals(table, Terminal.folded(table, 31));
        String folded = "method    nets\nsgd, new\nswa          3\n\n"
                + "method        accuracy %\nsgd, new  75.64 [1, 100]\nswa           75.56 ±6.6\n";
        assertEquals(folded, Terminal.folded(table, 24));
    }
}
