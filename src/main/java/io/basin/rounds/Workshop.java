package io.basin.rounds;

import io.basin.Api;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.io.OnFailure;
import io.basin.io.Sha256;
import io.basin.nn.Graph;
import io.basin.text.Require;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * A worker's input: the plan, the net, the data, and how to open a device of its own.
 *
 * @param net builds the net
 * @param device opens one; every worker's must compute the same bits, so each has one thread unless said otherwise
 */
@Api
public record Workshop(RoundPlan plan, Settings settings, Supplier<Graph> net, TrainTest data, Supplier<Device> device)
        implements Shares {
    public Workshop {
        Require.given("plan", plan);
        Require.given("settings", settings);
        Require.given("net", net);
        Require.given("data", data);
        Require.given("device", device);
    }

    /** A device with the data on it. */
    record Bench(Device device, Splits splits, String identity, ShareRunner runner) implements Maker {
        @Override
        public Made make(Task task, BooleanSupplier stop) {
            return runner.make(task, stop);
        }

        @Override
        public void close() {
            runner.close();
            splits.close();
            device.close();
        }
    }

    @Override
    public Maker open() {
        return bench();
    }

    Bench bench() {
        Device opened = device.get();
        return OnFailure.close(opened, () -> {
            Splits splits = new Splits(opened, data, settings.data()).cut();
            return new Bench(opened, splits, identity(), new ShareRunner(splits, net, settings, plan));
        });
    }

    /** Rounds after the last have no shares. */
    @Override
    public int count(int round, Path begin) {
        return round < plan.rounds().size() ? plan.rounds().get(round).shares().size() : 0;
    }

    @Override
    public int before(int round, int share) {
        return plan.before(round, share);
    }

    /** Identifies the work, beside data and device: it must be the same for every worker. */
    String identity() {
        List<double[]> tables = plan.lanes().stream()
                .flatMap(lane -> Stream.of(lane.lr(), lane.alpha()))
                .toList();
        String all = settings.identity() + ", net=" + net.get().fingerprint() + ", " + plan + Sha256.of(tables);
        return plan.name() + ", " + plan.rounds().size() + " rounds, "
                + Sha256.of(all).substring(0, 16);
    }
}
