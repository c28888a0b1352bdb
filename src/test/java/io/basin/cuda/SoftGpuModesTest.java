package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.device.Cache;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What real libraries may do otherwise than the software GPU usually does: in each of its modes a few classes pass that it concerns
 * most, and with {@code -Dmodes=all}, which takes long, all that open a CUDA device.
 */
class SoftGpuModesTest {
    private static final boolean ALL = "all".equals(System.getProperty("modes"));
    private static final Path SOURCES = Path.of("src", "test", "java");
    private static final Pattern OPENS = Pattern.compile("Cuda\\.(works|software)\\(|Gpu\\.run\\(|#all\\b");
    /** This, and programs of a user's, which are slow and compute nothing that the others do not. */
    private static final Set<String> LEFT_OUT =
            Set.of("SoftGpuModesTest", "HardwareCheckTest", "ExamplesTest", "AverageExamplesTest", "ReadmeTest");

    private static final List<String> VENDOR =
            List.of("io.basin.cuda.PrecisionTest", "io.basin.cuda.AlgorithmsTest", "io.basin.train.StepContractTest");
    private static final List<String> KERNELS = List.of(
            "io.basin.cuda.NvrtcTest",
            "io.basin.cuda.CompilerTest",
            "io.basin.cuda.LossKernelTest",
            "io.basin.cuda.NormKernelTest",
            "io.basin.cuda.StepKernelTest");

    private enum Mode {
        /**
         * Products and poolings sum in float32, as a GPU's do; cuDNN lacks what it may lack in float32 with channels last, and calls
         * TF32 by its older name.
         */
        VENDOR_LIBRARIES(
                VENDOR,
                Map.of(
                        "BASIN_SOFTGPU_SUM",
                        "float32",
                        "BASIN_SOFTGPU_CUDNN",
                        "refuse-nhwc-fma-forward,random-nhwc-fma-data,refuse-nhwc-fma-filter,tensor-op")),
        /** NVIDIA's own NVRTC, which {@code mvn -Pnvrtc} unpacks, compiles for a GPU that it does not know, and so to PTX. */
        NVRTC(KERNELS, Map.of("BASIN_SOFTGPU_CC", "91"));

        final List<String> tests;
        final Map<String, String> environment;

        Mode(List<String> tests, Map<String, String> environment) {
            this.tests = tests;
            this.environment = environment;
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatConcernsItPassesIn(Mode mode) throws IOException, InterruptedException {
        if (!Cuda.software()) return;
        if (NvrtcTest.folder().isEmpty() && (mode == Mode.NVRTC || !ALL)) {
            System.out.println("NOT COVERED: the software GPU's mode " + mode + ": run Maven with -Pnvrtc");
            return;
        }
        Path cache = Cache.folder("modes").resolve(mode.name());
        Path algorithms = cache.resolve("algorithms"); // Those chosen before a mode was changed.
        if (Files.isDirectory(algorithms)) {
            try (Stream<Path> files = Files.list(algorithms)) {
                for (Path file : files.toList()) Files.delete(file);
            }
        }
        ProcessBuilder builder = new ProcessBuilder(command(ALL ? all(mode) : mode.tests)).redirectErrorStream(true);
        builder.environment().putAll(mode.environment);
        builder.environment().put("BASIN_CACHE", cache.toString());
        if (mode == Mode.NVRTC) {
            builder.environment().put("BASIN_CUDA", NvrtcTest.folder().get().toString());
        }
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), mode + ":\n" + said);
        System.out.println(mode + ": " + said.strip().replaceAll("(?s).*\n", ""));
    }

    /** Classes of tests that open a CUDA device. */
    private static List<String> all(Mode mode) throws IOException {
        List<String> found = new ArrayList<>(mode == Mode.NVRTC ? List.of("io.basin.cuda.NvrtcTest") : List.of());
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file : files.sorted().toList()) {
                String name = file.getFileName().toString().replaceAll("\\.java$", "");
                if (!name.endsWith("Test") || LEFT_OUT.contains(name)) continue;
                if (!OPENS.matcher(Files.readString(file)).find()) continue;
                found.add(SOURCES.relativize(file)
                        .toString()
                        .replace(File.separatorChar, '.')
                        .replaceAll("\\.java$", ""));
            }
        }
        assertTrue(found.size() > 40, found.toString());
        return found;
    }

    private static List<String> command(List<String> tests) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                ALL ? "-Xmx3g" : "-Xmx1500m",
                "-Djava.awt.headless=true",
                "-cp",
                Jvm.classPath(),
                RunTests.class.getName()));
        command.addAll(tests);
        return command;
    }
}
