package io.basin.train;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.nn.Graph;
import java.util.ArrayList;
import java.util.List;

/**
 * How long each operation of a training step takes on its device, beside what it has to move and to compute.
 *
 * @param rows in the order of a step: forward, backward, update
 * @param replay milliseconds of the whole step as it was recorded
 */
public record StepTimes(List<Row> rows, double replay) {
    private static final int RUNS = 3;
    /** Milliseconds that a measurement should take at least. */
    private static final double ENOUGH = 2;

    private static final long LEAST_COPY = 4L << 20;
    private static final long MOST_COPY = 1L << 30;
    private static final int ROWS = 16;
    private static final int LEAST_PRODUCT = 256;
    private static final int MOST_PRODUCT = 4096;

    /**
     * One pass of one operation.
     *
     * @param bytes that it has to move, each tensor as often as it must be read or written where nothing is fused with it
     * @param operations sums and products of its weights
     */
    public record Row(String name, double milliseconds, long bytes, long operations) {}

    /** Measures a training, which goes on by a few steps. */
    public static StepTimes of(Training training) {
        Device device = training.model().device();
        double replay = Double.POSITIVE_INFINITY;
        for (int i = 0; i <= RUNS; i++) {
            double time = device.milliseconds(training::advance);
            if (i > 0) replay = Math.min(replay, time);
        }
        List<Op> ops = training.plan().ops();
        List<Cost> costs = training.plan().costs();
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < ops.size(); i++) {
            Op op = ops.get(i);
            Cost cost = costs.get(i);
            rows.add(row(device, op.name(), op::forward, cost.forward(), cost.forwardOperations()));
        }
        for (int i = ops.size() - 1; i >= 0; i--) {
            Op op = ops.get(i);
            Cost cost = costs.get(i);
            if (cost.backward() == 0) continue;
            rows.add(row(device, op.name() + " backward", op::backward, cost.backward(), cost.backwardOperations()));
        }
        long weights = training.model().store().paramBytes();
        rows.add(row(device, "update", training.updating(), 5 * weights, 0));
        return new StepTimes(List.copyOf(rows), replay);
    }

    private static Row row(Device device, String name, Runnable work, long bytes, long operations) {
        return new Row(name, shortest(device, work), bytes, operations);
    }

    private static double shortest(Device device, Runnable work) {
        double best = Double.POSITIVE_INFINITY;
        for (int i = 0; i < RUNS; i++) best = Math.min(best, device.milliseconds(work));
        return best;
    }

    /** All operations, one after another. */
    public double total() {
        return rows.stream().mapToDouble(Row::milliseconds).sum();
    }

    /** Bytes a second that the device reads and writes when it copies its own memory. */
    public static double copyRate(Device device) {
        for (long bytes = LEAST_COPY; ; bytes *= 4) {
            try (Memory from = device.allocate(bytes);
                    Memory to = device.allocate(bytes)) {
                double time = shortest(device, () -> device.copy(from, to));
                if (time >= ENOUGH || bytes >= MOST_COPY) return 2e3 * bytes / time;
            }
        }
    }

    /** Sums and products a second of a large product, as convolutions compute it: one of 1 x 1 on as many channels as pixels. */
    public static double productRate(Device device, Precision precision) {
        for (int n = LEAST_PRODUCT; ; n *= 4) {
            double time = product(device, precision, n);
            if (time >= ENOUGH || n >= MOST_PRODUCT) return 2e3 * n * n * n / time;
        }
    }

    private static double product(Device device, Precision precision, int n) {
        int side = (int) Math.sqrt((double) n / ROWS);
        Dataset set = SyntheticSet.synthetic(ROWS, side, side, n, 2, 1);
        Graph net = new Graph(set.sample());
        net.dense(net.globalAveragePool(net.conv(net.input(), n, 1)), 2);
        try (Images images = set.upload(device);
                RunState control = new RunState(device);
                Model model = new Model(device, net, Loss.crossEntropy(0), precision);
                Plan plan = Plan.evaluation(
                        model, images, control, new BatchReader(ROWS, set.augmentation(0, false), 1, false))) {
            model.initialise(1);
            plan.forward();
            return shortest(device, plan.ops().get(1)::forward);
        }
    }
}
