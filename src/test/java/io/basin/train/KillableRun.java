package io.basin.train;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.methods.Asked;
import io.basin.methods.Baseline;
import io.basin.methods.Budget;
import io.basin.methods.Ema;
import io.basin.methods.Fge;
import io.basin.methods.Independent;
import io.basin.methods.Lawa;
import io.basin.methods.Lookahead;
import io.basin.methods.Method;
import io.basin.methods.Methods;
import io.basin.methods.PowerEma;
import io.basin.methods.Pswa;
import io.basin.methods.Snapshot;
import io.basin.methods.Swa;
import io.basin.methods.SwaCyclic;
import io.basin.methods.Swag;
import io.basin.methods.Swap;
import io.basin.methods.SwitchEma;
import io.basin.methods.Tail;
import io.basin.methods.Wsm;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A small run in a process of its own that prints each step, for {@link ResumeTest} to kill. */
final class KillableRun {
    static final int STEPS_PER_EPOCH = 10;
    private static final int BATCH = 16;

    private KillableRun() {}

    /** @param args folder, method, device */
    public static void main(String[] args) {
        train(args[2], Path.of(args[0]), args[1], 4, 7, new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                System.out.println(step);
                System.out.flush();
            }
        });
    }

    /** As {@link #settings} has it, with this normalisation. */
    static Augmentation augmentation(float[] mean, float[] std) {
        return new Augmentation(1, true, mean, std);
    }

    static Settings settings() {
        return settings(Precision.STRICT);
    }

    static Settings settings(Precision precision) {
        Settings.Data data = new Settings.Data(BATCH, 1, true, 1, 0);
        return new Settings("synthetic", "test", new Sgd(0.9, 5e-4, true), true, 0.1, precision, data);
    }

    static Asked asked(double epochs) {
        Swa swa = new Swa(0.5, 0.02, epochs / 4);
        return new Asked(
                new Budget(epochs, 0.05),
                new Methods(List.of(
                        new Baseline(),
                        new Ema(0.9),
                        swa,
                        new SwaCyclic(0.5, 0.02, 0.002, epochs / 4),
                        new Lawa(2),
                        new Tail(0.5, 0.02),
                        new Swag(swa, 3, 2, 1),
                        new Swap(0.5, 0.02, 0.002, 2),
                        new Snapshot(2, 0.1),
                        new Fge(0.5, 0.05, 0.005, epochs / 4),
                        new Independent(2),
                        new SwitchEma(0.9),
                        new Pswa(epochs / 3),
                        new Lookahead(3, 0.5),
                        new Wsm(0.5, 4),
                        new PowerEma(4))));
    }

    static Graph net() {
        Graph g = new Graph(Shape.of(2, 9, 9));
        Value x = g.batchNormRelu(g.conv(g.input(), 8, 3));
        x = g.maxPool(g.add(g.conv(x, 8, 3), x), 2);
        x = g.dropout(g.denseRelu(x, 16), 0.2);
        g.dense(x, 3);
        return g;
    }

    static void train(Path folder, String method, double epochs, Trainer.Listener listener) {
        train("cpu", folder, method, epochs, 7, listener);
    }

    static void train(
            String deviceName, Path folder, String method, double epochs, int every, Trainer.Listener listener) {
        Dataset set = SyntheticSet.synthetic(STEPS_PER_EPOCH * BATCH + 5, 9, 9, 2, 3, 7);
        Augmentation norm = set.augmentation(1, true);
        Settings s = settings();
        Method recipe = asked(epochs).plan(method, STEPS_PER_EPOCH);
        try (Device device = Devices.open(deviceName, 1);
                Images images = set.upload(device);
                Training session =
                        Sessions.session(device, net(), images, s, recipe.schedule(), recipe.averaging(), 5, norm)) {
            new Trainer(
                            session,
                            STEPS_PER_EPOCH,
                            folder,
                            every,
                            Map.of(Trainer.RUN, s.identity() + ", " + recipe.identity()),
                            true,
                            listener)
                    .run();
        }
    }
}
