package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** NVIDIA's libraries serve from wherever installers put them, of CUDA 12 or 13, and with nothing on the linker's path but the driver. */
class LibraryPlacesTest {
    private static final String NVRTC = "libnvrtc.so.12";
    private static final String CUBLAS = "libcublas.so.12";
    private static final String CUDNN = "libcudnn.so.9";
    private static final List<String> ALL = List.of(NVRTC, CUBLAS, CUDNN);

    @TempDir
    Path folder;

    private final Map<String, String> environment = new LinkedHashMap<>();
    private Path built;
    private Path driver;
    private String classPath = System.getProperty("java.class.path");

    @BeforeEach
    void driverAlone() throws IOException {
        assumeTrue(Cuda.software());
        built = Libraries.DRIVER.find().path().toAbsolutePath().getParent();
        driver = copy(folder.resolve("driver"), "libcuda.so.1");
        environment.put("LD_LIBRARY_PATH", driver.toString());
        environment.put("BASIN_CACHE", folder.resolve("cache").toString());
        environment.put("PATH", folder + ":" + System.getenv("PATH"));
        python(""); // No package of this machine's.
    }

    private void python(String site) throws IOException {
        Path python = Files.writeString(folder.resolve("python3"), "#!/bin/sh\necho\necho " + site + "\n");
        assertTrue(python.toFile().setExecutable(true));
    }

    private Path copy(Path into, String... sonames) throws IOException {
        Files.createDirectories(into);
        for (String soname : sonames) Files.copy(built.resolve(soname), into.resolve(soname));
        return into;
    }

    private String open(String... arguments) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath,
                OpenCuda.class.getName());
        builder.command().addAll(List.of(arguments));
        builder.environment().keySet().removeAll(List.of("BASIN_CUDA", "VIRTUAL_ENV", "NVIDIA_TF32_OVERRIDE"));
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.strip().endsWith("alive"), said);
        return said;
    }

    private void opensFrom(Path... folders) throws IOException, InterruptedException {
        String said = open();
        assertTrue(said.contains("opened CUDA"), said);
        for (Path f : folders) assertTrue(said.contains("from " + f + File.separator), said);
    }

    private void refuses(String... words) throws IOException, InterruptedException {
        String said = open();
        String refusal =
                said.lines().filter(l -> l.startsWith("refused")).findFirst().orElse(said);
        for (String word : words) assertTrue(refusal.contains(word), said);
    }

    /** Runs on machines without a card must not wait for it. */
    @Test
    void withoutADriverPythonIsNotAsked() throws Exception {
        Path asked = folder.resolve("asked");
        python("$(touch " + asked + ")");
        Path file = driver.resolve("libcuda.so.1");
        Files.delete(file);
        refuses("no libcuda.so.1 was found: install ");
        assertFalse(Files.exists(asked));
        copy(driver, "libcuda.so.1");
        refuses("no libnvrtc.so.12 was found: install ");
        assertTrue(Files.exists(asked));
    }

    @Test
    void whatBasinCudaNamesComesBeforeTheLinkersPath() throws Exception {
        Path first = copy(folder.resolve("first"), NVRTC);
        Path toolkit = copy(folder.resolve("toolkit/lib64"), CUBLAS);
        copy(driver, NVRTC, CUBLAS, CUDNN);
        environment.put("BASIN_CUDA", first + ":" + toolkit.getParent());
        opensFrom(first, toolkit, driver);
    }

    @Test
    void aNamedFolderThatIsNotThereIsNotReplacedByAnother() throws Exception {
        copy(driver, NVRTC, CUBLAS, CUDNN);
        environment.put("BASIN_CUDA", folder.resolve("nothing").toString());
        refuses("$BASIN_CUDA names " + folder.resolve("nothing") + ", where no folder is");
        environment.put("BASIN_CUDA", "");
        refuses("$BASIN_CUDA is set and empty");
    }

    @Test
    void pythonsPackagesServeWithAFolderForEachLibrary() throws Exception {
        Path nvidia = folder.resolve("env/lib/python3.11/site-packages/nvidia");
        Path nvrtc = copy(nvidia.resolve("cuda_nvrtc/lib"), NVRTC);
        Path cublas = copy(nvidia.resolve("cublas/lib"), CUBLAS);
        environment.put("VIRTUAL_ENV", folder.resolve("env").toString());
        Path site = folder.resolve("site");
        Path cudnn = copy(site.resolve("nvidia/cudnn/lib"), CUDNN);
        python(site.toString());
        opensFrom(nvrtc, cublas, cudnn);
    }

    @Test
    void andSoDoesTheCache() throws Exception {
        opensFrom(copy(folder.resolve("cache/cuda"), NVRTC, CUBLAS, CUDNN));
    }

    @Test
    void aJarOnTheClassPathIsUnpackedOnce() throws Exception {
        classPath += File.pathSeparator + jar();
        String said = open();
        assertTrue(said.contains("opened CUDA"), said);
        assertTrue(said.contains("NVIDIA's own licence") && said.contains("unpacking " + CUBLAS), said);
        assertTrue(said.contains("from " + folder.resolve("cache/cuda/redist") + File.separator), said);
        said = open();
        assertTrue(said.contains("opened CUDA"), said);
        assertFalse(said.contains("unpacking"), said);
        Path cut = folder.resolve("cache/cuda/redist").resolve(CUDNN);
        Files.write(cut, Arrays.copyOf(Files.readAllBytes(cut), 1000));
        said = open();
        assertTrue(said.contains("unpacking " + CUDNN) && said.contains("opened CUDA"), said);
    }

    @Test
    void aDamagedJarIsRefused() throws Exception {
        Path jar = jar();
        byte[] bytes = Files.readAllBytes(jar);
        bytes[bytes.length / 2] ^= 1;
        Files.write(jar, bytes);
        classPath += File.pathSeparator + jar;
        refuses("cannot unpack NVIDIA's libraries", "is damaged in the jar: delete " + jar);
    }

    /** Stored, not compressed: a flipped bit is then seen by the sum alone. */
    private Path jar() throws IOException {
        Path jar = folder.resolve("redist.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream out = new ZipOutputStream(file)) {
            for (String soname : ALL) {
                byte[] bytes = Files.readAllBytes(built.resolve(soname));
                ZipEntry entry = new ZipEntry("org/bytedeco/cuda/linux-x86_64/" + soname);
                CRC32 sum = new CRC32();
                sum.update(bytes);
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(bytes.length);
                entry.setCrc(sum.getValue());
                out.putNextEntry(entry);
                out.write(bytes);
            }
        }
        return jar;
    }

    @Test
    void cuda13Serves() throws Exception {
        newDriver();
        Path set = folder.resolve("cuda-13");
        newer(set, NVRTC);
        newer(set, CUBLAS);
        newer(set, CUDNN);
        environment.put("BASIN_CUDA", set.toString());
        String said = open("diagnose");
        assertTrue(said.contains("opened CUDA"), said);
        for (String part : List.of("libnvrtc.so.13: ", "libcublas.so.13: ", "cuDNN convolution: right"))
            assertTrue(said.contains("finding " + part), said);
        // JCuda's halves for NVRTC and for cuBLAS.
        assertEquals(
                2, SearchPath.matching(folder.resolve("cache/natives-13"), "*").size());
    }

    @Test
    void anotherCudasNvrtcGoesWithTheRest() throws Exception {
        newDriver();
        newer(folder.resolve("new"), NVRTC);
        environment.put("BASIN_CUDA", folder.resolve("new").toString());
        copy(driver, CUBLAS, CUDNN);
        opensFrom(folder.resolve("new"), driver);
    }

    @Test
    void cudnnForAnotherCudaIsRefused() throws Exception {
        newDriver();
        newer(folder.resolve("new"), CUBLAS);
        copy(driver, NVRTC, CUDNN);
        environment.put("BASIN_CUDA", folder.resolve("new").toString());
        refuses("is cuDNN for CUDA 12, but ", "is cuBLAS of CUDA 13: install cuDNN 9 for CUDA 13", "BASIN_CUDA");
    }

    @Test
    void aDriverThatKnowsCuda12AloneIsNotGivenCuda13() throws Exception {
        Path set = folder.resolve("cuda-13");
        newer(set, NVRTC);
        environment.put("BASIN_CUDA", set.toString());
        refuses("found libnvrtc.so.13 in " + set + ", need libnvrtc.so.12: install ", "driver of version 580");
        copy(driver, NVRTC, CUBLAS, CUDNN);
        opensFrom(driver);
    }

    @Test
    void theDoctorLooksForTheBuiltinsAndNamesWhatDefeatsThePrecision() throws Exception {
        copy(driver, CUBLAS, CUDNN);
        Path set = copy(folder.resolve("set"), NVRTC);
        environment.put("BASIN_CUDA", set.toString());
        environment.put("NVIDIA_TF32_OVERRIDE", "1");
        String said = open("diagnose");
        assertTrue(said.contains("finding libnvrtc-builtins.so.12.6: not found beside " + set), said);
        assertTrue(said.contains("finding NVIDIA_TF32_OVERRIDE is set to 1: "), said);
        Path builtins = set.resolve("libnvrtc-builtins.so.12.6");
        Process compiler = new ProcessBuilder(
                        "g++",
                        "-shared",
                        "-x",
                        "c++",
                        "/dev/null",
                        "-o",
                        builtins.toString(),
                        "-Wl,-soname," + builtins.getFileName())
                .inheritIO()
                .start();
        assertEquals(0, compiler.waitFor());
        said = open("diagnose");
        assertTrue(said.contains("finding libnvrtc-builtins.so.12.6: in " + builtins), said);
    }

    private void newDriver() throws IOException {
        Path file = driver.resolve("libcuda.so.1");
        byte[] bytes = Files.readAllBytes(file);
        Files.delete(file);
        Files.write(file, replaced(bytes, new byte[] {(byte) 0xc7, 0x07}, 12060, 13000));
    }

    /** The software GPU's library as if it were CUDA 13's: its name, the hash of its version, and the version that cuDNN states. */
    private void newer(Path into, String soname) throws IOException {
        byte[] bytes = Files.readAllBytes(built.resolve(soname));
        String name = soname.replace(".so.12", ".so.13");
        if (soname.equals(CUDNN)) bytes = replaced(bytes, new byte[] {(byte) 0xb8}, 12060, 13000);
        else bytes = replaced(Elf.renamed(bytes, soname, name), new byte[0], Elf.hash(soname), Elf.hash(name));
        Files.write(Files.createDirectories(into).resolve(name), bytes);
    }

    /** The number that follows those bytes as another one; a library's name has its hash twice. */
    private static byte[] replaced(byte[] bytes, byte[] before, int from, int to) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes.clone()).order(ByteOrder.LITTLE_ENDIAN);
        int found = 0;
        for (int at = before.length; at + Integer.BYTES <= bytes.length; at++) {
            boolean preceded = Arrays.equals(bytes, at - before.length, at, before, 0, before.length);
            if (!preceded || buffer.getInt(at) != from) continue;
            buffer.putInt(at, to);
            found++;
        }
        assertEquals(before.length == 0 ? 2 : 1, found);
        return buffer.array();
    }
}
