package io.basin.nn;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Activation;
import io.basin.device.Elementwise;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.text.Require;
import java.util.List;
import java.util.stream.Stream;

/**
 * A net as a tape: each call appends a layer and returns its value. The order of appending is topological, so backward is the
 * tape reversed; nothing here computes or allocates. A residual block is {@code g.add(g.batchNorm(g.conv(x, 64, 3)), x)}.
 *
 * <p>Layers are numbered, {@code conv1}, {@code conv2}, unless {@link #at} gives a name, such as PyTorch's: {@code
 * g.at("layer1.0.conv1").conv(x, 64, 3)}. The name belongs to the layer appended through the result of {@code at}, whatever is
 * appended on the way: {@code g.at("sum").add(g.at("left").relu(x), g.at("right").relu(x))} names all three.
 */
@Api
public final class Graph {
    private static final double EPS = 1e-5;
    private static final double BATCH_NORM_MOMENTUM = 0.1;

    private final Tape tape;
    private final Initializer init;
    /** The next layer's name; null: it is numbered. */
    private final @Nullable String name;

    private String source = "";

    /** @param sample (channels, height, width) of one input, or (features) where it is a vector */
    public Graph(Shape sample) {
        this(sample, Initializer.fanIn());
    }

    /** @param init of the weights of convolutions and dense layers; biases are filled as PyTorch does */
    public Graph(Shape sample, Initializer init) {
        this(new Tape(Require.given("sample", sample)), Require.given("init", init), null);
    }

    private Graph(Tape tape, Initializer init, @Nullable String name) {
        this.tape = tape;
        this.init = init;
        this.name = name;
    }

    /**
     * The same tape, for one layer: the one appended through the result gets this name.
     *
     * @param path unique in the net; its weights are called {@code path.weight}, {@code path.bias} and so on
     * @throws IllegalArgumentException if the path is empty
     */
    public Graph at(String path) {
        if (path == null || path.isBlank()) throw new IllegalArgumentException("a layer's name is empty");
        tape.expect(path);
        return new Graph(tape, init, path);
    }

    private Value append(String kind, Layer layer, Value... inputs) {
        return tape.append(tape.path(name, kind), layer, inputs);
    }

    /** Convolution without bias that keeps height and width (odd kernels), as before batch norm. */
    public Value conv(Value x, int out, int kernel) {
        return conv(x, out, kernel, 1, kernel / 2, 1, false);
    }

    public Value conv(Value x, int out, int kernel, int stride, int pad, int groups, boolean bias) {
        return conv(x, new Layer.Conv(out, kernel, stride, pad, groups, bias, false, init));
    }

    public Value conv(Value x, Layer.Conv layer) {
        return append("conv", layer, x);
    }

    public Value batchNorm(Value x) {
        return append("norm", new Layer.BatchNorm(EPS, BATCH_NORM_MOMENTUM, false), x);
    }

    /** Batch norm followed by ReLU in the same pass. */
    public Value batchNormRelu(Value x) {
        return append("norm", new Layer.BatchNorm(EPS, BATCH_NORM_MOMENTUM, true), x);
    }

    /** Group norm with PyTorch's eps. */
    public Value groupNorm(Value x, int groups) {
        return append("norm", new Layer.GroupNorm(groups, EPS), x);
    }

    public Value dense(Value x, int out) {
        return dense(x, new Layer.Dense(out, true, false, init));
    }

    /** Dense layer followed by ReLU in the same pass. */
    public Value denseRelu(Value x, int out) {
        return dense(x, new Layer.Dense(out, true, true, init));
    }

    /** Flattens its input in (channels, height, width) order. */
    public Value dense(Value x, Layer.Dense layer) {
        return append("dense", layer, x);
    }

    public Value maxPool(Value x, int kernel) {
        return pool(x, new Layer.Pool(Layer.PoolKind.MAX, kernel, kernel, 0));
    }

    public Value averagePool(Value x, int kernel) {
        return pool(x, new Layer.Pool(Layer.PoolKind.AVERAGE, kernel, kernel, 0));
    }

    /** The mean over height and width. */
    public Value globalAveragePool(Value x) {
        Shape s = x.shape();
        if (s.rank() != 3)
            throw new IllegalArgumentException(tape.path(name, "pool") + ": needs an image (C, H, W), got " + s);
        // The strides go into the fingerprint: files and runs of earlier versions have these.
        Layer.Window vertical = new Layer.Window(s.dim(1), s.dim(1), 0);
        return pool(x, new Layer.Pool(Layer.PoolKind.AVERAGE, vertical, new Layer.Window(s.dim(2), s.dim(2), 0)));
    }

    public Value pool(Value x, Layer.Pool layer) {
        return append("pool", layer, x);
    }

    public Value relu(Value x) {
        return append("relu", new Layer.Relu(), x);
    }

    public Value add(Value a, Value b) {
        return append("add", new Layer.Add(), a, b);
    }

    /** The channels of all, in their order. */
    public Value concat(Value first, Value... others) {
        return append(
                "concat",
                new Layer.Concat(),
                Stream.concat(Stream.of(first), Stream.of(others)).toArray(Value[]::new));
    }

    public Value dropout(Value x, double p) {
        return append("dropout", new Layer.Dropout(p), x);
    }

    /** {@link Activation.Gelu}. */
    public Value gelu(Value x) {
        return elementwise(x, new Activation.Gelu());
    }

    /** {@link Activation.Silu}. */
    public Value silu(Value x) {
        return elementwise(x, new Activation.Silu());
    }

    /** A pointwise function of the caller's own, with its derivative. */
    public Value elementwise(Value x, Elementwise function) {
        return append(function.name(), new Layer.Pointwise(function), x);
    }

    public Value input() {
        return tape.input;
    }

    /** The last value appended, from which the loss is computed. */
    public Value output() {
        return tape.output();
    }

    /** The layers in the order of appending; IllegalStateException if a name given to {@link #at} was used for none. */
    public List<Node> nodes() {
        return tape.nodes();
    }

    /** Names of a model's tensors, weights and batch-norm statistics, as its files have them. */
    public List<String> tensorNames() {
        return nodes().stream().flatMap(n -> n.tensors().map(n::name)).toList();
    }

    /** Trained numbers of all layers. */
    public long parameterCount() {
        return tape.parameterCount();
    }

    /** A line for each layer: name, kind, shape of its output, trained parameters; then their total. */
    public String summary() {
        return tape.summary();
    }

    /** A hash of layers, their settings and inputs: the same for nets that compute alike, in every process. */
    public String fingerprint() {
        return tape.fingerprint();
    }

    /** Sets the name by which {@link Nets#build} makes this net again, in another program too. */
    Graph builtAs(String builder) {
        source = builder;
        return this;
    }

    /** A name of {@link Nets} or of the class that builds the net, as a weights file keeps it; empty for any other net. */
    public String source() {
        return source;
    }
}
