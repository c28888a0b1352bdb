package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import jcuda.JCudaVersion;
import jcuda.jcudnn.JCudnn;
import org.junit.jupiter.api.Test;

/** A call of a symbol that a library lacks ends the JVM: none of ours may be to one, and each must be probed. */
class SymbolTest {
    private static final String NATIVES = "/lib/libJCudnn-" + JCudaVersion.get() + "-linux-x86_64.so";

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = SymbolTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    /** The methods that JCuda's classes declare and its natives, which are newer, do not have. */
    private static List<String> absent() throws IOException {
        String library = new String(resource(NATIVES), StandardCharsets.ISO_8859_1);
        return Arrays.stream(JCudnn.class.getDeclaredMethods())
                .filter(m -> Modifier.isNative(m.getModifiers()))
                .map(Method::getName)
                .filter(n -> n.startsWith("cudnn"))
                .filter(n -> !library.contains("Java_jcuda_jcudnn_JCudnn_" + n.replace("_", "_1") + "\0"))
                .map(n -> n.replaceAll("Native$", ""))
                .sorted()
                .toList();
    }

    private static List<String> committed() throws IOException {
        return new String(resource("/io/basin/cuda/absent-in-cudnn-9.txt"), StandardCharsets.UTF_8)
                .lines()
                .sorted()
                .toList();
    }

    /** Names of the vendor's functions that the device's classes call through JCuda. */
    private static Set<String> called() {
        Set<String> names = new TreeSet<>();
        for (JavaClass c : new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("io.basin.cuda")) {
            for (JavaMethodCall call : c.getMethodCallsFromSelf()) {
                String name = call.getName();
                boolean jcuda = call.getTargetOwner().getPackageName().startsWith("jcuda");
                if (jcuda && name.matches("(cu|cublas|cudnn|nvrtc)[A-Z].*")) names.add(name);
            }
        }
        return names;
    }

    @Test
    void theCommittedListNamesWhatJcudnnDeclaresAndCudnn9Lacks() throws IOException {
        assertEquals(55, committed().size());
        assertEquals(committed(), absent());
    }

    @Test
    void nothingThatCudnn9LacksIsCalled() throws IOException {
        Set<String> called = called();
        assertTrue(called.size() > 50, called.toString());
        called.retainAll(committed());
        assertEquals(Set.of(), called);
    }

    @Test
    void everyCallIsProbedBeforeItIsMade() {
        Set<String> probed = Libraries.ALL.stream()
                .flatMap(l -> l.symbols().stream())
                .map(s -> s.replaceAll("_v2$", ""))
                .map(s -> s.equals("cuGraphInstantiateWithFlags") ? "cuGraphInstantiate" : s)
                .collect(Collectors.toSet());
        Set<String> called = called();
        called.removeAll(probed);
        assertEquals(Set.of(), called);
    }
}
