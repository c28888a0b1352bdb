package io.basin.cli;

import io.basin.compare.Material;
import io.basin.data.Augmentation;
import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.ImageSet;
import io.basin.data.SyntheticSet;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.DeviceProvider;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Precision;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.nn.Nets;
import io.basin.train.Plan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Says what this machine has, and proves that a device trains by training on it for a moment. */
@Command(
        name = "doctor",
        description = "Describes the machine, opens every device and trains a small net on it for a moment.",
        footer = {"", "Example:  basin doctor --threads 2"})
final class DoctorCommand implements Callable<Integer> {
    private static final int STEPS = 20;

    /** A device that is absent is no fault where another works; one that computes wrongly always is. */
    private enum State {
        WORKS,
        ABSENT,
        WRONG
    }

    private final List<DeviceProvider> providers;

    @Option(names = "--threads", defaultValue = "0", description = "threads; 0 for all cores")
    private int threads;

    DoctorCommand() {
        this(Devices.providers());
    }

    DoctorCommand(List<DeviceProvider> providers) {
        this.providers = providers;
    }

    @Override
    public Integer call() {
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
        for (DeviceProvider provider : providers) states.add(examine(provider));
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
        try (Device device = provider.open(threads)) {
            double[] losses = train(device);
            boolean learns = Double.isFinite(losses[1]) && losses[1] < losses[0];
            line(
                    provider.name(),
                    device.describe()
                            + String.format(
                                    Locale.ROOT,
                                    "; %d steps of the small CNN: loss %.3f to %.3f, %s",
                                    STEPS,
                                    losses[0],
                                    losses[1],
                                    learns ? "learns" : "DOES NOT LEARN"));
            return learns && right ? State.WORKS : State.WRONG;
        } catch (DeviceException | IllegalArgumentException e) {
            line(provider.name(), "does not work: " + e.getMessage());
            return right ? State.ABSENT : State.WRONG;
        }
    }

    /** Mean loss of the first and of the last step. */
    private static double[] train(Device device) {
        ImageSet set = SyntheticSet.synthetic(256, 28, 28, 1, 10, 1);
        Augmentation norm = Augmentation.of(set, 0, false);
        double[] lr = new double[STEPS];
        Arrays.fill(lr, 0.01);
        double[] losses = new double[2];
        try (Images images = Material.upload(device, set);
                Control control = new Control(device, lr, new double[STEPS]);
                Storage storage = new Storage(true);
                Plan plan = Plan.training(
                        device,
                        Nets.smallCnn(images.sample(), 10),
                        storage,
                        images,
                        control,
                        new Spec.Batch(32, 0, false, norm.mean(), norm.std(), 1, true),
                        new Spec.Loss(0),
                        Precision.FP32)) {
            storage.initialise(device, 1);
            Runnable update = device.step(new Spec.Step(0.9, 0, false), storage, control);
            Runnable tick = device.tick(control);
            for (int i = 0; i < STEPS; i++) {
                control.start(i);
                plan.forward();
                plan.backward();
                update.run();
                if (i == 0) losses[0] = control.read().meanLoss();
                if (i == STEPS - 1) losses[1] = control.read().meanLoss();
                tick.run();
            }
        }
        return losses;
    }

    private static void line(String name, String text) {
        System.out.printf(Locale.ROOT, "%-14s %s%n", name, text);
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
