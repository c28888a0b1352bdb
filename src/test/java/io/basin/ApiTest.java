package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
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
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The API ({@link Api}), one line a signature, is a file under review: whoever changes it sees what consumers will see. A deliberate
 * change is recorded by {@code mvn -q test -Dtest=ApiTest -Dapi.record} and, where a line goes, told in CHANGELOG.md.
 *
 * <p>A text rather than japicmp: nothing is published yet that this could compare with, a clean clone has no network, and a jar kept
 * here for it would be a file that nobody can review. The text also tells what comes, not only what breaks.
 */
class ApiTest {
    private static final Path RECORDED = Path.of("src/test/resources/api.txt");
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.basin");

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

    /** Whether the type, or the one around it, is marked. */
    private static boolean isApi(JavaClass c) {
        return c.isAnnotatedWith(Api.class)
                || c.getEnclosingClass().map(ApiTest::isApi).orElse(false);
    }

    private static Set<String> signatures() throws ClassNotFoundException {
        Map<String, List<String>> all = new TreeMap<>();
        for (JavaClass c : CLASSES) {
            if (!isApi(c)) continue;
            Class<?> type = Class.forName(c.getName(), false, ApiTest.class.getClassLoader());
            if (isVisible(type)) all.put(type.getName(), signatures(type));
        }
        Set<String> lines = new LinkedHashSet<>();
        all.values().forEach(lines::addAll);
        return lines;
    }

    /** Else a program would hold, or have to make, something that it may not rely on. */
    @Test
    void whatTheApiTakesAndReturnsIsApi() throws Exception {
        Set<String> unmarked = new TreeSet<>();
        int checked = 0;
        Pattern name = Pattern.compile("io\\.basin\\.[\\w.$]+");
        for (String line : signatures()) {
            Matcher m = name.matcher(line.replaceAll("\\(?(io\\.basin\\.[\\w.$]+)\\.\\w+\\(", "("));
            while (m.find()) {
                checked++;
                if (CLASSES.contain(m.group()) && !isApi(CLASSES.get(m.group())))
                    unmarked.add(m.group() + " in " + line);
            }
        }
        assertEquals(Set.of(), unmarked);
        assertTrue(checked > 500, checked + " names");
    }

    @Test
    void theExamplesUseTheApiAlone() {
        Set<String> others = new TreeSet<>();
        for (JavaClass example : new ClassFileImporter().importPackages("io.basin.examples")) {
            if (example.getName().contains("Test")) continue;
            for (Dependency d : example.getDirectDependenciesFromSelf()) {
                JavaClass on = d.getTargetClass().getBaseComponentType();
                if (CLASSES.contain(on.getName()) && !isApi(CLASSES.get(on.getName()))) others.add(d.getDescription());
            }
        }
        assertEquals(Set.of(), others);
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
