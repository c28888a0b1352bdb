package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.cuda.Cuda;
import io.basin.data.DataSets;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Precision;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands on CUDA, on some hundred images of the real Fashion-MNIST. */
class CudaCommandsTest {
    private static final Path FASHION = Path.of("/usr/share/datasets/fashion-mnist");

    @TempDir
    Path folder;

    private Path data(int train, int test) {
        if (!Files.isDirectory(FASHION)) {
            System.out.println("NOT COVERED: real images, for " + FASHION + " is not here; synthetic ones are used");
            return Shell.grey(folder.resolve("data"), train, test);
        }
        return Shell.real(folder.resolve("data"), DataSets.load("fashion-mnist", FASHION, Progress.NONE), train, test);
    }

    private static Shell compare(Path data, Path out, String device, Object... more) {
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--out", out));
        args.addAll(List.of("--device", device, "--threads", 1, "--model", "mlp", "--batch-size", 20));
        args.addAll(List.of("--validation", 80, "--epochs", 2, "--lr", 0.02, "--methods", "sgd,swa,ema"));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    @Test
    void aComparisonRunsFromEndToEndAndItsWeightsScoreTheSameOnTheCpu() throws IOException {
        if (!Cuda.works()) return;
        Path data = data(280, 100);
        Path out = folder.resolve("out");
        Shell compared = compare(data, out, "cuda");
        assertEquals(0, compared.code(), compared.err());
        if (Cuda.software())
            assertTrue(Files.readString(out.resolve("report.html")).contains("software GPU"));
        int rows = 0;
        for (JsonNode row : Json.read(out.resolve("results.json")).path("rows")) {
            rows++;
            double accuracy = row.path("scores").get(0).path("accuracy").asDouble();
            assertTrue(accuracy > 0.3, row.toString());
        }
        assertEquals(3, rows);
        Path weights = find(out, "swa.safetensors");
        String cuda = evaluated(weights, data, "cuda");
        assertEquals(evaluated(weights, data, "cpu"), cuda);
    }

    /** Few images, for the software GPU takes its time over convolutions. */
    @Test
    void aComparisonOfConvolutionalNetsDoesToo() throws IOException {
        if (!Cuda.works()) return;
        Path data = data(60, 20);
        Path out = folder.resolve("out");
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--out", out));
        args.addAll(List.of("--device", "cuda", "--threads", 1, "--model", "small-cnn", "--batch-size", 10));
        args.addAll(List.of("--validation", 20, "--epochs", 2, "--cycles", 2, "--methods", "swa,snapshot"));
        Shell compared = Shell.run(args.toArray());
        assertEquals(0, compared.code(), compared.err());
        // The snapshots are combined in four ways.
        assertEquals(5, Json.read(out.resolve("results.json")).path("rows").size());
        Path weights = find(out, "swa.safetensors");
        assertEquals(evaluated(weights, data, "cpu"), evaluated(weights, data, "cuda"));
    }

    private static Path find(Path folder, String name) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> f.endsWith(name)).findFirst().orElseThrow();
        }
    }

    /** The line with the accuracy. */
    private static String evaluated(Path weights, Path data, String device) {
        Shell shell = Shell.run("evaluate", weights, "--data-dir", data, "--device", device, "--threads", 1);
        assertEquals(0, shell.code(), shell.err());
        return shell.out()
                .lines()
                .filter(l -> l.contains("accuracy"))
                .findFirst()
                .orElseThrow(() -> new AssertionError(shell.out()));
    }

    @Test
    void precisionsThatADeviceDoesNotComputeInAreRefusedByTheirFlag() {
        if (!Cuda.works()) return;
        Path data = data(100, 20); // Enough for a batch beside those for validation: nothing is asked about scores.
        try (Device device = Devices.open("cuda", 1)) {
            boolean able = device.supports(Precision.BF16);
            Shell bf16 = compare(data, folder.resolve("bf16"), "cuda", "--precision", "bf16");
            assertEquals(able ? 0 : 2, bf16.code(), bf16.err());
            assertTrue(
                    able
                            ? bf16.err().contains("computing in bf16")
                            : bf16.complaint().contains("--precision"),
                    bf16.err());
        }
        Shell tf32 = compare(data, folder.resolve("tf32"), "cpu", "--precision", "tf32");
        assertEquals(2, tf32.code(), tf32.err());
        assertTrue(tf32.complaint().contains("--precision"), tf32.err());
    }

    @Test
    void nobodyIsGivenTheSoftwareGpuWithoutAskingForIt() {
        if (!Cuda.software()) return;
        try (Device device = Devices.open("auto", 1)) {
            assertTrue(device.describe().startsWith("CPU"), device.describe());
        }
    }

    @Test
    void theDoctorTimesEachOperationOfAStepAndListsAlgorithms() {
        if (!Cuda.works()) return;
        for (String precision : List.of("strict", "bf16")) {
            String out = doctor("--times", "small-cnn", "--precision", precision);
            for (String row : List.of("batch ", "conv1 ", "conv1 backward", "bn4 backward", "update ", "sum ")) {
                assertTrue(out.lines().anyMatch(l -> l.startsWith(row)), out);
            }
            assertTrue(out.contains("copies ") && out.contains("the recorded step"), out);
            assertFalse(out.contains("NaN") || out.contains("Infinity"), out);
            assertEquals(Cuda.software(), out.contains("an emulator's on this processor"), out);
            String algorithms = doctor("--algorithms", "small-cnn", "--precision", precision);
            // Four convolutions; nobody asks for the gradient of the images.
            assertEquals(
                    11,
                    algorithms.lines().filter(l -> l.contains(": algorithm ")).count(),
                    algorithms);
        }
    }

    private static String doctor(String... arguments) {
        Object[] all = java.util.stream.Stream.concat(
                        java.util.stream.Stream.of("doctor", "--device", "cuda", "--batch-size", 2),
                        java.util.stream.Stream.of(arguments))
                .toArray();
        Shell shell = Shell.run(all);
        assertEquals(0, shell.code(), shell.err());
        return shell.out();
    }

    @Test
    void theDoctorNamesEachLibraryAndTriesAStep() {
        if (!Cuda.works()) return;
        Shell doctor = Shell.run("doctor", "--threads", 1);
        assertEquals(0, doctor.code(), doctor.err());
        for (String part : List.of(
                "libcuda.so.1: ",
                "libnvrtc.so.12: ",
                "libcublas.so.12: ",
                "libcudnn.so.9: ",
                "cuDNN convolution: right",
                "batch norm: right",
                "captured replay: right",
                "precision: fp32 computes convolutions in TF32")) {
            assertTrue(doctor.out().contains(part), doctor.out());
        }
        if (Cuda.software()) assertTrue(doctor.out().contains("software GPU"), doctor.out());
    }
}
