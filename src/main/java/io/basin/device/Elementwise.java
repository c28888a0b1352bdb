package io.basin.device;

/**
 * A user's own pointwise function with its derivative; {@link io.basin.graph.Graph#map} puts it into a net.
 *
 * <p>The cpu device calls {@link #value} and {@link #slope}, from several threads. The cuda device compiles {@link #cudaValue} and
 * {@link #cudaSlope}, such as {@code "x / (1 + expf(-x))"}, and refuses a function that has none. The results should agree.
 */
public interface Elementwise {
    /** Shown in listings and error messages. */
    String name();

    float value(float x);

    /** The derivative at x. */
    float slope(float x);

    /** The value as a C expression in {@code float x}, for the cuda device; null where the function has none. */
    default String cudaValue() {
        return null;
    }

    /** The derivative as a C expression in {@code float x}; null where the function has none. */
    default String cudaSlope() {
        return null;
    }
}
