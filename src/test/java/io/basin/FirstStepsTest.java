package io.basin;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.compare.Comparison;
import io.basin.compare.MethodRun;
import io.basin.compare.Monitor;
import io.basin.compare.Options;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Distortion;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.Initializer;
import io.basin.device.Loss;
import io.basin.device.Optimizer;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.io.Notices;
import io.basin.landscape.Connection;
import io.basin.landscape.Curve;
import io.basin.landscape.CurveTraining.CurveConfig;
import io.basin.landscape.LandscapeData;
import io.basin.landscape.Net;
import io.basin.landscape.Rays;
import io.basin.landscape.Surface;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import io.basin.methods.Swa;
import io.basin.methods.Swag;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.report.HtmlReport;
import io.basin.report.Made;
import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.NetMemory;
import io.basin.train.Outlook;
import io.basin.train.Settings;
import io.basin.train.Splits;
import io.basin.train.Stepped;
import io.basin.train.Trainer;
import io.basin.train.Training;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a program gets wrong in its first hour is answered in one sentence, at once, by the name that it knows. */
class FirstStepsTest {
    /** Where a program begins: what it constructs, and the factories that it calls. */
    private static final List<Class<?>> ENTRIES = List.of(
            Dataset.class,
            TrainTest.class,
            DataSets.class,
            Devices.class,
            Shape.class,
            Augmentation.class,
            BatchReader.class,
            Graph.class,
            Nets.class,
            Model.class,
            Splits.class,
            Settings.class,
            Training.class,
            Trainer.class,
            Evaluator.class,
            Schedule.class,
            Averaging.class,
            Method.class,
            Methods.class,
            Swag.class,
            Comparison.class,
            MethodRun.class,
            LandscapeData.class,
            Net.class,
            CurveConfig.class,
            Connection.class,
            Surface.class,
            Surface.Grid.class,
            Rays.class,
            ResultTable.class,
            HtmlReport.class);

    @TempDir
    Path folder;

    private static TrainTest pictures() {
        return SyntheticSet.trainTest(300, 100, 8, 8, 1, 4, 1);
    }

    private static Graph net() {
        return Nets.mlp(Shape.of(1, 8, 8), 4, 8);
    }

    private static String refused(Class<? extends RuntimeException> type, Runnable call) {
        return assertThrows(type, call::run).getMessage();
    }

    /** Every parameter of every entry in turn, all others as they should be. */
    @Test
    void nullIsRefusedByTheNameOfItsParameter() throws Exception {
        List<String> silent = new ArrayList<>();
        int tried = 0;
        try (Device device = Devices.open("cpu", 1);
                Splits splits = new Splits(device, pictures(), 44, 32);
                Model model = new Model(device, net());
                Training training = training(model, splits)) {
            Map<Class<?>, Object> samples = samples(device, splits, model);
            samples.put(Stepped.class, training);
            for (Class<?> type : ENTRIES) {
                for (Executable entry : entries(type)) {
                    for (int i = 0; i < entry.getParameterCount(); i++) {
                        if (entry.getParameterTypes()[i].isPrimitive() || mayBeNull(entry, i)) continue;
                        tried++;
                        long live = device.liveBytes();
                        String said = said(entry, i, samples, model);
                        if (entry instanceof Constructor<?>) assertEquals(live, device.liveBytes(), entry.toString());
                        if (!said.matches("`[\\w.]+` must not be null")) silent.add(entry + " #" + i + ": " + said);
                    }
                }
            }
        }
        assertEquals("", String.join("\n", silent));
        assertTrue(tried > 150, tried + " parameters");
    }

    private static Training training(Model model, Splits splits) {
        return new Training(
                model, splits.train(), splits.reader(1), new Sgd(), Schedule.constant(8, 0.1), Averaging.none(8));
    }

    private static List<Executable> entries(Class<?> type) {
        List<Executable> all = new ArrayList<>(List.of(type.getConstructors()));
        for (var m : type.getMethods()) {
            boolean ours =
                    m.getDeclaringClass() == type || type == Model.class && m.getDeclaringClass() == NetMemory.class;
            // Of what is made, the model is what programs call most.
            boolean called = Modifier.isStatic(m.getModifiers())
                    || type == Model.class && !m.getName().equals("equals");
            if (ours && called && !m.isBridge()) all.add(m);
        }
        return all;
    }

    private static boolean mayBeNull(Executable entry, int parameter) {
        return entry.getAnnotatedParameterTypes()[parameter].isAnnotationPresent(Nullable.class);
    }

    private static String said(Executable entry, int nothing, Map<Class<?>, Object> samples, Model model)
            throws ReflectiveOperationException {
        Object[] args = IntStream.range(0, entry.getParameterCount())
                .mapToObj(
                        i -> i == nothing || mayBeNull(entry, i) ? null : sample(entry.getParameterTypes()[i], samples))
                .toArray();
        try {
            if (entry instanceof Constructor<?> made) made.newInstance(args);
            else ((java.lang.reflect.Method) entry).invoke(model, args);
            return "accepted";
        } catch (InvocationTargetException e) {
            return e.getCause() instanceof NullPointerException ? e.getCause().getMessage() : "" + e.getCause();
        }
    }

    private static Object sample(Class<?> type, Map<Class<?>, Object> samples) {
        Object known = samples.get(type);
        if (known != null) return known;
        if (type.isEnum()) return type.getEnumConstants()[0];
        if (type.isArray()) {
            Object array = Array.newInstance(type.getComponentType(), 1);
            if (type.getComponentType().isArray()) Array.set(array, 0, sample(type.getComponentType(), samples));
            return array;
        }
        throw new IllegalStateException("no sample of " + type);
    }

    private Map<Class<?>, Object> samples(Device device, Splits splits, Model model) {
        Schedule rates = Schedule.constant(8, 0.1);
        Settings settings = new Settings("made-up", "mine").with(new Settings.Data(32, 44));
        Map<Class<?>, Object> all = new HashMap<>(
                Map.of(int.class, 1, long.class, 1L, double.class, 0.5, boolean.class, false, String.class, "mlp"));
        all.putAll(Map.of(
                Device.class, device, Splits.class, splits, NetMemory.class, model, Images.class, splits.train()));
        all.putAll(
                Map.of(Path.class, folder, List.class, List.of(), Map.class, Map.of(), Shape.class, Shape.of(1, 8, 8)));
        all.putAll(Map.of(TrainTest.class, pictures(), Dataset.class, pictures().train(), Settings.class, settings));
        all.putAll(Map.of(Settings.Data.class, settings.data(), Graph.class, net(), Loss.class, Loss.crossEntropy(0)));
        all.putAll(Map.of(
                Supplier.class, (Supplier<Graph>) FirstStepsTest::net, Consumer.class, (Consumer<Object>) o -> {}));
        all.put(UnaryOperator.class, UnaryOperator.identity());
        all.putAll(Map.of(Optimizer.class, new Sgd(), Schedule.class, rates, Averaging.class, Averaging.none(8)));
        Method method = new Method("own", rates, Averaging.none(8), Method.Product.LAST);
        all.putAll(Map.of(Method.class, method, MethodSettings.class, Methods.sgd(), Budget.class, new Budget(1, 0.1)));
        all.putAll(Map.of(Augmentation.class, splits.augmentation(), BatchReader.class, splits.reader(1)));
        all.putAll(Map.of(Progress.class, Progress.NONE, Monitor.class, Monitor.NONE));
        all.put(BatchNormUpdate.class, BatchNormUpdate.AUTO);
        all.put(Options.class, new Options(0, BatchNormUpdate.AUTO));
        all.put(Trainer.Listener.class, new Trainer.Listener() {});
        all.put(Initializer.class, Initializer.fanIn());
        return others(all, splits, settings);
    }

    private static Map<Class<?>, Object> others(Map<Class<?>, Object> all, Splits splits, Settings settings) {
        all.put(ModelCard.class, splits.card("mine", "sgd", "1"));
        all.put(Outlook.class, Outlook.NONE);
        all.put(Distortion.class, Distortion.NONE);
        all.put(Swa.class, new Swa(0.5, 0.1));
        all.put(LandscapeData.class, new LandscapeData(splits, settings, net()));
        all.put(LandscapeData.Sampling.class, new LandscapeData.Sampling(0, 0, BatchNormUpdate.EXACT, 0));
        all.put(
                CurveConfig.class,
                new CurveConfig(Curve.BEZIER, 1, Schedule.constant(8, 0.1), settings, 1, splits.augmentation()));
        all.put(Surface.Grid.class, new Surface.Grid(5));
        all.put(Rays.Config.class, new Rays.Config(1, 2));
        Summary summary = new Summary("none", Map.of(), List.of(), List.of(), List.of());
        all.put(Summary.class, summary);
        all.put(ResultTable.class, new ResultTable(summary));
        all.put(Made.class, Made.NONE);
        return all;
    }

    @Test
    void aClosedDeviceIsNamedByWhateverIsMadeOnIt() {
        Device device = Devices.open("cpu", 1);
        device.close();
        String closed = "the cpu device is closed: it was closed before this call";
        assertEquals(closed, refused(IllegalStateException.class, () -> new Model(device, net()).close()));
        assertEquals(
                closed, refused(IllegalStateException.class, () -> new Splits(device, pictures(), 44, 32).close()));
    }

    @Test
    void whatIsClosedHasItsTypesName() {
        try (Device device = Devices.open("cpu", 1)) {
            Splits splits = new Splits(device, pictures(), 44, 32);
            splits.close();
            Model model = new Model(device, net());
            model.close();
            String said = refused(IllegalStateException.class, splits::stepsPerEpoch);
            assertEquals("Splits is closed: it was closed before this call", said);
            assertEquals(
                    "Model is closed: it was closed before this call",
                    refused(IllegalStateException.class, () -> model.predict(new float[64])));
        }
    }

    @Test
    void aGapInLabelsIsRefusedUnlessClassesAreNamed() {
        float[][] x = {{1, 2}, {3, 4}};
        int[] labels = {0, 2};
        String gap =
                "`labels` has no sample of class 1, and one of 2: number classes from 0 without a gap, or name all of"
                        + " them in `classNames`";
        assertEquals(gap, refused(IllegalArgumentException.class, () -> Dataset.of(x, labels)));
        assertEquals(
                gap, refused(IllegalArgumentException.class, () -> Dataset.of(new float[][][][] {{x}, {x}}, labels)));
        List<String> names = List.of("a", "b", "c");
        assertEquals(3, Dataset.of(x, labels, names).classes());
        assertEquals(
                names, Dataset.of(new float[][][][] {{x}, {x}}, labels, names).classNames());
        String none = refused(IllegalArgumentException.class, () -> Dataset.of(x, new int[] {0, -1}));
        assertTrue(none.contains("label -1 of image 1 is not below 1 and at least 0"), none);
    }

    @Test
    void whatIsHeldOutIsCalledByTheParameterThatAsksForIt() {
        Dataset few = Dataset.of(new float[][] {{1}, {2}, {3}}, new int[] {0, 0, 0});
        assertEquals(
                "`test`: cannot hold 400 samples out of own (3, 1, 1, 1), 1 classes: the count must be from 1 to 2",
                refused(IllegalArgumentException.class, () -> TrainTest.of(few, 400)));
    }

    @Test
    void anUnknownDataSetIsCalledThat() {
        assertEquals(
                "`dataset`: unknown data set 'imagenet'; known: fashion-mnist, mnist, cifar10, cifar100",
                refused(IllegalArgumentException.class, () -> DataSets.load("imagenet")));
    }

    @Test
    void ratesThatRiseWhereTheyShouldFallAreRefusedByTheFactory() {
        String said = refused(IllegalArgumentException.class, () -> Methods.fge(0.5, 0.005, 0.05));
        assertEquals("`fge.low` must not exceed `fge.high` (0.005), got 0.05", said);
    }

    @Test
    void figuresArePrintedAsMeans() {
        assertEquals(
                "step 80: mean loss 0.5, accuracy 0.75 over 40 samples",
                new EpochMetrics(80, 20, 30, 40, -1).toString());
        assertTrue(new EpochMetrics(8, 1, 1, 1, 3).toString().endsWith("; the loss of step 3 was not finite"));
    }

    @Test
    void aFileOfANetWithoutAClassSaysHowItIsLoaded() {
        Path file = folder.resolve("lambda.safetensors");
        try (Device device = Devices.open("cpu", 1);
                Model model = new Model(device, () -> net())) {
            Notices.reset();
            String said = noted(() -> model.save(file));
            assertTrue(said.contains("a public class that implements Supplier<Graph>"), said);
            String lost = refused(RuntimeException.class, () -> Model.load(device, file));
            assertTrue(lost.contains("public class implementing Supplier<Graph>"), lost);
            assertDoesNotThrow(() -> Model.load(device, file, net()).close());
            try (Model named = new Model(device, Nets.build("mlp", Shape.of(1, 8, 8), 4))) {
                assertEquals("", noted(() -> named.save(folder.resolve("named.safetensors"))));
            }
        }
    }

    private static String noted(Runnable work) {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            work.run();
        } finally {
            System.setErr(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }
}
