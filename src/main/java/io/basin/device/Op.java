package io.basin.device;

/** One planned operation: its algorithm and layouts are fixed, its memory is declared. */
public interface Op extends AutoCloseable {
    String name();

    Tensor output();

    /** Learns where its slots lie. Called once its arenas exist, and again when a plan is given other weights. */
    void bind(Binding binding);

    void forward();

    /** Reads the output's gradient and overwrites the gradients of inputs and parameters. */
    void backward();

    @Override
    void close();
}
