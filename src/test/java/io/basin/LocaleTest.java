package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;
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

/** Figures, file names and pictures are the same whatever language the user speaks: nothing formats by the default locale. */
class LocaleTest {
    private static final Pattern BY_DEFAULT = Pattern.compile(
            "(?:String\\.format|\\bprintf|\\.formatted|ofPattern|DateTimeFormatter\\.ofLocalized\\w+)\\(\\s*+(?!Locale\\.ROOT\\b)(?!\"[^\"\n]*\", Locale\\.ROOT)"
                    + "|\\.to(?:Lower|Upper)Case\\(\\s*\\)|new (?:DecimalFormat|Formatter|SimpleDateFormat|Scanner)\\b"
                    + "|NumberFormat\\.get\\w+\\((?!Locale\\.ROOT)|MessageFormat");

    @Test
    void nothingFormatsByTheDefaultLocale() throws IOException {
        List<String> found = new ArrayList<>();
        int files = 0;
        try (Stream<Path> all = Files.walk(Path.of("src/main/java"))) {
            for (Path file : all.filter(f -> f.toString().endsWith(".java")).toList()) {
                files++;
                String code = Files.readString(file);
                Matcher calls = BY_DEFAULT.matcher(code);
                while (calls.find())
                    found.add(file + ":"
                            + code.substring(0, calls.start()).lines().count());
            }
        }
        assertTrue(files > 100);
        assertEquals(List.of(), found);
    }

    @Test
    void theCheckFindsWhatItLooksFor() {
        for (String call : List.of(
                "String.format(\"%d\", 1)",
                "out.printf(\n   \"%d\")",
                "\"%d\".formatted(1)",
                "s.toLowerCase()",
                "new DecimalFormat(\"0\")",
                "DateTimeFormatter.ofPattern(\"yyyy\")")) {
            assertTrue(BY_DEFAULT.matcher(call).find(), call);
        }
        for (String call : List.of(
                "String.format(Locale.ROOT, \"%d\", 1)",
                "s.toLowerCase(Locale.ROOT)", "DateTimeFormatter.ofPattern(\"yyyy\", Locale.ROOT)")) {
            assertTrue(!BY_DEFAULT.matcher(call).find(), call);
        }
    }
}
