package io.basin.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Loss;
import io.basin.device.Shape;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.torch.GoldenProcess;
import io.basin.torch.RawTensors;
import io.basin.torch.TorchFiles;
import io.basin.train.Model;
import io.basin.train.ModelHeader;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A state dict that libtorch wrote predicts here as it does there, and what is written here predicts there as it does here. */
class TorchFilesTest {
    private static final float CLOSE = 1e-5f;
    private static final int CLASSES = 7;

    @TempDir
    private Path folder;

    private void torch(String how, String net, Shape sample, String last) throws IOException {
        List<String> args = List.of(
                how,
                net,
                "" + sample.dim(0),
                sample.dim(1) + "x" + sample.dim(2),
                "" + CLASSES,
                last,
                folder.toString());
        GoldenProcess.run(TorchFiles.class, args, folder.resolve("log.txt"), 120);
    }

    private static float[] predicted(Path file, RawTensors torch, Shape sample) {
        float[] images = torch.floats(RawTensors.IMAGES);
        int size = (int) sample.elements();
        float[][] rows = new float[images.length / size][];
        for (int i = 0; i < rows.length; i++) rows[i] = Arrays.copyOfRange(images, i * size, (i + 1) * size);
        FloatBuffer all = FloatBuffer.allocate(rows.length * CLASSES);
        try (Device device = Devices.open("cpu", 1);
                Model model = Model.load(device, file)) {
            for (float[] row : model.predict(rows)) all.put(row);
        }
        return all.array();
    }

    @ParameterizedTest
    @CsvSource({
        "mlp, mlp, 1, 28, 28, Double",
        "small-cnn, smallcnn, 1, 28, 28, Float",
        "small-cnn, smallcnn, 3, 32, 32, Half",
        "preresnet20, preresnet20, 3, 32, 32, Float",
        "vgg16-bn, vgg16-bn, 3, 32, 32, BFloat16",
        "resnet18, resnet18, 3, 32, 40, Float",
        "resnet50, resnet50, 3, 40, 33, Half"
    })
    void predictionsAgreeBothWays(String name, String net, int channels, int height, int width, String type)
            throws IOException {
        Shape sample = Shape.of(channels, height, width);
        torch("write", net, sample, type);
        RawTensors torch = new RawTensors(folder);
        Graph graph = Nets.build(name, sample, CLASSES);
        Map<String, String> header = new LinkedHashMap<>(ModelHeader.of(graph, Loss.crossEntropy(0), List.of()));
        float[] ones = new float[channels];
        Arrays.fill(ones, 1);
        header.putAll(ModelHeader.of(new Augmentation(0, false, new float[channels], ones)));
        Path taken = folder.resolve("taken.safetensors");
        Imported.Outcome outcome =
                new Imported(folder.resolve("net.pt"), graph, Names.SAME, null, 1, false).write(taken, header);
        assertEquals(new Imported.Outcome(graph.tensorNames().size(), 0), outcome);
        assertArrayEquals(torch.floats("write"), predicted(taken, torch, sample), CLOSE);

        // Other weights on the way back, so that nothing that stayed there can answer for them.
        Path back = folder.resolve("back.safetensors");
        SafetensorsWriter writer = Safetensors.writer().metadata(header);
        TrainedNet.of(taken).tensors().forEach((tensor, t) -> {
            float[] values = t.values().clone();
            for (int i = 0; i < values.length; i++) values[i] *= i % 2 == 0 ? 0.9f : 1.1f;
            writer.add(tensor, t.shape().toLongs(), values);
        });
        writer.write(back);
        torch("read", net, sample, back.toString());
        float[] ours = predicted(back, torch, sample);
        assertArrayEquals(torch.floats("read"), ours, CLOSE);
        float[] before = torch.floats("write");
        assertTrue(apart(before, ours, 0) > 100 * CLOSE, "other weights predict alike: the test sees no error in them");
        assertTrue(
                apart(before, before, CLASSES) > 100 * CLOSE,
                "all images are predicted alike: the test sees no error in the first layers");
    }

    /** The largest difference between the first image's predictions and those that begin at {@code from}. */
    private static double apart(float[] a, float[] b, int from) {
        double most = 0;
        for (int k = 0; k < CLASSES; k++) most = Math.max(most, Math.abs(a[k] - b[from + k]));
        return most;
    }
}
