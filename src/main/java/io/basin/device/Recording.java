package io.basin.device;

/** Work that was recorded once and is replayed each step: a captured graph on CUDA, the calls themselves on a CPU. */
public interface Recording extends AutoCloseable {
    /** Enqueues the work; allocates nothing and waits for nothing. */
    void replay();

    @Override
    void close();
}
