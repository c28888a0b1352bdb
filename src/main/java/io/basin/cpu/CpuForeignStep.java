package io.basin.cpu;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.basin.device.Cache;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import io.basin.device.RunState;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/** The step over arrays in the host's memory. */
final class CpuForeignStep implements ForeignStep, IntConsumer {
    /** Of a sum of squares, as in {@code kernels/update.cu}. */
    private static final int LANES = 256;
    /** Elements for which other threads are not woken. */
    private static final int FEW = 1 << 16;

    /** Some of an array of gradients. */
    private record Gradients(FloatBuffer floats, long address, int from, int count) {}

    private final Plan plan;
    private final float[][] scalars;
    private final WorkerPool crew;
    private final CpuUpdate update;
    private final List<Gradients> gradients = new ArrayList<>();
    private final ByteBuffer sums;
    private final long sumsAt;
    private final boolean kernel;
    private final ThreadLocal<double[]> lanes = ThreadLocal.withInitial(() -> new double[LANES]);
    private int step;

    /** @param kernel whether C may do it */
    CpuForeignStep(Plan plan, int threads, boolean kernel) {
        Cache.showToLoaders();
        this.plan = plan;
        this.kernel = kernel;
        step = plan.first();
        scalars = plan.rule() instanceof UpdateRule rule ? RunState.scalars(rule, plan.lr().length) : new float[0][];
        List<CpuUpdate.Strip> strips = new ArrayList<>();
        long all = 0;
        for (Strip from : plan.strips()) {
            CpuUpdate.Strip s = strip(from);
            strips.add(s);
            all += s.length();
            if (plan.clip() == 0) continue;
            int g = Role.G.ordinal();
            for (Strip.Piece piece : from.pieces()) {
                gradients.add(new Gradients(s.floats()[g], s.addresses()[g], piece.from(), piece.count()));
            }
        }
        sums = ByteBuffer.allocateDirect(8 * gradients.size()).order(ByteOrder.nativeOrder());
        sumsAt = gradients.isEmpty() ? 0 : Pointer.nativeValue(Native.getDirectBufferPointer(sums));
        crew = new WorkerPool(all < FEW ? 1 : threads);
        update = new CpuUpdate(crew, plan.rule(), strips, kernel);
    }

    private static CpuUpdate.Strip strip(Strip strip) {
        FloatBuffer[] floats = new FloatBuffer[CpuUpdate.AT + 1];
        long[] addresses = new long[floats.length];
        strip.arrays().forEach((role, array) -> {
            floats[role.ordinal()] = floats(array);
            addresses[role.ordinal()] = array.address();
        });
        return new CpuUpdate.Strip(strip.count(), strip.decayed(), floats, addresses);
    }

    private static FloatBuffer floats(ForeignArrays.Array array) {
        if (array.address() == 0 && array.owner() instanceof float[] values) return FloatBuffer.wrap(values);
        ByteBuffer bytes = new Pointer(array.address()).getByteBuffer(0, 4L * array.count());
        return bytes.order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    @Override
    public void run() {
        if (step >= plan.lr().length) return;
        update.lr = (float) plan.lr()[step];
        update.alpha = (float) plan.alpha()[step];
        update.pull = (float) plan.pull()[step];
        if (scalars.length > 0) update.scalars = scalars[step];
        if (plan.clip() > 0) update.factor = clipping();
        update.run();
        step++;
    }

    /** The factor of the gradients: clip / (norm + 1e-6), at most 1. */
    private float clipping() {
        crew.run(gradients.size(), this);
        double[] sum = lanes.get();
        Arrays.fill(sum, 0);
        for (int k = 0; k < gradients.size(); k++) sum[k % LANES] += sums.getDouble(8 * k);
        double factor = plan.clip() / (Math.sqrt(folded(sum)) + 1e-6);
        return factor >= 1 ? 1 : (float) factor;
    }

    /** The sum of squares of a piece of the gradients. */
    @Override
    public void accept(int number) {
        Gradients g = gradients.get(number);
        if (kernel && g.address != 0) {
            StepKernel.basin_squares(g.address + 4L * g.from, g.count, sumsAt + 8L * number);
            return;
        }
        double[] sum = lanes.get();
        Arrays.fill(sum, 0);
        for (int i = 0; i < g.count; i++) {
            double value = g.floats.get(g.from + i);
            sum[i % LANES] += value * value;
        }
        sums.putDouble(8 * number, folded(sum));
    }

    private static double folded(double[] lanes) {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
        }
        return lanes[0];
    }

    @Override
    public void close() {
        crew.close();
    }
}
