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
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * What a worker needs: the plan, what is trained on what, and how to open a device of its own.
 *
 * @param net builds the net
 * @param device opens one; every worker's must compute the same bits, so each has one thread unless said otherwise
 */
@Api
public record Workshop(
        RoundPlan plan, Settings settings, Supplier<Graph> net, TrainTest data, Supplier<Device> device) {
    public Workshop {
        Require.given("plan", plan);
        Require.given("settings", settings);
        Require.given("net", net);
        Require.given("data", data);
        Require.given("device", device);
    }

    /** A device with the data on it. */
    record Bench(Device device, Splits splits, ShareRunner runner) implements AutoCloseable {
        @Override
        public void close() {
            runner.close();
            splits.close();
            device.close();
        }
    }

    Bench open() {
        Device opened = device.get();
        return OnFailure.close(opened, () -> {
            Splits splits = new Splits(opened, data, settings.data()).cut();
            return new Bench(opened, splits, new ShareRunner(splits, net, settings, plan));
        });
    }

    /** What every worker must have the same. */
    RoundFolder.Job job(Splits splits, boolean anyDevice) {
        List<double[]> tables = plan.lanes().stream()
                .flatMap(lane -> Stream.of(lane.lr(), lane.alpha()))
                .toList();
        String all = settings.identity() + ", net=" + net.get().fingerprint() + ", " + plan + Sha256.of(tables);
        String identity = plan.name() + ", " + plan.rounds().size() + " rounds, "
                + Sha256.of(all).substring(0, 16);
        return new RoundFolder.Job(
                identity, splits.fingerprint(), splits.device().describe(), anyDevice);
    }
}
