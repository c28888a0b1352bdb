package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.OnFailure;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.Supplier;

/**
 * The seam between training and the hardware it runs on.
 *
 * <p>The factories <em>plan</em>: they choose algorithms and layouts, declare memory in the {@link PlanContext}, and may
 * block. The operations they return then run without allocating or waiting. Shape errors are
 * {@link IllegalArgumentException}s that name the layer; everything else is a {@link DeviceException}.
 *
 * <p>Any thread may use a device and what was made on it: calls take turns, see {@link Guard}.
 */
@Api
public interface Device extends AutoCloseable {
    /** One line for people: its name and how many threads or multiprocessors it uses. */
    String describe();

    /** Whether calls return when their work is done: looking at the loss within an epoch then costs nothing. */
    boolean isSynchronous();

    /** Whether it computes in that precision, and not in another under its name. */
    boolean supports(Precision precision);

    /** The turns on this device: for several calls that nothing may interrupt. */
    Guard guard();

    // Memory. All copies are ordered with the work around them; only download and unpack wait.

    /** Throws a {@link DeviceException} where a plan's memory cannot fit. */
    default void checkMemory(MemoryEstimate demand) {}

    Memory allocate(long bytes);

    /** Memory that holds the buffer's remaining bytes. */
    default Memory allocate(ByteBuffer content) {
        return OnFailure.close(allocate(content.remaining()), made -> upload(made, 0, content));
    }

    /** Bytes allocated and not yet closed. */
    long liveBytes();

    /** Copies the buffer's remaining bytes. */
    void upload(Memory to, long offset, ByteBuffer from);

    /** Fills the buffer's remaining bytes; waits for the device. */
    void download(Memory from, long offset, ByteBuffer to);

    /** Begins to copy up to 256 bytes back and returns; the result waits for this copy, not for later work. */
    Supplier<ByteBuffer> read(Memory from, long offset, int bytes);

    void copy(Memory from, Memory to);

    /** Writes a parameter's or state's elements from logical order into the layout it has in {@code arena}. */
    void pack(FloatBuffer logical, @Nullable Layout layout, Memory arena, long offset);

    /** Reads elements back into logical order; waits. */
    void unpack(Memory arena, long offset, @Nullable Layout layout, FloatBuffer logical);

    Recording record(Runnable work);

    /** Milliseconds that the device takes for {@code work}, to its end; those of an emulator say nothing of hardware. */
    default double milliseconds(Runnable work) {
        long start = System.nanoTime();
        guard().run(work);
        return (System.nanoTime() - start) / 1e6;
    }

    /** Choices that planning has made by measurement so far, a line each. */
    default List<String> choices() {
        return List.of();
    }

    /** Draws the batch of the step that {@code control} counts into (N, C, H, W), and its labels beside it. */
    Op.Batch batch(PlanContext scope, BatchReader spec, Images images, RunState control);

    /**
     * Plans a layer of a net.
     *
     * @param inputs as many as {@link Layer#output} takes; a second one of a convolution or a batch norm is a residual of the
     *     output's shape, which is added before the ReLU
     * @param seed of the layer's random draws in training
     * @param control counts the steps that the draws depend on; null for a layer that draws nothing
     */
    Op plan(PlanContext scope, Layer layer, List<Tensor> inputs, long seed, @Nullable RunState control);

    /** Backward sums the branches' gradients into x's; forward does nothing, as the branches share x's value. */
    Op fork(PlanContext scope, Tensor x, List<Tensor> branches);

    /** Output: probabilities (N, K), plain float32. Adds to the sums in {@code control}; labels below 0 do not count. */
    Op loss(PlanContext scope, Loss spec, Tensor logits, Slot labels, RunState control);

    /** Arithmetic over whole arenas: updates, sums of models, sums of predictions. */
    Arenas arenas();

    @Override
    void close();

    /** Work that was recorded once and is replayed each step: a captured graph on CUDA, the calls themselves on a CPU. */
    interface Recording extends AutoCloseable {
        /** Enqueues the work; allocates nothing and waits for nothing. */
        void replay();

        @Override
        void close();
    }
}
