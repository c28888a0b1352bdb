package io.basin.bench;

import io.basin.device.Arena;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.train.Model;
import io.basin.train.Plan;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What w(t) costs in a step of a curve's training: times the combination of three control points and the whole step in turns,
 * and prints the median share. Argument: rounds.
 */
public final class BasinCurve {
    private static final int STEPS = 4096;
    private static final int INNER = 20;

    private BasinCurve() {}

    public static void main(String[] args) {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 30;
        for (String net : List.of("mlp", "small-cnn", "preresnet20")) print(net, rounds);
    }

    private static void print(String net, int rounds) {
        int size = net.equals("preresnet20") ? 32 : 28;
        int channels = net.equals("preresnet20") ? 3 : 1;
        double[] lr = new double[STEPS];
        Arrays.fill(lr, 1e-3);
        float[] half = new float[channels];
        Arrays.fill(half, 0.5f);
        try (Device device = Devices.open("cpu", Nets.threads());
                Images images = random(device, channels, size);
                RunState control = new RunState(device, lr, new double[STEPS]);
                Model model = new Model(
                        device, io.basin.nn.Nets.build(net, Shape.of(channels, size, size), TorchTraining.CLASSES));
                Plan plan = Plan.training(
                        model,
                        images,
                        control,
                        new BatchReader(TorchTraining.BATCH, new Augmentation(0, false, half, half), 1, true))) {
            ParameterStore storage = model.initialise(1).store();
            List<Memory> points = new ArrayList<>();
            for (int j = 0; j < 4; j++) points.add(device.allocate(storage.paramBytes()));
            for (Memory p : points.subList(0, 3)) device.copy(storage.live().params(), p);
            try (Coefficients c = new Coefficients(device, null, new double[] {0.3, 0.4, 0.3})) {
                Runnable combine = device.arenas().weightedSum(points.subList(0, 3), c, storage.memory(Arena.PARAMS));
                Runnable bend = device.arenas()
                        .stepCurvePoint(
                                new Sgd(0.9, 5e-4, false), storage, points.get(1), points.get(3), c, 1, control);
                measure(net, rounds, combine, () -> {
                    combine.run();
                    plan.forward();
                    plan.backward();
                    bend.run();
                });
            }
            points.forEach(Memory::close);
        }
    }

    private static void measure(String net, int rounds, Runnable combine, Runnable step) {
        double[] shares = new double[rounds];
        double[] alone = new double[rounds];
        for (int r = -3; r < rounds; r++) {
            double a = seconds(combine);
            double b = seconds(step);
            if (r < 0) continue;
            shares[r] = a / b;
            alone[r] = a;
        }
        System.out.printf(
                Locale.ROOT,
                "%s: w(t) of three control points takes %.3f ms, %.2f %% of a step (median of %d rounds)%n",
                net,
                1e3 * Statistics.median(alone),
                100 * Statistics.median(shares),
                rounds);
    }

    private static double seconds(Runnable work) {
        long start = System.nanoTime();
        for (int i = 0; i < INNER; i++) work.run();
        return (System.nanoTime() - start) * 1e-9 / INNER;
    }

    private static Images random(Device device, int channels, int size) {
        int count = 8 * TorchTraining.BATCH;
        Random random = new Random(1);
        byte[] pixels = new byte[count * channels * size * size];
        random.nextBytes(pixels);
        ByteBuffer labels = ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder());
        for (int i = 0; i < count; i++) labels.putInt(random.nextInt(TorchTraining.CLASSES));
        Memory pixelMemory = device.allocate(pixels.length);
        Memory labelMemory = device.allocate(4L * count);
        device.upload(pixelMemory, 0, ByteBuffer.wrap(pixels));
        device.upload(labelMemory, 0, labels.flip());
        return new Images(pixelMemory, labelMemory, count, size, size, channels, TorchTraining.CLASSES);
    }
}
