package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.Precision;
import io.basin.device.Weights;
import io.basin.nn.Graph;
import io.basin.text.Require;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** A net's weights on a device, for plans, trainings and evaluators. A {@link Model} adds fit, predict, save and load. */
@Api
public abstract class NetMemory implements AutoCloseable {
    final Device device;
    final Guard guard;
    final Graph graph;
    final Loss loss;
    final Precision precision;
    final ParameterStore store;
    private boolean filled;
    private boolean averageMeasured;
    /** The thread that trains it from beginning to end, if any. Cleared outside of a turn, as is the next. */
    private volatile @Nullable Thread trainer;

    private volatile boolean training;

    NetMemory(Device device, Graph graph, Loss loss, Precision precision, ParameterStore store) {
        this.device = Require.given("device", device);
        guard = device.guard().of("Model");
        this.graph = Require.given("graph", graph);
        this.loss = Require.given("loss", loss);
        this.precision = Require.given("precision", precision);
        this.store = store;
    }

    /** Allocates the memory by a plan that nothing else needs. */
    abstract void prepare();

    /** Header entries of its weights files: how this net is built and reads its samples. */
    abstract Map<String, String> header();

    /** Draws first weights anew. */
    public NetMemory initialise(long seed) {
        guard.run(() -> {
            requireIdle();
            if (!store.allocated()) prepare();
            store.initialise(device, seed);
            filled = true;
        });
        return this;
    }

    /** @throws IllegalStateException where another thread trains this model from beginning to end */
    void requireIdle() {
        Thread other = trainer;
        if (other == null || other == Thread.currentThread()) return;
        throw new IllegalStateException("the model is being trained by the thread '" + other.getName()
                + "', and until that ends no other thread may change it: wait, or take a model for each thread");
    }

    /** Trains by {@code work}; meanwhile other threads may read the model but not change it. */
    void trained(Runnable work) {
        guard.run(() -> {
            requireIdle();
            trainer = Thread.currentThread();
        });
        try {
            work.run();
        } finally {
            trainer = null;
        }
    }

    /** Begins a training; a second one would start the first one's moments and average anew. */
    ParameterStore taken() {
        return guard.get(() -> {
            requireIdle();
            if (training) {
                throw new IllegalStateException(
                        "the model is being trained: close that Training before another begins");
            }
            training = true;
            return store;
        });
    }

    void released() {
        training = false;
    }

    /** Prepares a training: first weights where there are none, moments and an average of 0. */
    void begin(long seed) {
        guard.run(() -> {
            if (!filled) initialise(seed);
            store.forgetTraining(device);
            averageMeasured = false;
        });
    }

    /** Remembers that these weights have batch-norm statistics of their own. */
    void measured(Weights weights) {
        averageMeasured |= store.isAverage(weights);
    }

    /** The average's statistics, where it has any, are those of other weights now. */
    void averageMoved() {
        averageMeasured = false;
    }

    /** @throws IllegalStateException for the running average before {@link Evaluator#refresh} measured its statistics */
    void requireMeasured(Weights weights) {
        if (averageMeasured || !store.isAverage(weights)) return;
        throw new IllegalStateException("the average's batch-norm statistics were never measured: call"
                + " Evaluator.refresh with it, on the training part, before it is evaluated");
    }

    /** Its memory, allocated, with weights in it. */
    public ParameterStore store() {
        return guard.get(() -> {
            if (!filled) initialise(0);
            return store;
        });
    }

    /** The model as it stands. Owned by this. */
    public Weights weights() {
        return store().live();
    }

    public Device device() {
        return device;
    }

    public Graph graph() {
        return graph;
    }

    public Loss loss() {
        return loss;
    }

    public Precision precision() {
        return precision;
    }

    /**
     * A trained tensor or a batch-norm statistic, flat in PyTorch's order; waits.
     *
     * @param name as in weights files, such as {@code conv1.weight}
     * @throws IllegalArgumentException for a name that the net does not have, with the nearest one
     */
    public float[] read(String name) {
        return guard.get(() -> store().read(device, store.live(), Require.given("name", name)));
    }

    /** Replaces what {@link #read} returns; the values must be as many. */
    public void write(String name, float[] values) {
        guard.run(() -> {
            requireIdle();
            store().write(device, store.live(), Require.given("name", name), Require.given("values", values));
        });
    }

    /**
     * The gradient of a trained tensor that the last backward pass computed, as {@link #read} has the tensor.
     *
     * @throws IllegalStateException before a training was planned
     */
    public float[] gradient(String name) {
        return guard.get(() -> store().parameter(Require.given("name", name)).read(device, store.memory(Arena.GRADS)));
    }

    /** The norm of all gradients together, which are scaled down where it is above {@code most}. */
    double clipGradients(double most) {
        Memory memory = store.memory(Arena.GRADS);
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(Math.toIntExact(store.paramBytes())).order(ByteOrder.nativeOrder());
        device.download(memory, 0, bytes);
        FloatBuffer g = bytes.clear().asFloatBuffer();
        double square = 0;
        for (int i = 0; i < g.capacity(); i++) square += (double) g.get(i) * g.get(i);
        double norm = Math.sqrt(square);
        if (norm <= most) return norm;
        float factor = (float) (most / norm);
        for (int i = 0; i < g.capacity(); i++) g.put(i, g.get(i) * factor);
        device.upload(memory, 0, bytes);
        return norm;
    }

    @Override
    public abstract void close();
}
