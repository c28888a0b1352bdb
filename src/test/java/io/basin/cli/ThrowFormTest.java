package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every {@code throw} of the main code is read: its words have the form of {@link MessageForm}, and none is an exception's alone. */
class ThrowFormTest {
    private static final Pattern THROW = Pattern.compile("throw (?:new \\w+|\\w+\\.of|failure|wrong|diverged)\\(");
    private static final Pattern LITERAL = Pattern.compile("\"((?:\\\\.|[^\"\\\\])*)\"");
    private static final Pattern CATCH =
            Pattern.compile("catch \\(((?!Unchecked)[^)]*\\b(?!Unchecked)\\w*IOException[^)]*) (\\w+)\\) \\{");

    private interface Reader {
        void read(Path file, String code);
    }

    private static int sources(Reader reader) throws IOException {
        try (Stream<Path> all = Files.walk(Path.of("src/main/java"))) {
            List<Path> files = all.filter(f -> f.toString().endsWith(".java")).toList();
            for (Path file : files) reader.read(file, Files.readString(file));
            return files.size();
        }
    }

    /** From {@code from}, just behind an opening sign, to its closing one; signs in strings do not count. */
    private static String inside(String code, int from, char open, char close) {
        int depth = 1;
        boolean text = false;
        for (int i = from; i < code.length(); i++) {
            char c = code.charAt(i);
            if (c == '"' && code.charAt(i - 1) != '\\') text = !text;
            if (text) continue;
            if (c == open) depth++;
            if (c == close && --depth == 0) return code.substring(from, i);
        }
        return code.substring(from);
    }

    @Test
    void theWordsOfEveryThrowAreForPeople() throws IOException {
        List<String> faults = new ArrayList<>();
        int[] seen = {0};
        sources((file, code) -> {
            Matcher throwing = THROW.matcher(code);
            while (throwing.find()) {
                seen[0]++;
                // Of a program's null: no command line makes one.
                if (throwing.group().contains("NullPointerException")) continue;
                StringBuilder words = new StringBuilder();
                Matcher literals = LITERAL.matcher(inside(code, throwing.end(), '(', ')'));
                while (literals.find()) words.append(literals.group(1)).append(" x ");
                for (String fault : MessageForm.faults(words.toString().replaceAll("`[^`]*`", "it")))
                    faults.add(file + ": " + fault + " in: " + words);
            }
        });
        assertTrue(seen[0] > 300, "found only " + seen[0]);
        assertEquals(List.of(), faults);
    }

    @Test
    void noReasonOfTheSystemIsPassedOnWithoutTranslation() throws IOException {
        List<String> faults = new ArrayList<>();
        int[] seen = {0};
        sources((file, code) -> {
            Matcher catches = CATCH.matcher(code);
            while (catches.find()) {
                seen[0]++;
                String block = inside(code, catches.end(), '{', '}');
                String e = catches.group(2);
                if (block.matches("(?s).*(\\b" + e + "\\.(getMessage|toString)\\(\\)|\\+ " + e + "\\b(?!\\.)).*")) {
                    faults.add(file + ": catch (" + catches.group(1) + " " + e + "): " + block.strip());
                }
            }
        });
        assertTrue(seen[0] > 30, "found only " + seen[0]);
        assertEquals(List.of(), faults);
    }

    @Test
    void theFormIsNotEmpty() {
        for (String bad : List.of(
                "basin: java.nio.file.AccessDeniedException: w",
                "basin: unexpected NumberFormatException in it",
                "basin: settings fgeCycle was 1, now 2",
                "basin: the span is NETS and not that",
                "basin: cannot read the file: null",
                "basin: a\u001b[31m b c d")) {
            assertFalse(MessageForm.faults(bad).isEmpty(), bad);
        }
        assertEquals(
                List.of(), MessageForm.faults("basin: /tmp/myFile.java: oneDNN needs 'RAW' FILEs, --lr 1e-3 was 5"));
    }
}
