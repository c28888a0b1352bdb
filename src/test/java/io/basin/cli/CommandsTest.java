package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.Devices;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands from end to end, on a small set of images that can be learnt. */
class CommandsTest {
    private static final List<Object> SMALL = List.of(
            "--model",
            "small-cnn",
            "--validation",
            40,
            "--batch-size",
            20,
            "--epochs",
            2,
            "--lr",
            0.02,
            "--snapshot-lr",
            0.02,
            "--device",
            "cpu",
            "--threads",
            1);

    @TempDir
    static Path shared;

    private static Path data;
    private static Path compared;
    private static Shell comparison;

    @TempDir
    Path folder;

    @BeforeAll
    static void compareEverything() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        compared = shared.resolve("compared");
        comparison = compare(compared, 2);
    }

    private static Shell compare(Path out, int seeds, Object... more) {
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data));
        args.addAll(SMALL);
        args.addAll(List.of("--methods", "sgd,swa,swa-cyclic,ema,lawa,tail,snapshot,fge,independent"));
        args.addAll(List.of("--seeds", seeds, "--out", out));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static JsonNode results(Path run) {
        return Json.read(run.resolve("results.json"));
    }

    @Test
    void everyMethodTrainsAtTheSameBudgetAndLearns() {
        assertEquals(0, comparison.code(), comparison.err());
        assertFalse(comparison.err().contains("warning"), comparison.err());
        int rows = 0;
        for (JsonNode row : results(compared).path("rows")) {
            rows++;
            if (row.path("combiner").asText().equals("one alone")) {
                assertEquals(1.0, row.path("epochs").asDouble(), 0.11);
                continue;
            }
            assertEquals(
                    2.0, row.path("epochs").asDouble(), 0.11, row.path("method").asText());
            assertEquals(2, row.path("scores").size());
            if (row.path("combiner").asText().equals("vote")) continue;
            for (JsonNode s : row.path("scores")) assertTrue(s.path("accuracy").asDouble() > 0.5, row.toString());
        }
        assertEquals(6 + 3 * 4 + 2, rows, "one independent net alone, and SGD's with its statistics measured anew");
    }

    @Test
    void theTableSaysSeedsIntervalsAndDifferences() {
        assertTrue(comparison.out().contains("vs SGD"), comparison.out());
        assertTrue(comparison.out().lines().anyMatch(l -> l.startsWith("independent ")), comparison.out());
        assertTrue(comparison.out().contains("SGD gains"), comparison.out());
        assertTrue(comparison.out().contains("swa against fge: "), comparison.out());
        assertTrue(comparison.out().contains("±"), comparison.out());
    }

    @Test
    void theFolderHoldsWhatAReaderNeedsOffline() throws IOException {
        String html = Files.readString(compared.resolve("report.html"));
        assertTrue(html.contains("<td>independent (ridge)</td>"), "other combiners stand in the report");
        assertTrue(html.contains("<svg"), "pictures are in the page");
        assertFalse(html.matches("(?s).*(src|href)=\"(http|//).*"), "nothing is loaded from a network");
        assertTrue(Files.size(compared.resolve("metrics.jsonl")) > 0);
        assertTrue(Files.exists(compared.resolve("config.json")));
        try (Stream<Path> all = Files.walk(compared)) {
            assertEquals(
                    List.of(), all.filter(f -> f.toString().endsWith(".tmp")).toList());
        }
    }

    @Test
    void aFinishedComparisonResumesToTheSameFiguresAndTheSameWeights() throws IOException {
        Path again = folder.resolve("again");
        copy(compared, again);
        Path lost = again.resolve("seed-2").resolve("fge");
        delete(lost);
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data));
        args.addAll(SMALL);
        args.addAll(List.of("--methods", "sgd,swa,swa-cyclic,ema,lawa,tail,snapshot,fge,independent", "--seeds", 2));
        args.addAll(List.of("--resume", again));
        Shell shell = Shell.run(args.toArray());
        assertEquals(0, shell.code(), shell.err());
        assertEquals(
                Json.text(results(compared).path("rows")),
                Json.text(results(again).path("rows")));
        try (Stream<Path> members = Files.list(lost)) {
            for (Path m : members.filter(f -> f.getFileName().toString().startsWith("member"))
                    .toList()) {
                Path before = compared.resolve(again.relativize(m));
                assertArrayEquals(Files.readAllBytes(before), Files.readAllBytes(m), m.toString());
            }
        }
    }

    @Test
    void theAverageIsTheMeanInDoubleOfTheSnapshotsStoredBesideIt() throws IOException {
        Path swa = compared.resolve("seed-1").resolve("swa");
        Map<String, double[]> sums = new HashMap<>();
        int n = 0;
        try (Stream<Path> files = Files.list(swa)) {
            for (Path member : files.filter(f -> f.getFileName().toString().startsWith("member-"))
                    .toList()) {
                n++;
                try (Safetensors in = Safetensors.open(member)) {
                    for (String name : in.tensors().keySet()) {
                        float[] values = in.floats(name);
                        double[] sum = sums.computeIfAbsent(name, key -> new double[values.length]);
                        for (int i = 0; i < values.length; i++) sum[i] += values[i];
                    }
                }
            }
        }
        assertTrue(n >= 5, n + " members");
        try (Safetensors in = Safetensors.open(swa.resolve("swa.safetensors"))) {
            for (String name : in.tensors().keySet()) {
                // Statistics are measured on the average, not averaged.
                if (name.contains("running")) continue;
                float[] average = in.floats(name);
                double[] sum = sums.get(name);
                for (int i = 0; i < average.length; i++) {
                    assertEquals(sum[i] / n, average[i], 1e-6 * Math.max(0.05, Math.abs(average[i])), name);
                }
            }
        }
    }

    @Test
    void evaluateMeasuresAWeightsFileAsTheComparisonDid() {
        Shell shell = Shell.run(
                "evaluate", compared.resolve("seed-1/sgd+ema/sgd.safetensors"), "--data-dir", data, "--threads", 1);
        assertEquals(0, shell.code(), shell.err());
        for (JsonNode row : results(compared).path("rows")) {
            if (!row.path("method").asText().equals("sgd")) continue;
            double accuracy = row.path("scores").path(0).path("accuracy").asDouble();
            assertTrue(shell.out().contains(String.format("accuracy %.2f %%", 100 * accuracy)), shell.out());
        }
    }

    @Test
    void predictNamesTheClassesOfPngs() throws IOException {
        Path png = folder.resolve("digit.png");
        ImageIO.write(new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY), "png", png.toFile());
        Path weights = compared.resolve("seed-1/swa/swa.safetensors");
        Shell shell = Shell.run("predict", weights, png, "--data-dir", data, "--top", 2);
        assertEquals(0, shell.code(), shell.err());
        assertTrue(shell.out().matches("(?s).*digit.png:  \\d+ [0-9.]+%  \\d+ [0-9.]+%\\s*"), shell.out());
        Path wide = folder.resolve("wide.png");
        ImageIO.write(new BufferedImage(30, 28, BufferedImage.TYPE_BYTE_GRAY), "png", wide.toFile());
        assertEquals(0, Shell.run("predict", weights, wide, "--data-dir", data).code());
        Shell wrong = Shell.run("predict", weights, wide, "--strict-size", "--data-dir", data);
        assertEquals(1, wrong.code());
        assertTrue(wrong.complaint().contains("30 x 28"), wrong.complaint());
    }

    @Test
    void predictSaysTheSameOfAPictureAndOfAnIdxFileOfTheSamePixels() throws IOException {
        Path idx = folder.resolve("one-idx3-ubyte");
        ByteBuffer images =
                ByteBuffer.allocate(16 + 784).putInt(0x803).putInt(1).putInt(28).putInt(28);
        BufferedImage eight = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
        BufferedImage sixteen = new BufferedImage(28, 28, BufferedImage.TYPE_USHORT_GRAY);
        for (int i = 0; i < 784; i++) {
            int grey = i / 28 * 9;
            images.put((byte) grey);
            eight.getRaster().setSample(i % 28, i / 28, 0, grey);
            sixteen.getRaster().setSample(i % 28, i / 28, 0, 257 * grey);
        }
        Files.write(idx, images.array());
        ImageIO.write(eight, "png", folder.resolve("8.png").toFile());
        ImageIO.write(sixteen, "png", folder.resolve("16.png").toFile());
        Path weights = compared.resolve("seed-1/swa/swa.safetensors");
        Shell shell = Shell.run(
                "predict",
                weights,
                idx,
                folder.resolve("8.png"),
                folder.resolve("16.png"),
                "--data-dir",
                data,
                "--top",
                10);
        assertEquals(0, shell.code(), shell.err());
        List<String> said =
                shell.out().lines().map(l -> l.substring(l.indexOf(":  "))).toList();
        assertEquals(3, said.size(), shell.out());
        assertEquals(List.of(said.get(0), said.get(0), said.get(0)), said);
    }

    /** In a process of its own: only there are the levels of the log those that a user has. */
    @Test
    void oneLineSaysWhyTheGpuIsNotTaken() throws Exception {
        Path weights = compared.resolve("seed-1/sgd+ema/sgd.safetensors");
        for (String device : new String[] {"auto", "cpu"}) {
            Child child = Child.start(folder, List.of("evaluate", weights, "--data-dir", data, "--device", device));
            assertEquals(0, child.code(), child.complained());
            boolean expected = device.equals("auto") && !opensUnasked("cuda");
            List<String> said = child.complained()
                    .lines()
                    .filter(l -> l.contains("computing on"))
                    .toList();
            assertEquals(expected ? 1 : 0, said.size(), child.complained());
            if (expected) assertTrue(said.get(0).contains("computing on cpu: cuda does not open: "), said.get(0));
        }
    }

    private static boolean opensUnasked(String name) {
        for (DeviceProvider provider : Devices.providers()) {
            if (!provider.name().equals(name)) continue;
            try (Device device = provider.openUnasked(1)) {
                return device != null;
            } catch (DeviceException e) {
                return false;
            }
        }
        return false;
    }

    @Test
    void scheduleSaysWhatARunWillDo() throws IOException {
        Path csv = folder.resolve("plan.csv");
        Path svg = folder.resolve("plan.svg");
        Shell shell = Shell.run(
                "schedule",
                "mnist",
                "--epochs",
                2,
                "--methods",
                "swa,fge",
                "--csv",
                csv,
                "--svg",
                svg,
                "--samples",
                1280,
                "--validation",
                128);
        assertEquals(0, shell.code(), shell.err());
        assertEquals(1 + 2 * 2 * 9, Files.readAllLines(csv).size());
        assertTrue(Files.readString(svg).contains("<svg"));
        assertTrue(shell.out().contains("18 steps"), shell.out());
    }

    @Test
    void dataListsWhatItKnowsAndDoctorTrains() {
        Shell list = Shell.run("data", "list");
        assertTrue(list.out().contains("fashion-mnist") && list.out().contains("cifar100"), list.out());
        Shell doctor = Shell.run("doctor", "--threads", 1, "--device", "cpu");
        assertEquals(0, doctor.code());
        assertTrue(doctor.out().contains("learns") && doctor.out().contains("oneDNN"), doctor.out());
        assertFalse(doctor.out().lines().anyMatch(l -> l.startsWith("cuda ")), doctor.out());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path f : all.toList())
                Files.copy(f, to.resolve(from.relativize(f).toString()));
        }
    }

    private static void delete(Path dir) throws IOException {
        try (Stream<Path> all = Files.walk(dir)) {
            for (Path f : all.sorted(java.util.Comparator.reverseOrder()).toList()) Files.delete(f);
        }
    }
}
