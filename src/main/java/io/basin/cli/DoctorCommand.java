package io.basin.cli;

import io.basin.Nullable;
import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Nets;
import io.basin.text.Format;
import io.basin.train.Model;
import io.basin.train.PlanCheck;
import io.basin.train.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "doctor",
        description =
                "Describes the machine, opens every device, or that of --device, and trains a small net on it for a moment.",
        footer = {"", "Examples:", "  basin doctor --threads 2", "  basin doctor --times small-cnn --precision bf16"})
final class DoctorCommand implements Callable<Integer> {
    private static final int STEPS = 20;

    /** An absent device is not a fault where another works; one that computes wrongly always is. */
    private enum State {
        WORKS,
        ABSENT,
        WRONG
    }

    private final List<DeviceProvider> providers;

    @Mixin
    private Flags.On on;

    @Option(
            names = "--times",
            paramLabel = "NET",
            description =
                    "instead: the time of each operation of a training step of this net, beside what it moves and computes")
    private String timed;

    @Option(
            names = "--algorithms",
            paramLabel = "NET",
            description =
                    "instead: the algorithm of each convolution of this net, and its time where several were tried")
    private String chosen;

    @TrainingOptions.Sets("batch")
    @Option(names = "--batch-size", defaultValue = "128", description = "of --times and --algorithms")
    private int batch;

    @Option(
            names = "--precision",
            defaultValue = "FP32",
            description = "of --times and --algorithms, as 'basin train' has it; default fp32")
    private Precision precision;

    DoctorCommand() {
        this(Devices.providers());
    }

    DoctorCommand(List<DeviceProvider> providers) {
        this.providers = providers;
    }

    @Override
    public Integer call() {
        on.requireKnown();
        if (timed == null && chosen == null) return examine();
        requireNet("--times", timed);
        requireNet("--algorithms", chosen);
        try (Device device = on.open()) {
            PlanCheck.requirePrecision(device, precision);
            if (timed != null) new StepReport(device, timed, precision, batch).times();
            if (chosen != null) new StepReport(device, chosen, precision, batch).algorithms();
            return 0;
        }
    }

    private static void requireNet(String flag, @Nullable String net) {
        try {
            if (net != null) Nets.known(net);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(String.valueOf(e.getMessage()).replace("`model`", flag), e);
        }
    }

    private int examine() {
        Runtime runtime = Runtime.getRuntime();
        line(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch"));
        line("processor", processor() + ", " + runtime.availableProcessors() + " cores");
        line(
                "java",
                System.getProperty("java.vm.name") + " " + System.getProperty("java.version") + ", heap up to "
                        + (runtime.maxMemory() >> 20) + " MiB");
        Set<State> states = EnumSet.noneOf(State.class);
        for (DeviceProvider provider : providers) if (on.allows(provider.name())) states.add(examine(provider));
        for (String name : Catalog.names()) {
            var location = DataSets.locate(name, null);
            line(
                    name,
                    location.present() ? "found in " + location.folder() : "not here; 'basin data fetch " + name + "'");
        }
        boolean ready = states.contains(State.WORKS) && !states.contains(State.WRONG);
        String fault = states.contains(State.WRONG) ? "a device computes wrongly" : "no device works";
        line("verdict", ready ? "ready" : fault + ": see the lines above");
        return ready ? 0 : 1;
    }

    private State examine(DeviceProvider provider) {
        boolean right = true;
        for (DeviceProvider.Finding finding : provider.diagnose()) {
            line("", finding.text());
            right &= finding.right();
        }
        try (Device device = provider.open(on.threads())) {
            double[] losses = train(device);
            boolean learns = Double.isFinite(losses[1]) && losses[1] < losses[0];
            line(
                    provider.name(),
                    device.describe()
                            + Format.of(
                                    "; %d steps of the small CNN: loss %.3f to %.3f, %s",
                                    STEPS, losses[0], losses[1], learns ? "learns" : "DOES NOT LEARN"));
            return learns && right ? State.WORKS : State.WRONG;
        } catch (DeviceException | IllegalArgumentException e) {
            line(provider.name(), "does not work: " + e.getMessage());
            return right ? State.ABSENT : State.WRONG;
        }
    }

    /** Mean loss of the first and of the last step. */
    private static double[] train(Device device) {
        Dataset set = SyntheticSet.synthetic(256, 28, 28, 1, 10, 1);
        Augmentation norm = set.augmentation(0, false);
        double[] losses = new double[2];
        try (Images images = set.upload(device);
                Model model = new Model(device, Nets.smallCnn(images.sample(), 10));
                Training training = new Training(
                        model,
                        images,
                        new BatchReader(32, norm, 1, true),
                        new Sgd(0.9, 0, false),
                        Schedule.constant(STEPS, 0.01),
                        Averaging.none(STEPS))) {
            for (int i = 0; i < STEPS; i++) {
                double loss = training.gradients();
                training.update();
                if (i == 0) losses[0] = loss;
                losses[1] = loss;
            }
        }
        return losses;
    }

    private static void line(String name, String text) {
        System.out.println(Format.of("%-14s %s", name, FlagNames.said(text)));
    }

    private static String processor() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(l -> l.startsWith("model name"))
                    .map(l -> l.substring(l.indexOf(':') + 2))
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
