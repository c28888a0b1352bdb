package io.basin.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.cli.Shell;
import io.basin.compare.Comparison;
import io.basin.cuda.Cuda;
import io.basin.device.AdamW;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Optimizer;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import io.basin.train.Model;
import io.basin.train.Splits;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    @TempDir
    Path folder;

    /** What {@link Devices#best} may be told to open; a GPU that is not here is printed, not hidden. */
    static Stream<String> devices() {
        return Cuda.works() ? Stream.of("cpu", "cuda") : Stream.of("cpu");
    }

    private static String printed(String device, Program program, String... args) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setProperty("basin.device", device);
        try {
            program.main(args);
        } finally {
            System.clearProperty("basin.device");
            System.setOut(before);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static double last(String what, String printed) {
        Matcher m = Pattern.compile(what + " ([0-9.]+)").matcher(printed);
        double value = Double.NaN;
        while (m.find()) value = Double.parseDouble(m.group(1));
        return value;
    }

    /** Lines between the class's braces that are not blank; what an example shows must not grow by what the API makes it repeat. */
    @ParameterizedTest
    @CsvSource({
        "OwnNet,15",
        "OwnVectors,15",
        "OwnPictures,15",
        "OwnTables,12",
        "OwnLoop,20",
        "OwnAdam,25",
        "OwnFunction,25",
        "Targets,15",
        "SaveAndLoad,12",
        "OwnComparison,20",
        "OwnEnsembles,15",
        "Threads,20",
        "WeightsByName,10"
    })
    void anExampleIsShort(String name, int most) throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/test/java/io/basin/examples", name + ".java"));
        int open = 0;
        while (!lines.get(open).startsWith("public final class")) open++;
        long inside = lines.subList(open + 1, lines.lastIndexOf("}")).stream()
                .filter(l -> !l.isBlank())
                .count();
        assertTrue(inside <= most, name + ": " + inside + " lines");
    }

    @ParameterizedTest
    @MethodSource("devices")
    void ownVectorsPicturesAndLoopsAreLearned(String device) throws Exception {
        assertTrue(last("accuracy", printed(device, OwnVectors::main)) > 0.9);
        String pictures = printed(device, OwnPictures::main);
        assertTrue(last("accuracy", pictures) > 0.9, pictures);
        String first = Samples.quadrants(Samples.points())[0] == 0 ? "row" : "column";
        assertTrue(pictures.startsWith(first + System.lineSeparator()), pictures);
        String loop = printed(device, OwnLoop::main);
        assertTrue(last("accuracy", loop) > 0.9, loop);
        assertEquals(600, loop.split(", of fc1 ").length - 1);
    }

    /** The variance of what is regressed is above 0.7, and a coin has a loss of 0.69. */
    @ParameterizedTest
    @MethodSource("devices")
    void numbersAndTagsAreLearned(String device) throws Exception {
        String[] losses = printed(device, Targets::main).split("\\R");
        assertTrue(last("loss", losses[0]) < 0.1, losses[0]);
        assertTrue(last("loss", losses[1]) < 0.2, losses[1]);
        assertTrue(last("loss", losses[2]) < 0.2, losses[2]);
    }

    @ParameterizedTest
    @MethodSource("devices")
    void aFileIsEnoughToPredictAndWeightsHaveNames(String device) throws Exception {
        String file = folder.resolve("net.safetensors").toString();
        String saved = printed(device, SaveAndLoad::main, file);
        // Java may warn of native access first.
        String loaded = another(device, SaveAndLoad.class, file);
        assertTrue(loaded.endsWith(saved), saved + loaded);
        assertTrue(saved.matches("(?s)\\[[^\\[]+\\]\\R\\[\\[[^\\[]+(\\[[^\\[]+){4}"), saved);
        String named = printed(device, WeightsByName::main);
        assertTrue(named.endsWith("1.5" + System.lineSeparator()), named);
        // fc2: 128 x 10 weights and 10 biases.
        assertTrue(
                Pattern.compile("fc2 +Dense +\\(10\\) +1,290\\R").matcher(named).find(), named);
    }

    @Test
    void anOwnNetLearnsAPublishedDataSet() throws Exception {
        assertTrue(last("accuracy", printed("cpu", OwnNet::main, "fashion-mnist", "4000")) > 0.7);
    }

    /** Few images, in a folder of the reader's own: a software GPU takes its time for 60,000. */
    @Test
    void anOwnNetLearnsOnAGpuWhatItLearnsOnACpu() throws Exception {
        if (!Cuda.works()) return;
        Shell.grey(folder.resolve("mnist"), 5256, 200);
        double cpu = ownNet("cpu");
        assertEquals(cpu, ownNet("cuda"), 0.021);
        assertTrue(cpu > 0.15, "accuracy " + cpu);
    }

    private double ownNet(String device) throws Exception {
        return last("accuracy", another(device, OwnNet.class, "mnist", "256"));
    }

    /** What a program prints in a process of its own. */
    private String another(String device, Class<?> program, String... args) throws Exception {
        ProcessBuilder java = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Dbasin.device=" + device,
                "-cp",
                Jvm.classPath(),
                program.getName());
        java.command().addAll(List.of(args));
        java.environment().put("BASIN_DATA", folder.toString());
        Process process = java.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said;
    }

    /** What bench/README.md says that the examples show is what they call. */
    @ParameterizedTest
    @CsvSource({
        "OwnLoop,model.gradient(",
        "OwnLoop,clipGradients(",
        "OwnLoop,nextRate(",
        "OwnLoop,nextAverage(",
        "OwnPictures,normalised(",
        "Targets,Samples.answers(",
        "SaveAndLoad,Model.load("
    })
    void anExampleUses(String name, String call) throws IOException {
        String source = Files.readString(Path.of("src/test/java/io/basin/examples", name + ".java"));
        assertTrue(source.contains(call), name + " does not call " + call);
    }

    @ParameterizedTest
    @MethodSource("devices")
    void twoModelsTrainAtOnceAndEightThreadsAskEach(String device) throws Exception {
        List<String> lines = printed(device, Threads::main).lines().toList();
        assertEquals(2, lines.size());
        for (String line : lines) assertTrue(line.matches("classes\\[([0-3])(, \\1){7}\\]"), line);
    }

    /** w = 1 - 0.5 * 1 = 0.5, and then, with v = 1.5, 0.5 - 0.25 * 1.5 = 0.125; their mean is 0.3125. */
    @Test
    void theFusedStepAveragesInMemoryOfTheCallers() throws Exception {
        if (!Cuda.works()) return;
        assertEquals(
                "average [0.3125, 1.3125, 2.3125, 3.3125]",
                printed("cuda", Borrowed::main).strip());
    }

    @ParameterizedTest
    @MethodSource("devices")
    void ownTablesTrainTheirAverage(String device) throws Exception {
        assertTrue(Double.parseDouble(printed(device, OwnTables::main)) > 0.5);
    }

    @ParameterizedTest
    @MethodSource("devices")
    void bothEnsemblesPredict(String device) throws Exception {
        List<String> lines = printed(device, OwnEnsembles::main).lines().toList();
        assertTrue(lines.get(0).matches("fge: 4 models, class [0-3]"), lines.toString());
        assertTrue(lines.get(1).matches("snapshot: 3 models, class [0-3]"), lines.toString());
    }

    @ParameterizedTest
    @MethodSource("devices")
    void anOwnMethodIsComparedWithPublishedOnesAndResumesWithoutTraining(String device) throws Exception {
        String table = printed(device, OwnComparison::main, folder.toString());
        for (String name : List.of("swa", "mine")) {
            assertEquals(1, table.lines().filter(l -> l.startsWith(name + " ")).count(), table);
        }
        try (Stream<Path> all = Files.walk(folder)) {
            assertEquals(3, all.filter(f -> f.endsWith("mine.safetensors")).count());
        }
        assertEquals(table, printed(device, OwnComparison::main, folder.toString()));
        for (String figure : List.of("arc", "corner", "width")) assertTrue(last(figure, table) > 0, table);
    }

    /** No config.json stands before a program's comparison: what is finished says itself what it is of. */
    @Test
    void aFinishedComparisonIsOfItsNetAndItsTablesAlone() {
        try (Device device = Devices.open("cpu", 1);
                Splits data = Small.splits(device)) {
            double[] rates = new double[8];
            Arrays.fill(rates, 0.05);
            compare(data, Small::net, rates, folder);
            compare(data, Small::net, rates, folder);
            String net = refused(() -> compare(data, ExamplesTest::wider, rates, folder));
            assertTrue(net.contains("was made with other settings: there 'net="), net);
            rates[7] = 0.04;
            String tables = refused(() -> compare(data, Small::net, rates, folder));
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

    private static void compare(Splits data, Supplier<Graph> net, double[] rates, Path folder) {
        Method own = new Method("own", Schedule.of("own", rates), Averaging.none(8), Method.Product.LAST);
        new Comparison(data, Small.settings(), net, List.of(own), new long[] {1}, folder).run("own", Map.of());
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

    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void aNetWithAFunctionOfOnesOwnTrains(Subject subject) {
        Graph g = new Graph(Shape.of(1, 8, 8));
        Value x = g.batchNorm(g.conv(g.input(), 8, 3));
        g.dense(g.maxPool(g.elementwise(x, new OwnFunction()), 2), 4);
        try (Device device = subject.open();
                Splits data = Small.splits(device);
                Model model = new Model(device, g)) {
            model.fit(data, Methods.swa(0.75, 0.01), new Budget(20, 0.05), 1);
            assertTrue(model.test(data).accuracy() > 0.9);
        }
    }

    private static double loss(Device device, Optimizer optimizer) {
        try (Splits data = Small.splits(device);
                Model model = new Model(device, Small.net())) {
            Method method = new Method("adam", Schedule.constant(40, 0.01), Averaging.none(40), Method.Product.LAST);
            model.fit(data, method, optimizer, 1, epoch -> {});
            return model.test(data).meanLoss();
        }
    }
}
