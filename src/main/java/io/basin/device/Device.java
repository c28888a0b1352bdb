package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * The seam between what is trained and what it is trained on.
 *
 * <p>The factories <em>plan</em>: they choose algorithms and layouts, declare memory in the {@link Scope}, and may
 * block. The operations they return then run without allocating or waiting. Shape errors are
 * {@link IllegalArgumentException}s that name the layer; everything else is a {@link DeviceException}.
 *
 * <p>Any thread may use a device and what was made on it: calls take turns, see {@link Guard}.
 */
public interface Device extends AutoCloseable {
    /** One line for people: what it is and how many threads or multiprocessors it uses. */
    String describe();

    /** Whether work is done when the call returns, so that looking at the loss within an epoch costs nothing. */
    boolean immediate();

    /** Whether it computes in that precision, and not in another under its name. */
    boolean computes(Precision precision);

    /** Takes turns on this device: for what must not be interrupted between several calls. */
    Guard guard();

    // Memory. All copies are ordered with the work around them; only download and unpack wait.

    /** Told what a plan is about to allocate; throws a {@link DeviceException} where that cannot fit. */
    default void expect(Demand demand) {}

    Memory allocate(long bytes);

    /** Bytes allocated and not yet closed. */
    long liveBytes();

    /** Copies the buffer's remaining bytes. */
    void upload(Memory to, long offset, ByteBuffer from);

    /** Fills the buffer's remaining bytes; waits for the device. */
    void download(Memory from, long offset, ByteBuffer to);

    /** Begins to copy up to 256 bytes back and goes on: what is waited for is the {@link Reading}, when it is asked for. */
    Reading read(Memory from, long offset, int bytes);

    void copy(Memory from, Memory to);

    /** Writes a parameter's or state's elements from logical order into the layout it has in {@code arena}. */
    void pack(FloatBuffer logical, Layout layout, Memory arena, long offset);

    /** Reads elements back into logical order; waits. */
    void unpack(Memory arena, long offset, Layout layout, FloatBuffer logical);

    Recording record(Runnable work);

    // Operations.

    /** Draws the batch of the step that {@code control} counts into (N, C, H, W), and its labels beside it. */
    BatchOp batch(Scope scope, Spec.Batch spec, Images images, Control control);

    /** Adds {@code residual} (same shape as the output, or null) before the ReLU. */
    Op conv(Scope scope, Spec.Conv spec, Tensor x, Tensor residual);

    Norm norm(Scope scope, Spec.Norm spec, Tensor x);

    Op dense(Scope scope, Spec.Dense spec, Tensor x);

    Op pool(Scope scope, Spec.Pool spec, Tensor x);

    Op relu(Scope scope, Tensor x);

    Op add(Scope scope, Tensor a, Tensor b);

    /** Backward sums the branches' gradients into x's; forward does nothing, for the branches share x's value. */
    Op fork(Scope scope, Tensor x, List<Tensor> branches);

    Op dropout(Scope scope, Spec.Dropout spec, Tensor x, long seed, Control control);

    Op map(Scope scope, Elementwise function, Tensor x);

    /** Output: probabilities (N, K), plain float32. Adds to the sums in {@code control}; labels below 0 do not count. */
    Op loss(Scope scope, Spec.Loss spec, Tensor logits, Slot labels, Control control);

    /**
     * The fused update of everything in {@code storage}, driven by the tables in {@code control}. Once a loss was not finite
     * neither this nor {@link #bend} changes anything.
     */
    Runnable step(Spec.Step spec, Storage storage, Control control);

    /** to = sum of c_j points_j over whole arenas in one pass; a point whose c_j is 0 takes no part, whatever it holds. */
    Runnable combine(List<Memory> points, Coefficients c, Memory to);

    /**
     * The update of control point j of a curve, after the gradients at w(t) = PARAMS: v = mu v + c_j (g + wd w); p -= lr[t] v,
     * with p and v the point's own arenas, and Nesterov and the split as in {@link #step}.
     */
    Runnable bend(
            Spec.Step spec, Storage storage, Memory point, Memory momentum, Coefficients c, int j, Control control);

    /** Nothing added yet. */
    Tally tally(int samples, int classes);

    /** Advances the step counter: apart from the update, so that all of it reads the same step. */
    Runnable tick(Control control);

    @Override
    void close();
}
