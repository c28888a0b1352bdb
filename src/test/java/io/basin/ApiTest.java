package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The public API, one line a signature, is a file under review: whoever changes it sees what consumers will see. A deliberate
 * change is recorded by {@code mvn -q test -Dtest=ApiTest -Dapi.record} and, where a line goes, told in CHANGELOG.md.
 *
 * <p>A text rather than japicmp: that compares with a released jar, which a clean clone without a network does not have.
 */
class ApiTest {
    private static final Path RECORDED = Path.of("src/test/resources/api.txt");
    /** Public only because the command line and ServiceLoader ask for it. */
    private static final List<String> INTERNAL = List.of("io.basin.cli", "io.basin.cpu");

    private static final List<String> OF_EVERY_OBJECT = List.of("equals", "hashCode", "toString");

    @Test
    void thePublicSignaturesAreTheRecordedOnes() throws Exception {
        Set<String> now = signatures();
        assertTrue(now.size() > 500, now.size() + " signatures");
        if (System.getProperty("api.record") != null) Files.write(RECORDED, now);
        assertEquals("", difference(Files.readAllLines(RECORDED), now));
    }

    @Test
    void aSignatureThatGoesAndOneThatComesAreNamed() {
        String said = difference(List.of("kept", "gone"), Set.of("kept", "new"));
        assertTrue(said.contains("- gone\n") && said.contains("+ new\n") && !said.contains("kept"), said);
    }

    private static String difference(List<String> recorded, Set<String> now) {
        Stream<String> gone = recorded.stream().filter(s -> !now.contains(s)).map(s -> "- " + s + "\n");
        Stream<String> came = now.stream().filter(s -> !recorded.contains(s)).map(s -> "+ " + s + "\n");
        List<String> lines = Stream.concat(gone, came).toList();
        if (lines.isEmpty()) return "";
        return "the public API changed; if you mean it: mvn -q test -Dtest=ApiTest -Dapi.record\n"
                + String.join("", lines);
    }

    private static Set<String> signatures() throws ClassNotFoundException {
        Map<String, List<String>> all = new TreeMap<>();
        var classes = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.basin");
        for (var c : classes) {
            if (INTERNAL.contains(c.getPackageName())) continue;
            Class<?> type = Class.forName(c.getName(), false, ApiTest.class.getClassLoader());
            if (isVisible(type)) all.put(type.getName(), signatures(type));
        }
        Set<String> lines = new LinkedHashSet<>();
        all.values().forEach(lines::addAll);
        return lines;
    }

    private static boolean isVisible(Class<?> type) {
        if (type.isAnonymousClass() || type.isLocalClass()) return false;
        if (!isVisible(type.getModifiers())) return false;
        return type.getEnclosingClass() == null || isVisible(type.getEnclosingClass());
    }

    private static boolean isVisible(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    private static List<String> signatures(Class<?> type) {
        List<String> lines = new ArrayList<>();
        StringBuilder head = new StringBuilder(type.toGenericString());
        if (type.getGenericSuperclass() != null)
            head.append(" extends ").append(type.getGenericSuperclass().getTypeName());
        for (var i : type.getGenericInterfaces()) head.append(" implements ").append(i.getTypeName());
        lines.add(head.toString());
        Stream.of(type.getDeclaredFields(), type.getDeclaredConstructors(), type.getDeclaredMethods())
                .flatMap(Arrays::stream)
                .map(Member.class::cast)
                .filter(m -> isVisible(m.getModifiers()) && !m.isSynthetic() && !OF_EVERY_OBJECT.contains(m.getName()))
                .map(m -> "    " + (m instanceof Executable e ? e.toGenericString() : ((Field) m).toGenericString()))
                .sorted()
                .forEach(lines::add);
        return lines;
    }
}
