package io.basin.cuda;

import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.PredictionSum;
import java.nio.ByteBuffer;
import java.util.function.Supplier;

/** Sums and votes on the device, by the kernels of {@code kernels/ensemble.cu}: a member is added without waiting for it. */
final class CudaPredictionSum implements PredictionSum {
    private final CudaDevice device;
    private final int rows;
    private final int classes;
    private final Guard guard;
    private final Closer undo = new Closer();
    private final Memory sums;
    private final Memory votes;
    private final Memory choices;

    CudaPredictionSum(CudaDevice device, int rows, int classes) {
        this.device = device;
        this.rows = rows;
        this.classes = classes;
        guard = device.guard().of("the prediction sum");
        try {
            sums = undo.add(device.allocate(8L * rows * classes));
            votes = undo.add(device.allocate(4L * rows * classes));
            choices = undo.add(device.allocate(4L * rows));
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    @Override
    public void add(double weight, Memory from, long offset, int first, int count) {
        long skipped = (long) first * classes;
        guard.run(() -> launch("accumulate", count)
                .args(CudaMemory.at(sums, 8 * skipped, 8L * count * classes))
                .args(CudaMemory.at(votes, 4 * skipped, 4L * count * classes))
                .args(CudaMemory.at(from, offset, 4L * count * classes), weight, count, classes)
                .run());
    }

    /** A warp for each row. */
    private Launch launch(String kernel, int count) {
        return device.kernels.launch("ensemble.cu", kernel, 32L * count);
    }

    @Override
    public double[] sums() {
        double[] out = new double[rows * classes];
        guard.run(() -> read(sums, 8 * out.length).asDoubleBuffer().get(out));
        return out;
    }

    @Override
    public int[] likeliest() {
        return chosen(() -> launch("argmax", rows).args(choices, sums, rows, classes));
    }

    @Override
    public int[] elected() {
        return chosen(() -> launch("vote", rows).args(choices, votes, sums, rows, classes));
    }

    private int[] chosen(Supplier<Launch> choice) {
        int[] out = new int[rows];
        guard.run(() -> {
            choice.get().run();
            read(choices, 4 * rows).asIntBuffer().get(out);
        });
        return out;
    }

    private ByteBuffer read(Memory memory, int bytes) {
        ByteBuffer read = CudaArenas.direct(bytes);
        device.download(memory, 0, read);
        return read;
    }

    @Override
    public void close() {
        guard.close(undo::close);
    }
}
