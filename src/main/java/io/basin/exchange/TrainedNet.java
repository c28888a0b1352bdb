package io.basin.exchange;

import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.io.Safetensors;
import io.basin.io.Tensors;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import io.basin.nn.Value;
import io.basin.train.Checkpoint;
import io.basin.train.ModelHeader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A net and its weights as a weights file holds them, without a device, for export.
 *
 * @param said what the file's header says
 * @param nodes in an order in which each follows what it reads
 * @param tensors by name, flat in PyTorch's order, as are {@code shapes}
 */
public record TrainedNet(ModelHeader said, Shape input, List<Node> nodes, Map<String, Tensor> tensors) {

    /** Values in C order. */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    public record Tensor(Shape shape, float[] values) {}

    public TrainedNet {
        nodes = List.copyOf(nodes);
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /** Reads a weights file. */
    public static TrainedNet of(Path file) {
        ModelHeader said = ModelHeader.of(file);
        if (Checkpoint.isState(said.header())) {
            throw new IllegalArgumentException(
                    file + " is the state of a run and not a trained net: name a weights file that its method wrote");
        }
        Graph net = said.net();
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        try (Safetensors in = Safetensors.open(file)) {
            Tensors.requireNoOthers(file, in, Set.copyOf(net.tensorNames()));
            Tensors.requireMeasured(file, in);
            for (Node node : net.nodes()) {
                node.tensors().forEach(p -> {
                    String name = node.name(p);
                    tensors.put(name, new Tensor(p.shape(), Checkpoint.floats(file, in, name, p.shape())));
                });
            }
        }
        return new TrainedNet(said, net.input().shape(), net.nodes(), tensors);
    }

    Value output() {
        return nodes.get(nodes.size() - 1).output();
    }

    float[] values(String name) {
        return Objects.requireNonNull(tensors.get(name), name).values();
    }

    /**
     * The same function with fewer layers: where nothing but a batch norm reads what a convolution or dense layer without ReLU
     * computes, the norm's scale and shift become that layer's: w' = w g / sqrt(var + eps), b' = beta + (b - mean) g / sqrt(var + eps).
     */
    public TrainedNet folded() {
        Map<Integer, Long> readers = new HashMap<>();
        nodes.forEach(n -> n.inputs().forEach(v -> readers.merge(v.id(), 1L, Long::sum)));
        Map<Integer, Node> linear = new HashMap<>();
        List<Node> left = new ArrayList<>();
        Map<String, Tensor> folded = new LinkedHashMap<>(tensors);
        for (Node node : nodes) {
            Node before = linear.get(node.inputs().get(0).id());
            if (before != null && node.layer() instanceof Layer.BatchNorm norm) {
                left.remove(before);
                left.add(new Node(before.path(), biased(before.layer(), norm.relu()), before.inputs(), node.output()));
                fold(before, node, norm, folded);
            } else {
                left.add(node);
                int id = node.output().id();
                if (isPlain(node.layer()) && readers.getOrDefault(id, 0L) == 1) linear.put(id, node);
            }
        }
        return new TrainedNet(said, input, left, folded);
    }

    private static boolean isPlain(Layer layer) {
        return layer instanceof Layer.Conv c && !c.relu() || layer instanceof Layer.Dense d && !d.relu();
    }

    private static Layer biased(Layer layer, boolean relu) {
        if (layer instanceof Layer.Dense d) return new Layer.Dense(d.out(), true, relu, d.init());
        Layer.Conv c = (Layer.Conv) layer;
        return new Layer.Conv(c.out(), c.vertical(), c.horizontal(), c.groups(), true, relu, c.init());
    }

    private void fold(Node linear, Node norm, Layer.BatchNorm layer, Map<String, Tensor> into) {
        String weight = linear.path() + ".weight";
        String bias = linear.path() + ".bias";
        float[] scale = values(norm.path() + ".weight");
        float[] shift = values(norm.path() + ".bias");
        float[] mean = values(norm.path() + ".running_mean");
        float[] variance = values(norm.path() + ".running_var");
        float[] w = values(weight).clone();
        float[] b = new float[scale.length];
        int row = w.length / b.length;
        for (int c = 0; c < b.length; c++) {
            double factor = scale[c] / Math.sqrt(variance[c] + layer.eps());
            for (int i = c * row; i < (c + 1) * row; i++) w[i] = (float) (factor * w[i]);
            double before = tensors.containsKey(bias) ? values(bias)[c] : 0;
            b[c] = (float) (shift[c] + factor * (before - mean[c]));
        }
        into.put(weight, new Tensor(Objects.requireNonNull(tensors.get(weight)).shape(), w));
        into.put(bias, new Tensor(Shape.of(b.length), b));
        norm.tensors().map(norm::name).forEach(into::remove);
    }
}
