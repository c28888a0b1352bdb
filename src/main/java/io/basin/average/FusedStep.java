package io.basin.average;

import io.basin.Api;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import java.util.List;

/**
 * An optimizer's step over another library's arrays, with the running average in the same pass.
 *
 * <pre>{@code
 * try (FusedStep step = FusedStep.host().add("w", weights).add("g", gradients).add("m", momentum).add("a", mean)
 *         .lr(rates).average(alphas).build(new Sgd(0.9, 5e-4, true))) {
 *     for (...) { backward(); step.run(); }
 * }
 * }</pre>
 *
 * Step t of the tables, products and sums each rounded to float32, on every device with the same bits:
 *
 * <pre>
 *   g = f g                                   f = min(1, clip / (norm of all g + 1e-6)); without clip f = 1
 *   (w, m, v) by the optimizer, with lr[t]
 *   a = a + alpha[t] (w - a)                  only where alpha[t] != 0, and where there is s
 *   s = (1 - alpha) s + alpha / (1 - alpha) (w - a)^2, alpha = 1: s = 0
 *   w = w + pull[t] (a - w), pull = 1: w = a  only where pull[t] != 0
 * </pre>
 *
 * <p>Bytes an element: 20 of SGD, 28 of AdamW, 12 and 8 for each moment of others; 8 more where it averages, 8 more with s, 4 more to
 * clip. It copies and owns no array, and allocates nothing a step. On a GPU it is enqueued on the caller's stream and waits for
 * nothing; the tables lie on the device, so a captured {@link #run} goes on along them at each replay.
 *
 * <p>Any thread may call, one at a time; on a GPU one that has the context current. No other may write the arrays meanwhile.
 */
@Api
public final class FusedStep implements AutoCloseable {
    private final List<ForeignArrays.Array> arrays;
    private final ForeignStep step;
    private boolean closed;

    FusedStep(List<ForeignArrays.Array> arrays, ForeignStep step) {
        this.arrays = arrays;
        this.step = step;
    }

    /** Of arrays in the host's memory, on all cores where they are large; plain Java passes over a {@code float[]}, C over others. */
    public static FusedStepBuilder host() {
        return new FusedStepBuilder(true, 0);
    }

    /**
     * Of arrays in a GPU's memory, in the CUDA context that is current to the calling thread.
     *
     * @param stream the handle of a CUstream or cudaStream_t of that context, 0 for the default stream
     */
    public static FusedStepBuilder cuda(long stream) {
        return new FusedStepBuilder(false, stream);
    }

    /**
     * Does the next step; the gradients must be ready, on a GPU in the stream's order. Where a caller's rule throws, a part of the
     * weights has moved: restore their values or give the run up.
     */
    public synchronized void run() {
        if (closed) throw new IllegalStateException("the step is closed");
        ArraysBuilder.requireThere(arrays);
        step.run();
    }

    /** On a GPU waits for the stream; graphs that captured a {@link #run} must not be launched any more. */
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        step.close();
    }
}
