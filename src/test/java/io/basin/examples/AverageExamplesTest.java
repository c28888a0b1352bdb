package io.basin.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.torch.GoldenProcess;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples whose training loop is somebody else's. */
class AverageExamplesTest {
    @TempDir
    Path folder;

    private interface Program {
        void main(String[] args);
    }

    private static String printed(Program program) {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            program.main(new String[0]);
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static double[] after(String what, String printed) {
        Matcher m = Pattern.compile("(?m)^" + what + " (\\S+)(?: (\\S+))?$").matcher(printed);
        assertTrue(m.find(), printed);
        double second = m.group(2) == null ? Double.NaN : Double.parseDouble(m.group(2));
        return new double[] {Double.parseDouble(m.group(1)), second};
    }

    /** The points lie about 3 x + 1: the average is nearer than the last weights, which the last points pulled about. */
    @Test
    void aPlainLoopHasItsWeightsAveragedInTwelveLines() throws IOException {
        String printed = printed(PlainLoop::main);
        double[] last = after("last", printed);
        double[] average = after("average", printed);
        double off = Math.hypot(average[0] - 3, average[1] - 1);
        assertTrue(off < 0.1, printed);
        assertTrue(off < Math.hypot(last[0] - 3, last[1] - 1), printed);
        List<String> lines = Files.readAllLines(Path.of("src/test/java/io/basin/examples/PlainLoop.java"));
        int try0 = 0;
        while (!lines.get(try0).contains("try (Averager")) try0++;
        assertTrue(lines.lastIndexOf("        }") - try0 <= 12);
    }

    /** 1, then (1 + 2) / 2, then (1.5 + 3) / 2. */
    @Test
    void aJcudaProgramHasItsWeightsAveragedOnItsStream() {
        if (!Cuda.works()) return;
        List<String> lines = printed(JCudaLoop::main).lines().toList();
        assertEquals(List.of("average [2.25, 4.5, -2.25]", "weights [3.0, 6.0, -3.0]"), lines);
    }

    @Test
    void libtorchTrainsAndEvaluatesANetWhoseAverageIsOurs() throws IOException {
        Path log = folder.resolve("log.txt");
        GoldenProcess.run(TorchLoop.class, List.of(), log, 300);
        String printed = Files.readString(log);
        requireAverage(printed, List.of("fc1.weight", "fc1.bias", "bn.weight", "bn.bias", "fc2.weight", "fc2.bias"));
    }

    /** DJL unpacks its natives where it is told to, and asks the network for none. */
    @Test
    void djlTrainsAndEvaluatesANetWhoseAverageIsOurs() throws IOException {
        Path log = folder.resolve("log.txt");
        GoldenProcess.run(
                DjlLoop.class, List.of(), log, 300, Map.of("DJL_CACHE_DIR", "target/djl", "DJL_OFFLINE", "true"));
        String printed = Files.readString(log);
        requireAverage(printed, List.of("01Linear_weight", "01Linear_bias", "02BatchNorm_gamma", "02BatchNorm_beta"));
    }

    private static void requireAverage(String printed, List<String> names) {
        for (String name : names) assertTrue(after(name + " off by", printed)[0] < 1e-6, printed);
        assertTrue(after("logits off by", printed)[0] < 1e-4, printed);
        assertTrue(after("accuracy", printed)[0] > 0.9, printed);
    }
}
