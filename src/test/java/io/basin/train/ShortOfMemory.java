package io.basin.train;

import io.basin.data.Dataset;
import io.basin.data.TrainTest;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.device.Weights;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import java.util.List;

/**
 * A process of its own, whose software GPU has little memory, that plans the small CNN for batches given as arguments: a step
 * alone, after the word {@code strict} in that precision, or after the word {@code run} all that a run allocates; or after the word {@code data} trains on so many MiB of samples.
 */
final class ShortOfMemory {
    private static final Outlook OUTLOOK = new Outlook(2, 2);
    private static final Graph NET = Nets.smallCnn(Shape.of(1, 28, 28), 10);

    private ShortOfMemory() {}

    public static void main(String[] args) {
        String what = args[0];
        boolean named = List.of("strict", "run", "data").contains(what);
        try (Device device = Devices.open("cuda", 1)) {
            for (String batch : List.of(args).subList(named ? 1 : 0, args.length)) {
                try {
                    System.out.println("fits "
                            + (what.equals("data")
                                    ? data(device, batch)
                                    : what.equals("run")
                                            ? run(device, batch)
                                            : step(device, batch, what.equals("strict"))));
                } catch (DeviceException e) {
                    System.out.println("refused " + e.getMessage());
                }
                System.out.println("alive " + device.liveBytes());
            }
        }
    }

    /** Whether samples lie on the device or stream to it, once it has trained on them. */
    private static String data(Device device, String mebibytes) {
        int count = (Integer.parseInt(mebibytes) << 20) / 784;
        List<String> classes = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
        Dataset set = new Dataset("large", new byte[784 * count], new int[count], 28, 28, 1, classes);
        TrainTest parts = new TrainTest("large", set, set.subset(new int[] {0}, "one"));
        try (Splits splits = new Splits(device, parts, 0, 16);
                Model model = new Model(device, NET);
                Training training = new Training(
                        model,
                        splits.train(),
                        splits.reader(1),
                        new Sgd(),
                        Schedule.constant(3, 0.01),
                        Averaging.none(3))) {
            while (training.step() < 3) training.advance();
            training.totals();
            return mebibytes + " " + (splits.streams(Splits.Part.TRAIN) ? "streams" : "lies");
        }
    }

    private static int step(Device device, String batch, boolean strict) {
        Setup setup = Setup.of(NET, Integer.parseInt(batch)).with(strict ? Precision.STRICT : Precision.FP32);
        try (Run run = setup.on(device)) {
            return run.plan.batchSize();
        }
    }

    private static int run(Device device, String batch) {
        Setup setup = Setup.of(NET, Integer.parseInt(batch));
        BatchReader plain = setup.batch().plain();
        try (Images images = Sets.random(device, 1, setup.count(), NET.input().shape(), 10);
                RunState control = new RunState(device, setup.lr(), setup.alpha());
                Model model = new Model(device, NET, setup.loss(), Precision.FP32);
                Plan plan = Plan.training(model, images, control, setup.batch(), OUTLOOK);
                Evaluator first = new Evaluator(model, images, plain);
                Evaluator second = new Evaluator(model, images, plain);
                Weights member = model.store().blank(device);
                Weights mean = model.store().copy(device, member)) {
            int later = List.of(first, second, member, mean).size();
            if (later != OUTLOOK.evaluators() + OUTLOOK.models()) throw new IllegalStateException("told otherwise");
            return plan.batchSize();
        }
    }
}
