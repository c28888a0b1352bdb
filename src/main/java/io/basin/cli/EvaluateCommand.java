package io.basin.cli;

import io.basin.data.ImageSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.ensemble.Metrics;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures a weights file. */
@Command(
        name = "evaluate",
        description = "Accuracy, NLL and ECE of a weights file on its data set's test part.",
        footer = {"", "Example:  basin evaluate runs/swa/seed-1/swa/swa.safetensors"})
final class EvaluateCommand implements Runnable {
    @Parameters(paramLabel = "FILE", description = "safetensors file that train or compare wrote")
    private Path file;

    @Option(names = "--data-dir", description = "where the data set's files are")
    private Path dataDir;

    @Option(names = "--device", defaultValue = "auto", description = "auto or cpu")
    private String deviceName;

    @Option(names = "--threads", defaultValue = "0", description = "threads; 0 for all cores")
    private int threads;

    @Override
    public void run() {
        Model model = Model.of(file);
        TrainTest data = model.data(dataDir);
        ImageSet test = data.test();
        int classes = test.classes();
        Metrics metrics = new Metrics(classes);
        double[] row = new double[classes];
        try (Device device = Devices.open(deviceName, threads)) {
            model.run(device, test, (member, first, rows, p) -> {
                for (int i = 0; i < rows; i++) {
                    for (int k = 0; k < classes; k++) row[k] = p[i * classes + k];
                    metrics.add(row, test.labels()[first + i]);
                }
            });
        }
        System.out.printf(
                Locale.ROOT,
                "%s on %s: accuracy %.2f %%, NLL %.4f, ECE %.2f %%%n",
                model.net(),
                model.dataset(),
                100 * metrics.accuracy(),
                metrics.nll(),
                100 * metrics.ece());
    }
}
