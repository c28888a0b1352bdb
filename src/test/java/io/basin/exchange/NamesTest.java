package io.basin.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Shape;
import io.basin.io.Dtype;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** State dicts of torchvision's VGGs, by the names that models/vgg.py of torchvision gives their layers. */
class NamesTest {
    private static final int CLASSES = 5;

    @TempDir
    Path folder;

    /** Convolutions by their places in {@code features}; dense layers at 0, 3 and 6 of {@code classifier}. */
    @ParameterizedTest
    @CsvSource({
        "vgg11, 0 3 6 8 11 13 16 18",
        "vgg13, 0 2 5 7 10 12 15 17 20 22",
        "vgg16, 0 2 5 7 10 12 14 17 19 21 24 26 28",
        "vgg19, 0 2 5 7 10 12 14 16 19 21 23 25 28 30 32 34",
        "vgg11-bn, 0 4 8 11 15 18 22 25",
        "vgg13-bn, 0 3 7 10 14 17 21 24 28 31",
        "vgg16-bn, 0 3 7 10 14 17 20 24 27 30 34 37 40",
        "vgg19-bn, 0 3 7 10 14 17 20 23 27 30 33 36 40 43 46 49"
    })
    void everyTensorOfTorchvisionsVggHasItsPlace(String net, String convolutions) {
        Set<String> theirs = new TreeSet<>();
        for (String at : convolutions.split(" ")) {
            theirs.addAll(List.of("features." + at + ".weight", "features." + at + ".bias"));
            String norm = "features." + (Integer.parseInt(at) + 1) + ".";
            for (String part : List.of("weight", "bias", "running_mean", "running_var")) {
                if (net.endsWith("bn")) theirs.add(norm + part);
            }
        }
        for (int at : new int[] {0, 3, 6}) {
            theirs.addAll(List.of("classifier." + at + ".weight", "classifier." + at + ".bias"));
        }
        Map<String, String> sources = Names.vgg(theirs).sources(Path.of("vgg.pth"), theirs);
        Graph ours = Nets.build(net, Shape.of(3, 32, 32), CLASSES);
        assertEquals(new TreeSet<>(ours.tensorNames()), new TreeSet<>(sources.keySet()));
        assertEquals("classifier.0.weight", sources.get("classifier.1.weight"));
        assertEquals("classifier.3.bias", sources.get("classifier.4.bias"));
        assertEquals("classifier.6.bias", sources.get("classifier.6.bias"));
        Set<String> own = Set.copyOf(ours.tensorNames());
        assertEquals(Names.SAME, Names.vgg(own));
    }

    /** Tensor number i holds i. */
    private Map<String, Float> write(Path file, Graph net, int width) {
        SafetensorsWriter writer = Safetensors.writer();
        Map<String, Float> values = new LinkedHashMap<>();
        net.nodes()
                .forEach(node -> node.tensors().forEach(p -> {
                    String name = node.name(p)
                            .replace("classifier.1.", "classifier.0.")
                            .replace("classifier.4.", "classifier.3.");
                    long[] shape = p.shape().toLongs();
                    if (name.startsWith("classifier.0")) shape[0] = width;
                    float[] all = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
                    Arrays.fill(all, values.size());
                    values.put(node.name(p), (float) values.size());
                    writer.add(name, shape, all);
                }));
        if (net.tensorNames().stream().anyMatch(n -> n.endsWith("running_var"))) {
            writer.add("features.1.num_batches_tracked", Dtype.I64, new long[0], ByteBuffer.allocate(8));
        }
        writer.write(file);
        return values;
    }

    @ParameterizedTest
    @CsvSource({"vgg11", "vgg11-bn"})
    void itsWeightsComeToTheLayersThatComputeTheSame(String name) {
        Path theirs = folder.resolve("theirs.safetensors");
        Path taken = folder.resolve("taken.safetensors");
        Graph net = Nets.build(name, Shape.of(3, 32, 32), CLASSES);
        Map<String, Float> values = write(theirs, net, 512);
        Imported.Outcome outcome = new Imported(theirs, net, Names.SAME, null, 1, false).write(taken, Map.of());
        assertEquals(new Imported.Outcome(values.size(), 0), outcome);
        try (Safetensors in = Safetensors.open(taken)) {
            assertEquals(values.keySet(), in.tensors().keySet());
            values.forEach((tensor, value) -> assertEquals(value, in.floats(tensor)[0], tensor));
        }
    }

    /** Those trained on ImageNet have a first dense layer of 4096 x 25088. */
    @Test
    void aClassifierOfOtherWidthsIsNamedAndDrawnAnewWhereAsked() {
        Path theirs = folder.resolve("theirs.safetensors");
        Path taken = folder.resolve("taken.safetensors");
        Graph net = Nets.build("vgg11", Shape.of(3, 32, 32), CLASSES);
        write(theirs, net, 40);
        Imported plain = new Imported(theirs, net, Names.SAME, null, 1, false);
        String said = assertThrows(FormatException.class, () -> plain.write(taken, Map.of()))
                .getMessage();
        assertTrue(
                said.contains(
                        "of another shape: classifier.1.weight [40, 512] instead of [512, 512], classifier.1.bias"),
                said);
        Imported.Outcome outcome = new Imported(theirs, net, Names.SAME, "classifier", 1, false).write(taken, Map.of());
        assertEquals(new Imported.Outcome(16, 6), outcome);
    }
}
