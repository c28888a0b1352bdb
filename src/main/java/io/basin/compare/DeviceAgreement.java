package io.basin.compare;

import io.basin.data.Dataset;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.nn.Graph;
import io.basin.report.Extras;
import io.basin.report.Extras.Check;
import io.basin.text.Format;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Whether other devices of this machine predict with a weights file what the device that made it predicts. */
record DeviceAgreement(Splits splits, Supplier<Graph> net, List<DeviceProvider> providers) {
    private static final String WHAT = "devices agree";
    /** Of probabilities, in float32: sums in another order, through all layers. */
    private static final double LIMIT = 1e-3;

    /** @param files weights files of this comparison, of which the first is looked at */
    Extras check(List<Path> files) {
        Device device = splits.device();
        List<Check> checks = new ArrayList<>();
        List<String> absent = new ArrayList<>();
        for (DeviceProvider provider : providers) {
            // Not even opened where the name shows that it is the device in use: opening may change its threads.
            if (kind(device).equalsIgnoreCase(provider.name())) continue;
            try (Device other = provider.openUnasked(0)) {
                if (other.describe().startsWith(kind(device))) continue;
                if (files.isEmpty()) absent.add("no single model was made");
                else checks.add(check(other, files.get(0)));
            } catch (DeviceException e) {
                absent.add(provider.name() + ": " + e.getMessage());
            }
        }
        if (checks.isEmpty()) {
            String why = absent.isEmpty() ? "" : " (" + String.join("; ", absent) + ")";
            checks.add(Check.notCovered(WHAT, "all", "only one device was found: " + device.describe() + why));
        }
        return Extras.of(checks.toArray(Check[]::new));
    }

    /** The beginning of a description, without the number of threads. */
    private static String kind(Device device) {
        String text = device.describe();
        int end = text.indexOf(',');
        return end < 0 ? text : text.substring(0, end);
    }

    private Check check(Device other, Path file) {
        Device device = splits.device();
        double[] here = predictions(device, file);
        double[] there = predictions(other, file);
        double worst = IntStream.range(0, here.length)
                .mapToDouble(i -> Math.abs(here[i] - there[i]))
                .max()
                .orElse(0);
        return Check.of(
                WHAT,
                file.getFileName().toString(),
                worst <= LIMIT,
                Format.of(
                        "%s and %s, %d samples: probabilities differ by at most %.1e (limit %.0e)",
                        device.describe(),
                        other.describe(),
                        here.length / splits.testSet().classes(),
                        worst,
                        LIMIT));
    }

    private double[] predictions(Device on, Path file) {
        Dataset test = splits.testSet();
        BatchReader reader = splits.plainBatch();
        // One batch: enough to tell, and little even where a device is slow.
        int count = Math.min(reader.batch(), test.count());
        Dataset few = test.subset(IntStream.range(0, count).toArray(), test.name());
        try (Model model = new Model(on, net.get(), Loss.crossEntropy(0), Precision.STRICT)) {
            return Probabilities.of(model.load(file), List.of(model.weights()), few, reader)
                    .p();
        }
    }
}
