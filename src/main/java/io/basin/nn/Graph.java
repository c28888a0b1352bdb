package io.basin.nn;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Activation;
import io.basin.device.Elementwise;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.io.Sha256;
import io.basin.text.Format;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A net as a tape: each call appends a node and returns its value.
 *
 * <p>The order of appending is topological, so backward is the tape reversed; nothing here computes or allocates. A
 * residual block reads {@code g.add(g.batchNorm(g.conv(x, 64, 3)), x)}. Layers are named as PyTorch would name them when the
 * caller says so, {@code g.at("layer1.0.conv1").conv(x, 64, 3)}; the others are numbered, {@code conv1}, {@code
 * conv2}, ... The name belongs to the layer that is appended through {@link #at}'s result, whatever is appended on the way:
 * {@code g.at("sum").add(g.at("left").relu(x), g.at("right").relu(x))} names all three.
 */
@Api
public final class Graph {
    private static final double EPS = 1e-5;
    private static final double BATCH_NORM_MOMENTUM = 0.1;

    private final List<Node> nodes;
    private final Map<String, Integer> counts;
    private final Set<String> paths;
    /** Names that were given to {@link #at} and to no layer yet. */
    private final Set<String> unused;

    private final Value input;
    private final Initializer init;
    /** The name of the layer that is appended through this view of the tape; null: it is numbered. */
    private final @Nullable String name;
    /** What {@link Nets#build} calls the net; empty where it does not know it. */
    private String source = "";

    /** @param sample (channels, height, width) of one input, or (features) where it is a vector */
    public Graph(Shape sample) {
        this(sample, Initializer.fanIn());
    }

    /** @param init of the weights of convolutions and dense layers; biases are filled as PyTorch does */
    public Graph(Shape sample, Initializer init) {
        nodes = new ArrayList<>();
        counts = new HashMap<>();
        paths = new HashSet<>();
        unused = new LinkedHashSet<>();
        input = new Value(-1, Require.given("sample", sample));
        this.init = Require.given("init", init);
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

    /** Says under which name {@link Nets#build} makes this net again, in another program too. */
    Graph builtAs(String builder) {
        source = builder;
        return this;
    }

    /** A name of {@link Nets} or of the class that builds the net, as a weights file keeps it; empty for any other net. */
    public String source() {
        return source;
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

    /** A sum over the layers, their settings and what they read: the same for nets that compute alike, in every process. */
    public String fingerprint() {
        StringBuilder all = new StringBuilder(input.shape().toString());
        for (Node node : nodes()) {
            // A class that does not say what it holds counts by its name: its address and its lambda's number are a
            // process's own.
            String layer = node.layer().toString().replaceAll("\\$\\$Lambda[^,\\]]*|@[0-9a-f]+", "");
            all.append('\n').append(node.path()).append(' ').append(layer);
            for (Value v : node.inputs()) all.append(' ').append(v.id());
        }
        return Sha256.of(all.toString()).substring(0, 16);
    }

    /** Names of a model's tensors, weights and batch-norm statistics, as its files have them. */
    public List<String> tensorNames() {
        return nodes().stream().flatMap(n -> n.tensors().map(n::name)).toList();
    }

    private static long count(Node node) {
        return node.layer().parameters(node.inputs().get(0).shape()).stream()
                .mapToLong(p -> p.shape().elements())
                .sum();
    }

    /** Trained numbers of all layers. */
    public long parameterCount() {
        return nodes().stream().mapToLong(Graph::count).sum();
    }

    /** A line for each layer, for people: name, kind, shape of its output, trained parameters; then their total. */
    public String summary() {
        List<String[]> rows = new ArrayList<>(List.of(new String[][] {
            {"layer", "kind", "output", "parameters"},
            {"input", "", input.shape().toString(), ""}
        }));
        for (Node node : nodes()) {
            String kind = node.layer().getClass().getSimpleName();
            rows.add(new String[] {node.path(), kind, node.output().shape().toString(), Format.of("%,d", count(node))});
        }
        rows.add(new String[] {"total", "", "", Format.of("%,d", parameterCount())});
        int[] widths = new int[4];
        for (String[] row : rows) for (int i = 0; i < 4; i++) widths[i] = Math.max(widths[i], row[i].length());
        String line = "%-" + widths[0] + "s  %-" + widths[1] + "s  %-" + widths[2] + "s  %" + widths[3] + "s%n";
        return rows.stream().map(row -> Format.of(line, (Object[]) row)).collect(Collectors.joining());
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
        return conv(x, new Layer.Conv(out, kernel, stride, pad, groups, bias, false, init));
    }

    public Value conv(Value x, Layer.Conv layer) {
        return append(path("conv"), layer, x);
    }

    public Value batchNorm(Value x) {
        return batchNorm(x, false);
    }

    /** Batch norm followed by ReLU in the same pass. */
    public Value batchNormRelu(Value x) {
        return batchNorm(x, true);
    }

    private Value batchNorm(Value x, boolean relu) {
        return append(path("norm"), new Layer.BatchNorm(EPS, BATCH_NORM_MOMENTUM, relu), x);
    }

    /** Group norm with PyTorch's eps. */
    public Value groupNorm(Value x, int groups) {
        return append(path("norm"), new Layer.GroupNorm(groups, EPS), x);
    }

    public Value dense(Value x, int out) {
        return dense(x, new Layer.Dense(out, true, false, init));
    }

    /** Dense layer followed by ReLU in the same pass. */
    public Value denseRelu(Value x, int out) {
        return dense(x, new Layer.Dense(out, true, true, init));
    }

    /** Flattens whatever comes in, in (channels, height, width) order. */
    public Value dense(Value x, Layer.Dense layer) {
        return append(path("dense"), layer, x);
    }

    public Value maxPool(Value x, int kernel) {
        return pool(x, new Layer.Pool(Layer.PoolKind.MAX, kernel, kernel, 0));
    }

    public Value averagePool(Value x, int kernel) {
        return pool(x, new Layer.Pool(Layer.PoolKind.AVERAGE, kernel, kernel, 0));
    }

    /** The mean over height and width, whatever they are. */
    public Value globalAveragePool(Value x) {
        Shape s = x.shape();
        if (s.rank() != 3) throw new IllegalArgumentException(path("pool") + ": needs an image (C, H, W), got " + s);
        // Strides that a square's pool has always had: runs are known by them.
        return pool(
                x,
                new Layer.Pool(
                        Layer.PoolKind.AVERAGE,
                        new Layer.Window(s.dim(1), s.dim(1), 0),
                        new Layer.Window(s.dim(2), s.dim(2), 0)));
    }

    public Value pool(Value x, Layer.Pool layer) {
        return append(path("pool"), layer, x);
    }

    public Value relu(Value x) {
        return append(path("relu"), new Layer.Relu(), x);
    }

    public Value add(Value a, Value b) {
        return append(path("add"), new Layer.Add(), a, b);
    }

    /** The channels of all, in their order. */
    public Value concat(Value first, Value... others) {
        Value[] all = Stream.concat(Stream.of(first), Stream.of(others)).toArray(Value[]::new);
        return append(path("concat"), new Layer.Concat(), all);
    }

    public Value dropout(Value x, double p) {
        return append(path("dropout"), new Layer.Dropout(p), x);
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
        return append(path(function.name()), new Layer.Pointwise(function), x);
    }

    private Value append(String path, Layer layer, Value... inputs) {
        for (Value v : inputs) requireMine(path, v);
        if (!paths.add(path)) throw new IllegalArgumentException(path + ": two layers have this name");
        Shape shape = layer.output(path, Arrays.stream(inputs).map(Value::shape).toList());
        Value out = new Value(nodes.size(), shape);
        nodes.add(new Node(path, layer, List.of(inputs), out));
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
