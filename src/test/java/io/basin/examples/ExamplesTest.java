package io.basin.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.compare.Comparison;
import io.basin.compare.Splits;
import io.basin.device.AdamW;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Optimizer;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.train.Training;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The examples run, do what they say, use nothing that a stranger cannot, and stay short. */
class ExamplesTest {
    private interface Program {
        void main(String[] args) throws Exception;
    }

    private static String printed(Program program, String... args) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            program.main(args);
        } finally {
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /** Lines between the class's braces. */
    @ParameterizedTest
    @CsvSource({"OwnTables,12", "OwnAdam,25", "OwnComparison,20", "OwnEnsembles,15"})
    void anExampleIsShort(String name, int most) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/test/java/io/basin/examples", name + ".java"));
        int open = lines.indexOf(lines.stream()
                .filter(l -> l.startsWith("public final class"))
                .findFirst()
                .orElseThrow());
        assertEquals("}", lines.get(lines.size() - 1));
        int between = lines.size() - open - 2;
        assertTrue(between <= most, name + ": " + between + " lines");
    }

    @Test
    void ownTablesTrainTheirAverage() throws Exception {
        assertTrue(Double.parseDouble(printed(OwnTables::main)) > 0.5);
    }

    @Test
    void bothEnsemblesPredict() throws Exception {
        List<String> lines = printed(OwnEnsembles::main).lines().toList();
        assertTrue(lines.get(0).matches("fge: 4 models, class [0-3]"), lines.toString());
        assertTrue(lines.get(1).matches("snapshot: 3 models, class [0-3]"), lines.toString());
    }

    @Test
    void anOwnMethodIsComparedWithPublishedOnesAndResumesWithoutTraining(@TempDir Path folder) throws Exception {
        String table = printed(OwnComparison::main, folder.toString());
        for (String name : List.of("sgd", "swa", "mine")) {
            assertEquals(1, table.lines().filter(l -> l.startsWith(name + " ")).count(), table);
        }
        try (Stream<Path> all = Files.walk(folder)) {
            assertEquals(3, all.filter(f -> f.endsWith("mine.safetensors")).count());
        }
        assertEquals(table, printed(OwnComparison::main, folder.toString()));
    }

    /** No config.json stands before a program's comparison: what is finished says itself what it is of. */
    @Test
    void aFinishedComparisonIsOfItsNetAndItsTablesAlone(@TempDir Path folder) {
        try (Device device = Devices.open("cpu", 1);
                Splits data = Small.splits(device)) {
            double[] rates = new double[8];
            Arrays.fill(rates, 0.05);
            compare(device, data, Small::net, rates, folder);
            compare(device, data, Small::net, rates, folder);
            String net = refused(() -> compare(device, data, ExamplesTest::wider, rates, folder));
            assertTrue(net.contains("was made with other settings: there 'net="), net);
            rates[7] = 0.04;
            String tables = refused(() -> compare(device, data, Small::net, rates, folder));
            assertTrue(tables.contains("was made with other settings: there 'tables="), tables);
        }
    }

    private static String refused(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    private static Graph wider() {
        Graph g = new Graph(Shape.of(1, 8, 8));
        g.dense(g.globalAveragePool(g.batchNormRelu(g.conv(g.input(), 16, 3))), 4);
        return g;
    }

    private static void compare(Device device, Splits data, Supplier<Graph> net, double[] rates, Path folder) {
        Method own = new Method("own", Schedule.of("own", rates), Averaging.none(8), Method.Product.LAST);
        new Comparison(device, data, net, List.of(own), new long[] {1}, folder).run("own", Map.of());
    }

    /** Adam is AdamW without decay: equal but for the order of its factors. */
    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void anOwnOptimizerTrainsAsTheLibrarysDoes(Subject subject) {
        try (Device device = subject.open()) {
            double own = loss(device, new OwnAdam());
            double library = loss(device, new AdamW(0));
            assertTrue(own < 1.2, "loss " + own);
            assertEquals(library, own, 1e-3);
        }
    }

    private static double loss(Device device, Optimizer optimizer) {
        try (Splits data = Small.splits(device, optimizer)) {
            Schedule rates = Schedule.constant(40, 0.01);
            Method method = new Method("adam", rates, Averaging.none(40), Method.Product.LAST);
            try (Training training = data.session(Small.net(), method, 1)) {
                while (training.step() < training.steps()) training.advance();
                return data.test(Small.net(), method, training).meanLoss();
            }
        }
    }
}
