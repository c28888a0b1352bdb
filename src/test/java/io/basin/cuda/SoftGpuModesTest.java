package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Cache;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What real libraries may do otherwise than the software GPU usually does: the tests that it concerns pass there too. */
class SoftGpuModesTest {
    private static final List<String> VENDOR = List.of(
            "io.basin.device.OpContractTest",
            "io.basin.cuda.PrecisionTest",
            "io.basin.cuda.AlgorithmsTest",
            "io.basin.train.DevicesAgreeTest");
    private static final List<String> KERNELS = List.of(
            "io.basin.cuda.NvrtcTest",
            "io.basin.cuda.AverageKernelTest",
            "io.basin.cuda.BatchKernelTest",
            "io.basin.cuda.CompilerTest",
            "io.basin.cuda.EnsembleKernelTest",
            "io.basin.cuda.KernelTrafficTest",
            "io.basin.cuda.LossKernelTest",
            "io.basin.cuda.NormKernelTest",
            "io.basin.cuda.PointwiseKernelTest",
            "io.basin.cuda.StepKernelTest",
            "io.basin.train.DevicesAgreeTest");

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
        if (NvrtcTest.folder().isEmpty()) {
            System.out.println("NOT COVERED: other modes of the software GPU, two minutes: run Maven with -Pnvrtc");
            return;
        }
        Path cache = Cache.folder("modes").resolve(mode.name());
        Path algorithms = cache.resolve("algorithms"); // Those chosen before a mode was changed.
        if (Files.isDirectory(algorithms)) {
            try (Stream<Path> files = Files.list(algorithms)) {
                for (Path file : files.toList()) Files.delete(file);
            }
        }
        ProcessBuilder builder = new ProcessBuilder(command(mode.tests)).redirectErrorStream(true);
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

    private static List<String> command(List<String> tests) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx1500m",
                "-Djava.awt.headless=true",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                RunTests.class.getName()));
        command.addAll(tests);
        return command;
    }
}
