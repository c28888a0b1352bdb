package io.basin.average;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignArrays.Pass;
import io.basin.text.Require;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * Running averages of arrays that another library's training loop owns: {@code average += alpha (w - average)}.
 *
 * <pre>{@code
 * try (Averager swa = Averager.host().add("w", weights).add("b", bias).swa()) {
 *     for (...) { train(); swa.step(); }
 *     swa.swap();      // the net computes with the average
 *     evaluate();
 *     swa.swap();      // and with its own weights again
 * }
 * }</pre>
 *
 * <p>One call averages all arrays. It copies nothing, allocates nothing, and reads nothing where alpha is 0. On a GPU it is one
 * launch on the caller's stream and waits for nothing; {@code copyTo}, {@link #save} and {@link #restore} wait. The arrays belong
 * to the caller and are written by {@link #pull} and {@link #swap} alone. Its own arrays are float32, in the host's or the GPU's
 * memory: one average; the variance and the deviations of SWAG; the slots of LAWA; and one arena more for {@link #swap} where
 * an array is of 16 bits.
 *
 * <p>Any thread may call, one at a time; on a GPU one that has the context current. No other thread may write the arrays meanwhile,
 * and nothing else, such as another averager over the same arrays, while they are swapped: that would move the average. A
 * closed averager refuses every call by IllegalStateException.
 */
@Api
public final class Averager implements AutoCloseable {
    private static final int AVERAGE = 0;
    private static final int VARIANCE = 1;

    /** The weight of the step numbered {@code step}, after {@code collected} steps were taken in. */
    interface Alpha {
        double of(long step, long collected);
    }

    /**
     * How steps are taken in.
     *
     * @param name with all its settings: a saved average goes on under the rule that it was made by, and no other
     * @param alpha null where the average is that of the slots, made when asked for
     * @param window slots that are kept: of weights, or of deviations where there are moments
     * @param moments whether the variance is kept
     */
    record Rule(String name, @Nullable Alpha alpha, int window, boolean moments) {
        /** The arena of the first slot; before it lie the average and the variance. */
        int firstSlot() {
            return moments ? 2 : 1;
        }

        int slot(long collection) {
            return firstSlot() + (int) (collection % window);
        }

        int filled(long collected) {
            return (int) Math.min(collected, window);
        }
    }

    private final List<ForeignArrays.Array> arrays;
    private final Rule rule;
    private final ForeignArrays memory;
    /** The arena for what {@link #swap} takes out of arrays of 16 bits; 0 where there are none. */
    private final int spare;

    private long steps;
    private long collected;
    private boolean swapped;
    /** Whether LAWA's average is behind its slots. */
    private boolean behind;

    private boolean closed;

    Averager(List<ForeignArrays.Array> arrays, Rule rule, ForeignArrays memory, int spare) {
        this.arrays = arrays;
        this.rule = rule;
        this.memory = memory;
        this.spare = spare;
    }

    /** Averages of arrays in the host's memory, on all cores where together they have 262,144 elements or more. */
    public static AveragerBuilder host() {
        return new AveragerBuilder(true, 0);
    }

    /**
     * Averages of arrays in a GPU's memory, in the CUDA context that is current to the calling thread.
     *
     * @param stream the handle of a CUstream or cudaStream_t of that context, 0 for the default stream
     */
    public static AveragerBuilder cuda(long stream) {
        return new AveragerBuilder(false, stream);
    }

    /** The names of the arrays, in the order in which they were added. */
    public List<String> names() {
        return arrays.stream().map(ForeignArrays.Array::name).toList();
    }

    /** Calls of {@link #step} so far. */
    public synchronized long steps() {
        return steps;
    }

    /** How many times weights were taken in: steps and calls of {@link #average} whose alpha was not 0. */
    public synchronized long collected() {
        return collected;
    }

    /** Takes the weights in, or not, as the rule says of this step, and counts it. */
    public synchronized void step() {
        requireOwnWeights();
        if (rule.alpha() == null) {
            memory.run(Pass.COPY, rule.slot(collected), AVERAGE, 0, 0);
            collected++;
            behind = true;
        } else {
            take((float) rule.alpha().of(steps, collected));
        }
        steps++;
    }

    /**
     * Moves the average toward the weights, {@code average += alpha (w - average)}, whatever the rule.
     *
     * @param alpha in [0, 1]; 0 leaves every byte alone, 1 copies, and the first that is not 0 must be 1
     */
    public synchronized void average(double alpha) {
        requireOwnWeights();
        if (!(alpha >= 0 && alpha <= 1)) throw new IllegalArgumentException("`alpha` must lie in [0, 1], got " + alpha);
        if (rule.alpha() == null) throw new IllegalStateException("a window averages its slots equally: call step()");
        if (alpha != 0 && alpha != 1 && collected == 0) {
            throw new IllegalArgumentException("`alpha` must be 1 where nothing is averaged yet, got " + alpha);
        }
        take((float) alpha);
    }

    private void take(float alpha) {
        if (alpha == 0) return;
        if (rule.moments()) {
            memory.run(Pass.MOMENT, AVERAGE, VARIANCE, alpha, alpha == 1 ? 0 : alpha / (1 - alpha));
            if (rule.window() > 0) memory.run(Pass.DEVIATION, AVERAGE, rule.slot(collected), 0, 0);
        } else {
            memory.run(alpha == 1 ? Pass.COPY : Pass.AVERAGE, AVERAGE, AVERAGE, alpha, 0);
        }
        collected++;
    }

    /** Moves the weights toward the average, {@code w += rate (average - w)}: with 1 they become the average (Switch EMA, PSWA). */
    public synchronized void pull(double rate) {
        requireOwnWeights();
        if (!(rate >= 0 && rate <= 1)) throw new IllegalArgumentException("`rate` must lie in [0, 1], got " + rate);
        requireAverage();
        if ((float) rate != 0) memory.run(Pass.PULL, AVERAGE, AVERAGE, (float) rate, 0);
    }

    /**
     * Weights and averages change places, and at the next call back, bit for bit: between the two the caller's net computes with
     * the average. Arrays of 16 bits hold it rounded. Until it is swapped back nothing may be averaged, and the arrays are only read.
     */
    public synchronized void swap() {
        requireOpen();
        requireAverage();
        if (spare == 0) memory.run(Pass.EXCHANGE, AVERAGE, AVERAGE, 0, 0);
        else memory.run(swapped ? Pass.HIDE : Pass.SHOW, AVERAGE, spare, 0, 0);
        swapped = !swapped;
    }

    /** Whether the caller's arrays hold the averages. */
    public synchronized boolean swapped() {
        return swapped;
    }

    /** Copies the average of an array; {@code to} has its length. */
    public void copyTo(String name, float[] to) {
        copyTo(name, FloatBuffer.wrap(Require.given("to", to)));
    }

    /** Copies the average of an array into a buffer from its position on, which advances. */
    public synchronized void copyTo(String name, FloatBuffer to) {
        requireOwnWeights();
        requireAverage();
        copy(AVERAGE, name, to);
    }

    /** Copies SWAG's biased variance of what was collected: the mean of squares less the square of the mean, without its cancellation. */
    public synchronized void varianceTo(String name, float[] to) {
        requireOwnWeights();
        requireAverage();
        if (!rule.moments()) throw new IllegalStateException("no variance is kept: build with swag");
        copy(VARIANCE, name, FloatBuffer.wrap(to));
    }

    /** Copies SWAG's deviation {@code age}, 0 for the newest. */
    public synchronized void deviationTo(int age, String name, float[] to) {
        requireOwnWeights();
        if (!rule.moments()) throw new IllegalStateException("no deviations are kept: build with swag");
        if (age < 0 || age >= rule.filled(collected)) {
            throw new IllegalArgumentException(
                    "`age` must lie below the " + rule.filled(collected) + " deviations kept, got " + age);
        }
        copy(rule.slot(collected - 1 - age), name, FloatBuffer.wrap(to));
    }

    private void copy(int arena, String name, FloatBuffer to) {
        int array = names().indexOf(name);
        if (array < 0) throw new IllegalArgumentException("no array is called `" + name + "`");
        int count = arrays.get(array).count();
        if (to.remaining() < count) {
            throw new IllegalArgumentException(
                    "`" + name + "` has " + count + " elements, but there is room for " + to.remaining());
        }
        to.put(memory.read(arena, array).asFloatBuffer());
    }

    /**
     * Writes counts, averages and whatever the rule keeps into a safetensors file, from which {@link #restore} goes on bit for bit.
     * The average of array {@code w} is the tensor {@code average.w}. Needs as much heap as it writes.
     */
    public synchronized void save(Path file) {
        Require.given("file", file);
        requireOwnWeights();
        if (collected > 0) settle();
        new StateFile(arrays, rule, file).save(steps, collected, memory);
    }

    /**
     * Reads a file of {@link #save}, of the same rule and of arrays of the same names and sizes; the caller restores the
     * weights. Nothing changes where the file is refused.
     *
     * @throws io.basin.io.FormatException naming the file and what does not fit
     */
    public synchronized void restore(Path file) {
        Require.given("file", file);
        requireOwnWeights();
        StateFile.Counts counts = new StateFile(arrays, rule, file).restore(memory);
        steps = counts.steps();
        collected = counts.collected();
        behind = false;
    }

    private void requireOpen() {
        if (closed) throw new IllegalStateException("the averager is closed");
        ArraysBuilder.requireThere(arrays);
    }

    private void requireOwnWeights() {
        requireOpen();
        if (swapped) throw new IllegalStateException("the arrays hold the averages: swap back first");
    }

    private void requireAverage() {
        if (collected == 0) throw new IllegalStateException("nothing is averaged yet");
        settle();
    }

    /** LAWA's average from its slots, the oldest first. */
    private void settle() {
        if (!behind) return;
        int filled = rule.filled(collected);
        for (int j = 0; j < filled; j++) {
            memory.run(Pass.MEAN, AVERAGE, rule.slot(collected - filled + j), (float) (1.0 / (j + 1)), 0);
        }
        behind = false;
    }

    /** Gives up the averages; where they are swapped into the arrays, swaps back first. On a GPU it waits for the stream. */
    @Override
    public synchronized void close() {
        if (closed) return;
        try {
            if (swapped) swap();
        } finally {
            closed = true;
            memory.close();
        }
    }
}
