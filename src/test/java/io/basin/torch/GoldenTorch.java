package io.basin.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Tensor;

/**
 * The oracle: trains a net with libtorch on given weights and batches and writes what came out. One thread and contiguous
 * layout, so that the numbers are the same on every run. A process of its own: start it through {@link GoldenProcess}.
 */
public final class GoldenTorch {
    private GoldenTorch() {}

    public static void main(String[] args) throws IOException {
        GoldenSpec spec = GoldenSpec.parse(args);
        TorchTrain.configure(1);
        TorchNet net = TorchNets.build(spec.net(), spec.channels(), spec.size(), spec.classes(), spec.fast());
        System.out.println(spec.net() + ": " + net.parameterCount() + " parameters");
        RawTensors input = new RawTensors(spec.input());
        load(net, input);
        String losses = train(net, spec, input);
        Files.createDirectories(spec.output());
        Files.writeString(spec.output().resolve("losses.txt"), losses);
    }

    private static String train(TorchNet net, GoldenSpec spec, RawTensors input) {
        TorchSgd.Settings settings =
                new TorchSgd.Settings(spec.lr(), spec.momentum(), spec.weightDecay(), spec.nesterov());
        TorchTrain trainer = new TorchTrain(net, settings, spec.route());
        float[] images = input.floats(RawTensors.IMAGES);
        long[] labels = input.longs(RawTensors.LABELS);
        int floats = spec.batch() * spec.channels() * spec.size() * spec.size();
        StringBuilder losses = new StringBuilder();
        for (int step = 0; step < spec.steps(); step++) {
            double loss = trainer.step(
                    Arrays.copyOfRange(images, step * floats, (step + 1) * floats),
                    Arrays.copyOfRange(labels, step * spec.batch(), (step + 1) * spec.batch()),
                    spec.batch(),
                    spec.channels(),
                    spec.size(),
                    spec.size());
            losses.append(String.format(Locale.ROOT, "%.17g%n", loss));
            if (spec.average() > 0) {
                trainer.average(spec.average());
            }
        }
        save(net, trainer.averages(), spec.output());
        return losses.toString();
    }

    /** Refuses names the net does not have: a misspelt weight would silently keep its random start. */
    @SuppressWarnings("try")
    private static void load(TorchNet net, RawTensors input) {
        try (AutoGradMode constants = new AutoGradMode(false)) {
            for (Map.Entry<String, long[]> entry : input.shapes().entrySet()) {
                String name = entry.getKey();
                if (Set.of(RawTensors.IMAGES, RawTensors.LABELS).contains(name)) {
                    continue;
                }
                Tensor target =
                        net.parameters().getOrDefault(name, net.buffers().get(name));
                if (target == null || !Arrays.equals(target.sizes().vec().get(), entry.getValue())) {
                    throw new IllegalArgumentException(
                            name + " " + Arrays.toString(entry.getValue()) + " is not in the net, which has "
                                    + net.parameters().keySet());
                }
                target.copy_(TorchTrain.tensor(input.floats(name), entry.getValue()));
            }
        }
    }

    private static void save(TorchNet net, Map<String, Tensor> averages, Path directory) {
        RawTensors output = new RawTensors(directory);
        net.parameters().forEach((name, t) -> write(output, name, t));
        net.buffers().forEach((name, t) -> write(output, name, t));
        averages.forEach((name, t) -> write(output, "average." + name, t));
    }

    private static void write(RawTensors output, String name, Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        new FloatPointer(tensor.contiguous().data_ptr()).get(values);
        output.write(name, values, tensor.sizes().vec().get());
    }
}
