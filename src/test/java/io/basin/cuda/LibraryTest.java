package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is missing on a machine, the answer is a sentence with a way out: no stack trace and no dead JVM. */
class LibraryTest {
    private static final List<String> SONAMES =
            Libraries.ALL.stream().map(Library::soname).toList();
    private static final Map<String, String> OTHER_MAJORS = Map.of(
            "libnvrtc.so.12", "libnvrtc.so.11.2",
            "libcublas.so.12", "libcublas.so.11",
            "libcudnn.so.9", "libcudnn.so.8");

    @TempDir
    Path folder;

    private Path built;

    /** Fills the folder with links to the software GPU's libraries. */
    @BeforeEach
    void link() throws IOException {
        if (!Cuda.software()) return;
        built = Libraries.DRIVER.find().path().toAbsolutePath().getParent();
        for (String soname : SONAMES) Files.createSymbolicLink(folder.resolve(soname), built.resolve(soname));
    }

    @AfterEach
    void unlink() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) Files.delete(file);
        }
    }

    /** What the process said before it ended, as it must, in good health. */
    private String open() throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                OpenCuda.class.getName());
        builder.environment().put("LD_LIBRARY_PATH", folder.toString());
        builder.environment().remove("BASIN_CUDA"); // Where SoftGpuModesTest finds NVIDIA's own NVRTC.
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.strip().endsWith("alive"), said);
        assertFalse(said.contains("\tat "), said);
        return said.lines()
                .filter(l -> l.startsWith("opened") || l.startsWith("refused"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(said));
    }

    @Test
    void withAllOfThemItOpensAndSaysThatItIsTheSoftwareGpu() throws Exception {
        if (!Cuda.software()) return;
        assertTrue(open().startsWith("opened CUDA, software GPU"));
    }

    @Test
    void eachMissingLibraryIsNamedWithWhatToInstall() throws Exception {
        if (!Cuda.software()) return;
        for (String soname : SONAMES) {
            Files.delete(folder.resolve(soname));
            String said = open();
            assertTrue(said.startsWith("refused no " + soname + " was found: install "), said);
            Files.createSymbolicLink(folder.resolve(soname), built.resolve(soname));
        }
    }

    @Test
    void anotherMajorVersionIsNamedBesideTheOneThatIsNeeded() throws Exception {
        if (!Cuda.software()) return;
        for (String soname : OTHER_MAJORS.keySet()) {
            String other = OTHER_MAJORS.get(soname);
            Files.move(folder.resolve(soname), folder.resolve(other));
            String said = open();
            assertTrue(
                    said.startsWith("refused found " + other + " in " + folder + ", need " + soname + ": install "),
                    said);
            Files.move(folder.resolve(other), folder.resolve(soname));
        }
    }

    /** Another library under the right name: the loader takes it, and each call would end the process. */
    @Test
    void aLibraryWithoutTheSymbolsIsRefusedBeforeAnyCall() throws Exception {
        if (!Cuda.software()) return;
        for (String soname : SONAMES.subList(1, SONAMES.size())) {
            Files.delete(folder.resolve(soname));
            Path hollow = hollow(soname);
            String said = open();
            assertTrue(said.startsWith("refused " + soname + " in " + hollow + " lacks "), said);
            assertTrue(said.contains(": install "), said);
            Files.delete(hollow);
            Files.createSymbolicLink(folder.resolve(soname), built.resolve(soname));
        }
    }

    @Test
    void aDamagedLibraryIsRefusedInTheLoadersWords() throws Exception {
        if (!Cuda.software()) return;
        Path file = folder.resolve("libcudnn.so.9");
        Files.delete(file);
        Files.writeString(file, "not a library");
        String said = open();
        assertTrue(said.startsWith("refused libcudnn.so.9 cannot be loaded ("), said);
    }

    /** Cut to half, as by a full disk: the linker would map the rest and end the process with SIGBUS. */
    @Test
    void eachLibraryThatIsCutShortIsNamedAndTheProcessLives() throws Exception {
        if (!Cuda.software()) return;
        for (String soname : SONAMES) {
            Path file = folder.resolve(soname);
            Files.delete(file);
            byte[] whole = Files.readAllBytes(built.resolve(soname));
            Files.write(file, Arrays.copyOf(whole, whole.length / 2));
            String said = open();
            String expected = "refused " + soname + " cannot be loaded (" + file + " is cut short: it ";
            assertTrue(said.startsWith(expected) && said.contains("): install "), said);
            Files.delete(file);
            Files.createSymbolicLink(file, built.resolve(soname));
        }
    }

    /** cuDNN loads its parts when they are used, NVRTC its builtins: a cut one would end the process in mid-training. */
    @Test
    void soIsAPartThatTheLibraryLoadsItself() throws Exception {
        if (!Cuda.software()) return;
        for (String part : List.of("libcudnn_ops.so.9", "libnvrtc-builtins.so.12.6", "libcublasLt.so.12")) {
            Path file = folder.resolve(part);
            byte[] whole = Files.readAllBytes(built.resolve("libcudnn.so.9"));
            Files.write(file, Arrays.copyOf(whole, whole.length / 2));
            String said = open();
            assertTrue(said.startsWith("refused lib") && said.contains("(" + file + " is cut short: it "), said);
            Files.delete(file);
        }
    }

    /** Two versions may share a folder; NVRTC loads the builtins of its own. */
    @Test
    void builtinsOfAnotherVersionNeedNotBeSound() throws Exception {
        if (!Cuda.software()) return;
        Path link = folder.resolve("libnvrtc.so.12");
        Files.delete(link);
        Files.copy(built.resolve("libnvrtc.so.12"), folder.resolve("libnvrtc.so.12.6.85"));
        Files.createSymbolicLink(link, Path.of("libnvrtc.so.12.6.85"));
        byte[] whole = Files.readAllBytes(built.resolve("libcudnn.so.9"));
        Files.write(folder.resolve("libnvrtc-builtins.so.12.4"), Arrays.copyOf(whole, whole.length / 2));
        String said = open();
        assertTrue(said.startsWith("opened"), said);
    }

    /** Without it the first call would end the process. */
    @Test
    void aPartThatASplitCudnnLacksIsNamed() throws Exception {
        if (!Cuda.software()) return;
        Path file = folder.resolve("libcudnn.so.9");
        Files.delete(file);
        byte[] names = "libcudnn_graph.so".getBytes(StandardCharsets.US_ASCII);
        Files.write(file, Files.readAllBytes(built.resolve("libcudnn.so.9")));
        Files.write(file, names, StandardOpenOption.APPEND);
        String said = open();
        assertTrue(said.startsWith("refused libcudnn.so.9 in " + file + " lacks its part libcudnn_graph.so.9: "), said);
    }

    @Test
    void whatLiesThereInsteadOfALibraryIsNamed() throws Exception {
        if (!Cuda.software()) return;
        Path file = folder.resolve("libcublas.so.12");
        Files.delete(file);
        Files.createFile(file);
        assertTrue(open().contains("(" + file + " is empty): install "));
        Files.delete(file);
        Files.createDirectory(file);
        assertTrue(open().contains("(" + file + " is a folder): install "));
        Files.delete(file);
        Files.createSymbolicLink(file, folder.resolve("nothing"));
        assertTrue(open().contains("(" + file + " is a link to nothing): install "));
    }

    private Path hollow(String soname) throws IOException, InterruptedException {
        Path file = folder.resolve(soname);
        Process compiler = new ProcessBuilder(
                        "g++", "-shared", "-x", "c++", "/dev/null", "-Wl,-soname," + soname, "-o", file.toString())
                .inheritIO()
                .start();
        assertEquals(0, compiler.waitFor());
        return file;
    }
}
