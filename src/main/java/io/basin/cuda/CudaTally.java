package io.basin.cuda;

import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.Tally;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/** Sums and votes on the device, by the kernels of {@code kernels/ensemble.cu}: a member is added without waiting for it. */
final class CudaTally implements Tally {
    private static final int THREADS = 256;

    private final CudaDevice device;
    private final int rows;
    private final int classes;
    private final Guard guard;
    private final Undo undo = new Undo();
    private final Memory sums;
    private final Memory votes;
    private final Memory choices;

    CudaTally(CudaDevice device, int rows, int classes) {
        this.device = device;
        this.rows = rows;
        this.classes = classes;
        guard = device.guard().of("the tally");
        try {
            sums = own(8L * rows * classes);
            votes = own(4L * rows * classes);
            choices = own(4L * rows);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    private Memory own(long bytes) {
        Memory memory = device.allocate(bytes);
        undo.add(memory);
        return memory;
    }

    @Override
    public void add(double weight, Memory from, long offset, int first, int count) {
        long skipped = (long) first * classes;
        guard.run(() -> launch("accumulate", count)
                .arg(part(sums, 8 * skipped, 8L * count * classes))
                .arg(part(votes, 4 * skipped, 4L * count * classes))
                .arg(part(from, offset, 4L * count * classes))
                .arg(weight)
                .arg(count)
                .arg(classes)
                .run());
    }

    private static Place part(Memory memory, long offset, long bytes) {
        return new Place(((CudaMemory) memory).at(offset, bytes));
    }

    /** A warp for each row. */
    private Launch launch(String kernel, int count) {
        int blocks = device.kernels().blocks(32L * count, THREADS);
        return new Launch(device.context(), device.kernels().get("ensemble.cu", kernel), kernel)
                .shape(blocks, 1, THREADS, 1);
    }

    @Override
    public double[] sums() {
        double[] out = new double[rows * classes];
        guard.run(() -> read(sums, 8 * out.length).asDoubleBuffer().get(out));
        return out;
    }

    @Override
    public int[] likeliest() {
        return chosen(() -> launch("argmax", rows)
                .arg(CudaDevice.place(choices))
                .arg(CudaDevice.place(sums))
                .arg(rows)
                .arg(classes));
    }

    @Override
    public int[] elected() {
        return chosen(() -> launch("vote", rows)
                .arg(CudaDevice.place(choices))
                .arg(CudaDevice.place(votes))
                .arg(CudaDevice.place(sums))
                .arg(rows)
                .arg(classes));
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
        ByteBuffer read = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        device.download(memory, 0, read);
        return read;
    }

    @Override
    public void close() {
        guard.close(undo::close);
    }
}
