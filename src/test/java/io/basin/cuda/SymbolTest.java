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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import jcuda.JCudaVersion;
import jcuda.jcudnn.JCudnn;
import org.junit.jupiter.api.Test;

/** A call of a symbol that a library lacks ends the JVM: none of ours may be to one, and each must be probed. */
class SymbolTest {
    /** Of ELF: the type of the section that holds the dynamic symbols, and the bytes of each. */
    private static final int DYNAMIC_SYMBOLS = 11;

    private static final int SYMBOL = 24;

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = SymbolTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    /** One of JCuda's native halves. */
    private static byte[] half(String name) throws IOException {
        return resource("/lib/lib" + name + "-" + JCudaVersion.get() + "-linux-x86_64.so");
    }

    /** The names that a native half looks for in other libraries: its undefined dynamic symbols. */
    private static Stream<String> imports(String name) throws IOException {
        ByteBuffer elf = ByteBuffer.wrap(half(name)).order(ByteOrder.LITTLE_ENDIAN);
        int sections = (int) elf.getLong(40);
        int size = elf.getShort(58);
        Stream.Builder<String> names = Stream.builder();
        for (int i = 0; i < elf.getShort(60); i++) {
            int section = sections + i * size;
            if (elf.getInt(section + 4) != DYNAMIC_SYMBOLS) continue;
            int first = (int) elf.getLong(section + 24);
            int end = first + (int) elf.getLong(section + 32);
            int texts = (int) elf.getLong(sections + elf.getInt(section + 40) * size + 24);
            for (int at = first; at < end; at += SYMBOL) {
                boolean undefined = elf.getShort(at + 6) == 0;
                if (undefined) names.add(text(elf, texts + elf.getInt(at)));
            }
        }
        return names.build();
    }

    private static String text(ByteBuffer elf, int at) {
        int end = at;
        while (elf.get(end) != 0) end++;
        return new String(elf.array(), at, end - at, StandardCharsets.US_ASCII);
    }

    /** The methods that JCuda's classes declare and its natives, which are newer, do not have. */
    private static List<String> absent() throws IOException {
        String library = new String(half("JCudnn"), StandardCharsets.ISO_8859_1);
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

    /** The software GPU exports what its lists name: were one short, the loader would end the JVM at the first call. */
    @Test
    void theSoftwareGpusListsNameWhatJcudasNativesImport() throws IOException {
        Map<String, String> halves =
                Map.of("cuda", "JCudaDriver", "nvrtc", "JNvrtc", "cublas", "JCublas2", "cudnn", "JCudnn");
        for (String library : halves.keySet()) {
            List<String> imported = imports(halves.get(library))
                    .filter(n -> n.matches("(cu|nvrtc|cublas|cudnn)[A-Z].*"))
                    .sorted()
                    .toList();
            List<String> listed = Files.readAllLines(Path.of("src/test/softgpu/lib" + library + ".txt"));
            assertEquals(imported, listed.stream().sorted().toList(), library);
        }
    }

    /** What NVIDIA's own libraries export, and their headers for the driver; each list begins with where it was read. */
    @Test
    void everySymbolThatIsCalledIsInNvidiasOwnLibraries() throws IOException {
        for (Library library : Libraries.ALL) {
            String list = "/io/basin/cuda/nvidia/" + library.soname().replaceAll("\\.so.*", ".txt");
            Set<String> real = new String(resource(list), StandardCharsets.UTF_8)
                    .lines()
                    .filter(l -> !l.startsWith("#"))
                    .collect(Collectors.toSet());
            Set<String> missing = new TreeSet<>(library.symbols());
            missing.removeAll(real);
            assertEquals(Set.of(), missing, list);
        }
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
        // JCuda's second name for one of cuBLAS' calls, whose compute type is of the newer kind.
        Set<String> called =
                called().stream().map(s -> s.replaceAll("_new$", "")).collect(Collectors.toSet());
        called.removeAll(probed);
        assertEquals(Set.of(), called);
    }
}
