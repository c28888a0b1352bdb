package io.basin.rounds;

import io.basin.data.Progress;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Loss;
import io.basin.device.Shape;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.Sha256;
import io.basin.methods.Budget;
import io.basin.nn.Graph;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/** A job that takes a moment: 256 small pictures, a net with batch norm, three workers. */
final class TinyJob {
    static final int BATCH = 16;
    static final int STEPS_PER_EPOCH = 16;
    private static final TrainTest DATA = SyntheticSet.trainTest(300, 60, 8, 8, 1, 4, 1);

    private TinyJob() {}

    static Graph net() {
        Graph net = new Graph(Shape.of(1, 8, 8));
        net.dense(net.maxPool(net.batchNormRelu(net.conv(net.input(), 4, 3)), 2), 4);
        return net;
    }

    static Settings settings() {
        return new Settings("tiny", "tiny").with(new Settings.Data(BATCH, 2, true, 44, 0));
    }

    static RoundMethods methods(int workers) {
        return methods(workers, 3);
    }

    static RoundMethods methods(int workers, int epochs) {
        return new RoundMethods(1, workers, new Budget(epochs, 0.05), STEPS_PER_EPOCH, BATCH);
    }

    static Workshop workshop(RoundPlan plan) {
        return workshop(plan, "cpu");
    }

    static Workshop workshop(RoundPlan plan, String device) {
        return new Workshop(plan, settings(), TinyJob::net, DATA, () -> Devices.open(device, 1));
    }

    /** Runs a job to its end. */
    static List<RoundRun.Outcome> run(Path folder, Workshop workshop, Function<Path, Carrier> carrier) {
        return run(folder, workshop, carrier, false);
    }

    static List<RoundRun.Outcome> run(
            Path folder, Workshop workshop, Function<Path, Carrier> carrier, boolean anyDevice) {
        try (Device device = workshop.device().get();
                Splits splits = new Splits(device, DATA, workshop.settings().data()).cut();
                Model model = new Model(
                        device,
                        workshop.net().get(),
                        Loss.crossEntropy(0),
                        workshop.settings().precision());
                Carrier made = carrier.apply(folder)) {
            return new RoundRun(folder, workshop, splits, model, anyDevice).run(made, Progress.NONE);
        }
    }

    static List<RoundRun.Outcome> inThreads(Path folder, RoundPlan plan, int threads) {
        Workshop workshop = workshop(plan);
        return run(folder, workshop, f -> new Threads(f, workshop, threads));
    }

    /** Of the last weights, whoever computed them. */
    static String sum(RoundRun.Outcome outcome) {
        ByteBuffer all = ByteBuffer.allocate(1 << 20);
        ModelState.read(outcome.file()).tensors().values().forEach(t -> {
            for (float v : t.values()) all.putFloat(v);
        });
        byte[] bytes = new byte[all.flip().remaining()];
        all.get(bytes);
        return Sha256.of(bytes);
    }

    /** A worker in a process of its own: one job after the other of those in a folder, from a number on, as long as it lives. */
    public static void main(String[] args) throws Exception {
        Path jobs = Path.of(args[0]);
        Workshop workshop = workshop(plan());
        for (int i = Integer.parseInt(args[2]); ; i++) {
            // The job for which this process was started may have ended while it started.
            for (int newest = newest(jobs); newest < i; newest = newest(jobs)) Thread.sleep(10);
            i = Math.max(i, newest(jobs));
            Path job = jobs.resolve("job-" + i);
            try {
                SharedFolder.work(job, workshop, args[1], share -> {});
            } catch (UncheckedIOException | FormatException e) {
                // The job ended, and its folder is removed.
                if (!Files.isDirectory(jobs.resolve("job-" + (i + 1)))) Thread.sleep(10);
            }
        }
    }

    private static int newest(Path jobs) {
        return Folders.list(jobs).stream()
                .map(job -> job.getFileName().toString())
                .filter(name -> name.matches("job-\\d+"))
                .mapToInt(name -> Integer.parseInt(name.substring(4)))
                .max()
                .orElse(-1);
    }

    /** What {@link #main} works on. */
    static RoundPlan plan() {
        return methods(3).diLoCo(4, 0.7, 0.9);
    }
}
