package io.basin.cli;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Nets;
import io.basin.text.Format;
import io.basin.train.Model;
import io.basin.train.StepTimes;
import io.basin.train.Training;
import java.util.List;

/** The times of a net's training step on a device, operation by operation, and the algorithms that it chose. */
record StepReport(Device device, String net, Precision precision, int batch) {
    private static final int STEPS = 16;
    private static final int CLASSES = 10;

    private interface Work {
        void of(Training training);
    }

    private void train(Work work) {
        boolean grey = List.of("mlp", "small-cnn").contains(net);
        Dataset set = grey
                ? SyntheticSet.synthetic(batch, 28, 28, 1, CLASSES, 1)
                : SyntheticSet.synthetic(batch, 32, 32, 3, CLASSES, 1);
        BatchReader reader = new BatchReader(batch, set.augmentation(grey ? 0 : 4, !grey), 1, true);
        Schedule schedule = Schedule.constant(STEPS, 1e-3);
        try (Images images = set.upload(device);
                Model model =
                        new Model(device, Nets.build(net, images.sample(), CLASSES), Loss.crossEntropy(0), precision);
                Training training = new Training(
                        model, images, reader, new Sgd(0.9, 5e-4, false), schedule, Averaging.none(STEPS))) {
            say("%s, batches of %d, %s, on %s", net, batch, precision.on(device), device.describe());
            if (device.describe().contains("software GPU")) {
                say("Every time and rate here is an emulator's on this processor and says nothing of any GPU.");
            }
            work.of(training);
        }
    }

    /** One line a convolution and direction. */
    void algorithms() {
        train(training -> {
            List<String> choices = device.choices();
            if (choices.isEmpty()) say("For %s this device has nothing to choose by measurement.", net);
            choices.forEach(c -> say("%s", c));
        });
    }

    /** One line an operation and pass: time, bytes and work, and their share of the device's own rates. */
    void times() {
        train(training -> {
            StepTimes times = StepTimes.of(training);
            double copies = StepTimes.copyRate(device);
            double products = StepTimes.productRate(device, precision);
            say("copies %.1f GB/s, a large product %.3f TFLOP/s", copies / 1e9, products / 1e12);
            say("%-32s %10s %10s %10s %8s %8s", "operation", "ms", "MB", "GFLOP", "of copy", "of prod.");
            for (StepTimes.Row row : times.rows()) say("%s", line(row, copies, products));
            say("%-32s %10.4f", "sum", times.total());
            say("%-32s %10.4f   %.2f of the sum", "the recorded step", times.replay(), times.replay() / times.total());
        });
    }

    private static String line(StepTimes.Row row, double copies, double products) {
        double seconds = row.milliseconds() / 1e3;
        return Format.of(
                "%-32s %10.4f %10.3f %10.4f %7.1f%% %7.1f%%",
                row.name(),
                row.milliseconds(),
                row.bytes() / 1e6,
                row.operations() / 1e9,
                100 * row.bytes() / seconds / copies,
                100 * row.operations() / seconds / products);
    }

    private static void say(String form, Object... values) {
        System.out.println(Format.of(form, values));
    }
}
