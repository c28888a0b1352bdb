package io.basin.graph;

import io.basin.device.Elementwise;
import io.basin.device.Initializer;
import io.basin.device.Shape;
import io.basin.device.Spec;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A net as a tape: each call appends a node and returns its value.
 *
 * <p>The order of appending is topological, so backward is the tape reversed; nothing here computes or allocates. A
 * residual block reads {@code g.add(g.norm(g.conv(x, 64, 3)), x)}. Layers are named as PyTorch would name them when the
 * caller says so, {@code g.at("layer1.0.conv1").conv(x, 64, 3)}; the others are numbered, {@code conv1}, {@code
 * conv2}, ... The name belongs to the layer that is appended through {@link #at}'s result, whatever is appended on the way:
 * {@code g.at("sum").add(g.at("left").relu(x), g.at("right").relu(x))} names all three.
 */
public final class Graph {
    private static final double BATCH_NORM_EPS = 1e-5;
    private static final double BATCH_NORM_MOMENTUM = 0.1;

    private final List<Node> nodes;
    private final Map<String, Integer> counts;
    private final Set<String> paths;
    /** Names that were given to {@link #at} and to no layer yet. */
    private final Set<String> unused;

    private final Value input;
    private final Initializer init;
    /** The name of the layer that is appended through this view of the tape; null: it is numbered. */
    private final String name;

    /** @param sample (channels, height, width) of one input */
    public Graph(Shape sample) {
        this(sample, Initializer.fanIn());
    }

    /** @param init of the weights of convolutions and dense layers; biases are filled as PyTorch does */
    public Graph(Shape sample, Initializer init) {
        nodes = new ArrayList<>();
        counts = new HashMap<>();
        paths = new HashSet<>();
        unused = new LinkedHashSet<>();
        input = new Value(-1, sample);
        this.init = init;
        name = null;
    }

    private Graph(Graph tape, String name) {
        nodes = tape.nodes;
        counts = tape.counts;
        paths = tape.paths;
        unused = tape.unused;
        input = tape.input;
        init = tape.init;
        this.name = name;
    }

    public Value input() {
        return input;
    }

    /**
     * The layers in the order of appending.
     *
     * @throws IllegalStateException if a name was given to {@link #at} and then to no layer
     */
    public List<Node> nodes() {
        if (!unused.isEmpty()) {
            throw new IllegalStateException(
                    unused.iterator().next() + ": no layer was appended through the graph that at(...) returned");
        }
        return List.copyOf(nodes);
    }

    /** The last value appended: what the loss is computed from. */
    public Value output() {
        if (nodes.isEmpty()) throw new IllegalStateException("the net has no layers");
        return nodes.get(nodes.size() - 1).output();
    }

    /**
     * The same tape, for one layer: the one that is appended through the result gets this name.
     *
     * @param path unique in the net; its weights are called {@code path.weight}, {@code path.bias} and so on
     * @throws IllegalArgumentException if the path is empty
     */
    public Graph at(String path) {
        if (path == null || path.isBlank()) throw new IllegalArgumentException("a layer's name is empty");
        unused.add(path);
        return new Graph(this, path);
    }

    /** Convolution without bias that keeps height and width (odd kernels): what batch norm follows. */
    public Value conv(Value x, int out, int kernel) {
        return conv(x, out, kernel, 1, kernel / 2, 1, false);
    }

    public Value conv(Value x, int out, int kernel, int stride, int pad, int groups, boolean bias) {
        return conv(x, new Spec.Conv(out, kernel, stride, pad, groups, bias, false, init));
    }

    public Value conv(Value x, Spec.Conv spec) {
        String path = path("conv");
        return append(path, spec, Shapes.conv(path, spec, x.shape()), x);
    }

    public Value norm(Value x) {
        return norm(x, false);
    }

    /** Batch norm followed by ReLU in the same pass. */
    public Value normRelu(Value x) {
        return norm(x, true);
    }

    private Value norm(Value x, boolean relu) {
        String path = path("norm");
        Spec.Norm spec = new Spec.Norm(BATCH_NORM_EPS, BATCH_NORM_MOMENTUM, relu);
        return append(path, spec, Shapes.norm(path, spec, x.shape()), x);
    }

    public Value dense(Value x, int out) {
        return dense(x, new Spec.Dense(out, true, false, init));
    }

    /** Dense layer followed by ReLU in the same pass. */
    public Value denseRelu(Value x, int out) {
        return dense(x, new Spec.Dense(out, true, true, init));
    }

    /** Flattens whatever comes in, in (channels, height, width) order. */
    public Value dense(Value x, Spec.Dense spec) {
        String path = path("dense");
        return append(path, spec, Shapes.dense(path, spec), x);
    }

    public Value maxPool(Value x, int kernel) {
        return pool(x, new Spec.Pool(Spec.PoolKind.MAX, kernel, kernel, 0));
    }

    public Value averagePool(Value x, int kernel) {
        return pool(x, new Spec.Pool(Spec.PoolKind.AVERAGE, kernel, kernel, 0));
    }

    /** The mean over height and width. */
    public Value globalAveragePool(Value x) {
        Shape s = x.shape();
        if (s.rank() != 3 || s.dim(1) != s.dim(2)) {
            throw new IllegalArgumentException(path("pool") + ": needs a square image (C, S, S), got " + s);
        }
        return averagePool(x, s.dim(1));
    }

    public Value pool(Value x, Spec.Pool spec) {
        String path = path("pool");
        return append(path, spec, Shapes.pool(path, spec, x.shape()), x);
    }

    public Value relu(Value x) {
        return append(path("relu"), new Spec.Relu(), x.shape(), x);
    }

    public Value add(Value a, Value b) {
        String path = path("add");
        return append(path, new Spec.Add(), Shapes.same(path, a.shape(), b.shape()), a, b);
    }

    public Value dropout(Value x, double p) {
        String path = path("dropout");
        Spec.Dropout spec = new Spec.Dropout(p);
        return append(path, spec, Shapes.dropout(path, spec, x.shape()), x);
    }

    /** A pointwise function of the caller's own, with its derivative. */
    public Value map(Value x, Elementwise function) {
        return append(path(function.name()), new Spec.Map(function), x.shape(), x);
    }

    private Value append(String path, Spec spec, Shape shape, Value... inputs) {
        for (Value v : inputs) requireMine(path, v);
        if (!paths.add(path)) throw new IllegalArgumentException(path + ": two layers have this name");
        Value out = new Value(nodes.size(), shape);
        nodes.add(new Node(path, spec, List.of(inputs), out));
        return out;
    }

    private void requireMine(String path, Value v) {
        boolean mine = v.id() < 0
                ? v == input
                : v.id() < nodes.size() && nodes.get(v.id()).output() == v;
        if (!mine) throw new IllegalArgumentException(path + ": its input belongs to another graph");
    }

    private String path(String kind) {
        if (name == null) return kind + counts.merge(kind, 1, Integer::sum);
        unused.remove(name);
        return name;
    }
}
