package io.basin.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Elementwise;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.io.Json;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.nn.Value;
import io.basin.torch.GoldenProcess;
import io.basin.torch.RawTensors;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is exported predicts in ONNX Runtime as it does here. */
class OnnxTest {
    private static final float CLOSE = 1e-5f;
    private static final Shape IMAGE = Shape.of(3, 32, 32);
    private static final int CLASSES = 5;
    /** Bytes of weights. */
    private static final long LARGE = 50 << 20;

    private static final List<String> NAMES =
            IntStream.range(0, CLASSES).mapToObj(k -> "class \"" + k + "\"").toList();
    private static final List<String> NORM = List.of("weight", "bias", "running_mean", "running_var");

    @TempDir
    private Path folder;

    /** A layer of each kind, with strides, groups, padding, dilation, a kernel that is no square, and a batch norm over features. */
    public static final class EveryLayer implements Supplier<Graph> {
        @Override
        public Graph get() {
            Graph g = new Graph(IMAGE);
            Value x = g.conv(g.input(), new Layer.Conv(8, 5, 2, 1, 1, true, true, Initializer.fanIn()));
            Value y = g.at("grouped").conv(x, 8, 3, 1, 1, 4, false);
            Layer.Window dilated = new Layer.Window(3, 1, 2, 2);
            Layer.Window wide = new Layer.Window(5, 1, 2);
            y = g.at("dilated").conv(y, new Layer.Conv(8, dilated, wide, 1, true, false, Initializer.fanIn()));
            y = g.add(g.relu(g.batchNorm(y)), x);
            y = g.pool(y, new Layer.Pool(Layer.PoolKind.AVERAGE, 3, 2, 1));
            y = g.pool(g.batchNorm(y), new Layer.Pool(Layer.PoolKind.MAX, 3, 2, 1));
            y = g.concat(g.groupNorm(y, 4), y, g.pool(y, new Layer.Pool(Layer.PoolKind.AVERAGE, 3, 1, 1)));
            y = g.silu(g.batchNormRelu(g.dense(g.gelu(y), 12)));
            g.dense(g.dropout(g.denseRelu(y, 7), 0.5), CLASSES);
            return g;
        }
    }

    /** A net with a function that only its author knows. */
    public static final class OwnFunction implements Supplier<Graph> {
        @Override
        public Graph get() {
            Graph g = new Graph(IMAGE);
            g.at("head").dense(g.at("swirl").elementwise(g.input(), new Swirl()), CLASSES);
            return g;
        }
    }

    private record Swirl() implements Elementwise {
        @Override
        public String name() {
            return "swirl";
        }

        @Override
        public float value(float x) {
            return x * x;
        }

        @Override
        public float slope(float x) {
            return 2 * x;
        }
    }

    static Stream<String> nets() {
        return Stream.concat(Nets.NAMES.stream(), Stream.of(EveryLayer.class.getName()));
    }

    /** A weights file with statistics, scales and shifts that say something. */
    private Path saved(Device device, String net, Loss loss, int seed) {
        Path file = folder.resolve("net" + seed + ".safetensors");
        float[] mean = {0.4f, 0.5f, 0.6f};
        float[] std = {0.2f + 0.01f * seed, 0.3f, 0.25f};
        try (Model model = new Model(device, Nets.build(net, IMAGE, CLASSES), loss, Precision.FP32)) {
            model.initialise(seed);
            Random random = new Random(seed);
            List<String> names = model.graph().tensorNames();
            for (String variance : names) {
                if (!variance.endsWith("running_var")) continue;
                for (String part : NORM) {
                    String name = variance.replace("running_var", part);
                    float[] values = model.read(name);
                    float least = part.equals("weight") ? 0.2f : part.equals("running_var") ? 0.5f : -0.5f;
                    // Small scales: nothing else keeps a deep residual sum from growing.
                    float span = part.equals("weight") ? 0.4f : 1;
                    for (int i = 0; i < values.length; i++) values[i] = least + span * random.nextFloat();
                    model.write(name, values);
                }
            }
            ModelCard card = new ModelCard(net, "cifar10", "swa", "1", 0, mean, std, 0, 0, 0, 8, 0, false, "");
            model.described(card, loss.labels() ? NAMES : List.of()).save(file);
        }
        return file;
    }

    private static byte[][] images(int count) {
        byte[][] images = new byte[count][(int) IMAGE.elements()];
        Random random = new Random(5);
        for (byte[] image : images) random.nextBytes(image);
        return images;
    }

    private static float[] predicted(Device device, Path file, byte[][] images) {
        try (Model model = Model.load(device, file)) {
            FloatBuffer all = FloatBuffer.allocate(images.length * CLASSES);
            for (float[] row : model.predict(images)) all.put(row);
            return all.array();
        }
    }

    /** What ONNX Runtime says of the images, model by model. */
    private List<RawTensors> run(byte[][] images, Path... models) throws IOException {
        FloatBuffer pixels = FloatBuffer.allocate(images.length * images[0].length);
        for (byte[] image : images) for (byte p : image) pixels.put((p & 0xFF) / 255f);
        Path in = folder.resolve("in");
        new RawTensors(in)
                .write(
                        RawTensors.IMAGES,
                        pixels.array(),
                        IMAGE.batched(images.length).toLongs());
        List<String> args = new ArrayList<>(List.of(in.toString()));
        for (Path model : models) args.add(model.toString());
        GoldenProcess.run(OrtRun.class, args, folder.resolve("log.txt"), 120);
        return Stream.of(models).map(m -> new RawTensors(Path.of(m + ".out"))).toList();
    }

    private Path exported(String name, boolean fold, Path... files) {
        Path out = folder.resolve(name + ".onnx");
        List<TrainedNet> nets = Stream.of(files).map(TrainedNet::of).toList();
        Onnx.write(out, fold ? nets.stream().map(TrainedNet::folded).toList() : nets);
        return out;
    }

    @ParameterizedTest
    @MethodSource("nets")
    void everyNetPredictsTheSameFoldedOrNot(String name) throws IOException {
        byte[][] images = images(2);
        try (Device device = Devices.open("cpu", 1)) {
            Path file = saved(device, name, Loss.crossEntropy(0), 1);
            float[] ours = predicted(device, file, images);
            for (float p : ours) assertTrue(p > 1e-6 && p < 0.999, "a saturated net would hide errors: " + p);
            List<Path> exports = new ArrayList<>(List.of(exported("folded", true, file)));
            // Nets of the same kinds of layers but fewer weights are tried both ways.
            if (Files.size(file) < LARGE) exports.add(exported("whole", false, file));
            for (RawTensors theirs : run(images, exports.toArray(Path[]::new))) {
                assertArrayEquals(ours, theirs.floats("probabilities"), CLOSE, theirs.toString());
                float[] logits = theirs.floats("logits");
                assertEquals(Math.log(ours[0] / ours[1]), logits[0] - logits[1], 1e-3);
            }
        }
    }

    @Test
    void anEnsembleIsTheMeanOfItsMembersEachNormalisedAsItWasTrained() throws IOException {
        byte[][] images = images(3);
        try (Device device = Devices.open("cpu", 1)) {
            Path a = saved(device, "lenet-bn", Loss.crossEntropy(0), 1);
            Path b = saved(device, "mlp", Loss.crossEntropy(0), 2);
            Path c = saved(device, "lenet-bn", Loss.crossEntropy(0), 3);
            float[] mean = new float[3 * CLASSES];
            for (Path file : List.of(a, b, c)) {
                float[] one = predicted(device, file, images);
                for (int i = 0; i < mean.length; i++) mean[i] += one[i] / 3;
            }
            RawTensors theirs = run(images, exported("ensemble", true, a, b, c)).get(0);
            assertArrayEquals(mean, theirs.floats("probabilities"), CLOSE);
            assertFalse(theirs.shapes().containsKey("logits"));
            JsonNode said = Json.read(theirs.directory().resolve("metadata.json"));
            assertEquals(Json.tree(NAMES), Json.parse(said.path("classes").asText(), "classes"));
            assertEquals("3", said.path("members").asText());
            assertEquals("lenet-bn mlp", said.path("model").asText());
            assertEquals(
                    "float32 (batch, 3, 32, 32), pixels divided by 255; the graph normalises them",
                    said.path("input").asText());
        }
    }

    @Test
    void whatDoesNotClassifyHandsOutItsPredictions() throws IOException {
        byte[][] images = images(2);
        try (Device device = Devices.open("cpu", 1)) {
            Path numbers = saved(device, "lenet-bn", Loss.squaredError(), 1);
            Path labels = saved(device, "lenet-bn", Loss.binaryCrossEntropy(), 2);
            List<RawTensors> theirs =
                    run(images, exported("numbers", false, numbers), exported("labels", false, labels));
            assertArrayEquals(predicted(device, numbers, images), theirs.get(0).floats("predictions"), 1e-4f);
            assertArrayEquals(predicted(device, labels, images), theirs.get(1).floats("predictions"), CLOSE);
            Exception e = assertThrows(IllegalArgumentException.class, () -> exported("both", false, numbers, labels));
            assertTrue(e.getMessage().contains(labels + " have no mean of predictions"), e.getMessage());
        }
    }

    @Test
    void foldingLeavesOnlyTheNormsThatFollowNoProduct() {
        try (Device device = Devices.open("cpu", 1)) {
            for (String net : List.of("small-cnn", "preresnet20", EveryLayer.class.getName())) {
                TrainedNet folded = TrainedNet.of(saved(device, net, Loss.crossEntropy(0), 1))
                        .folded();
                long norms = folded.nodes().stream()
                        .filter(n -> n.layer() instanceof Layer.BatchNorm)
                        .count();
                // In PreResNet-20 those behind the input of each of nine blocks, which the sum reads too, and the last
                // one.
                assertEquals(net.equals("small-cnn") ? 0 : net.equals("preresnet20") ? 10 : 1, norms, net);
                assertEquals(
                        norms > 0, folded.tensors().keySet().stream().anyMatch(n -> n.endsWith("running_var")), net);
            }
        }
    }

    @Test
    void aFunctionOfTheCallersOwnIsRefusedByTheLayersName() throws IOException {
        try (Device device = Devices.open("cpu", 1)) {
            Path file = saved(device, OwnFunction.class.getName(), Loss.crossEntropy(0), 1);
            Exception e = assertThrows(IllegalArgumentException.class, () -> exported("own", false, file));
            assertTrue(e.getMessage().startsWith(file + ": the layer 'swirl' computes a function"), e.getMessage());
            assertFalse(Files.exists(folder.resolve("own.onnx")));
        }
    }
}
