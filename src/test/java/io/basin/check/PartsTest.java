package io.basin.check;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.commons.annotation.Testable;

/** What the parts name exists: on a card, a single unknown class keeps all tests of its program from running. */
class PartsTest {
    private static final List<Part> ALL = new Parts(Path.of("home"), Path.of("work"), false).all();

    /** Whether JUnit takes it for a test: its annotation is, at some depth, a testable one. */
    private static boolean testable(AnnotatedElement element) {
        for (Annotation a : element.getDeclaredAnnotations()) {
            Class<?> type = a.annotationType();
            if (type == Testable.class) return true;
            if (!type.getName().startsWith("java.") && testable(type)) return true;
        }
        return false;
    }

    private static List<String> named(List<String> program) {
        List<String> names = new ArrayList<>();
        for (int i = 1; i < program.size(); i++) if (program.get(i - 1).equals("-c")) names.add(program.get(i));
        return names;
    }

    @Test
    void everyTestClassOfEveryPartExistsAndHasTests() {
        List<String> names = ALL.stream()
                .flatMap(p -> p.programs().stream())
                .flatMap(p -> named(p).stream())
                .toList();
        assertTrue(names.size() > 20, "the parts name " + names.size() + " test classes");
        assertEquals(names.stream().distinct().toList(), names);
        for (String name : names) {
            Class<?> type = assertDoesNotThrow(
                    () -> Class.forName(name, false, PartsTest.class.getClassLoader()), "no class " + name);
            boolean tests = Arrays.stream(type.getDeclaredMethods()).anyMatch(PartsTest::testable);
            assertTrue(tests, name + " has no tests");
        }
    }

    @Test
    void everyProgramOfEveryPartHasAMainClass() {
        for (Part part : ALL) {
            for (List<String> program : part.programs()) {
                int at = program.indexOf("-cp") + 2;
                if (at < 2) continue;
                List<String> words = program.subList(at, program.size());
                String main = words.stream()
                        .filter(w -> !w.startsWith("-"))
                        .findFirst()
                        .orElse("");
                // The launcher is in the packed check alone.
                if (main.startsWith("org.junit.")) continue;
                assertDoesNotThrow(
                        () -> Class.forName(main).getMethod("main", String[].class), part.name() + ": " + main);
            }
        }
    }
}
