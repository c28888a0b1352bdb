package io.basin.exchange;

import io.basin.device.Activation;
import io.basin.device.Augmentation;
import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.nn.Node;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A graph of ONNX as it is put together: layers become operators under their paths, and weights keep PyTorch's names. Numbers of
 * fields are those of GraphProto, NodeProto, AttributeProto, TensorProto and ValueInfoProto.
 */
final class OnnxGraph {
    private static final int FLOAT = 1;
    private static final int INT64 = 7;

    private final Protobuf graph = new Protobuf();

    /** A layer's ONNX nodes. */
    private record Operator(String type, boolean relu, List<Protobuf> attributes) {
        Operator(String type, boolean relu, Protobuf... attributes) {
            this(type, relu, List.of(attributes));
        }

        static Operator of(String net, Node node) {
            Layer layer = node.layer();
            if (layer instanceof Layer.Conv c) {
                Protobuf dilations = integers(
                        "dilations", c.vertical().dilation(), c.horizontal().dilation());
                Protobuf groups = integer("group", c.groups());
                return new Operator("Conv", c.relu(), window(c.vertical(), c.horizontal(), dilations, groups));
            }
            if (layer instanceof Layer.Dense d) return new Operator("Gemm", d.relu(), integer("transB", 1));
            if (layer instanceof Layer.BatchNorm n) {
                return new Operator("BatchNormalization", n.relu(), real("epsilon", (float) n.eps()));
            }
            if (layer instanceof Layer.Pool p) {
                String type = p.kind() == Layer.PoolKind.MAX ? "MaxPool" : "AveragePool";
                return new Operator(type, false, window(p.vertical(), p.horizontal()));
            }
            if (layer instanceof Layer.Relu) return new Operator("Relu", false);
            if (layer instanceof Layer.Add) return new Operator("Add", false);
            if (layer instanceof Layer.Concat) return new Operator("Concat", false, integer("axis", 1));
            if (layer instanceof Layer.Dropout) return new Operator("Identity", false);
            throw new IllegalArgumentException(net + ": the layer '" + node.path() + "' computes a function that Basin"
                    + " knows no ONNX operator for; export the weights as safetensors");
        }

        private static Protobuf[] window(Layer.Window v, Layer.Window h, Protobuf... more) {
            Stream<Protobuf> window = Stream.of(
                    integers("kernel_shape", v.kernel(), h.kernel()),
                    integers("strides", v.stride(), h.stride()),
                    integers("pads", v.pad(), h.pad(), v.pad(), h.pad()));
            return Stream.concat(window, Arrays.stream(more)).toArray(Protobuf[]::new);
        }
    }

    /**
     * Adds a net that reads the value {@code images} and normalises it as it was trained.
     *
     * @param prefix before every name of the net's own
     * @return the name of what its last layer computes
     */
    String add(TrainedNet net, String images, String prefix) {
        Map<Integer, String> values = new HashMap<>();
        values.put(-1, normalised(net, images, prefix));
        for (Node node : net.nodes()) {
            String first =
                    Objects.requireNonNull(values.get(node.inputs().get(0).id()));
            if (node.layer() instanceof Layer.Pointwise p && p.function() instanceof Activation a) {
                values.put(node.output().id(), activation(a, first, "/" + prefix + node.path()));
                continue;
            }
            if (node.layer() instanceof Layer.GroupNorm g) {
                values.put(node.output().id(), groupNorm(net, node, g, first, prefix));
                continue;
            }
            Operator operator = Operator.of(net.said().file().toString(), node);
            String value = "/" + prefix + node.path();
            List<String> inputs = new ArrayList<>();
            node.inputs().forEach(v -> inputs.add(values.get(v.id())));
            if (node.layer() instanceof Layer.Dense
                    && node.inputs().get(0).shape().rank() > 1) {
                node("Flatten", List.of(inputs.get(0)), value + ".flat", integer("axis", 1));
                inputs.set(0, value + ".flat");
            }
            node.tensors().forEach(p -> {
                String name = node.name(p);
                inputs.add(weights(prefix + name, p.shape(), net.values(name)));
            });
            String result = operator.relu ? value + ".linear" : value;
            node(operator.type, inputs, result, operator.attributes.toArray(Protobuf[]::new));
            if (operator.relu) node("Relu", List.of(result), value);
            values.put(node.output().id(), value);
        }
        return Objects.requireNonNull(values.get(net.output().id()));
    }

    /** Of the operators of this version, which has none of their names. */
    private String activation(Activation function, String x, String value) {
        if (function instanceof Activation.Silu) {
            return node("Mul", List.of(x, node("Sigmoid", List.of(x), value + ".sigmoid")), value);
        }
        String scaled = node("Mul", List.of(x, constant(value + ".root", Math.sqrt(0.5))), value + ".scaled");
        String erf = node("Erf", List.of(scaled), value + ".erf");
        String share = node("Add", List.of(erf, constant(value + ".one", 1)), value + ".share");
        String half = node("Mul", List.of(x, constant(value + ".half", 0.5)), value + ".halved");
        return node("Mul", List.of(half, share), value);
    }

    /** Each group as a channel of its own, which an instance normalisation normalises. */
    private String groupNorm(TrainedNet net, Node node, Layer.GroupNorm norm, String x, String prefix) {
        String value = "/" + prefix + node.path();
        Shape shape = node.output().shape();
        Shape groups = Shape.of(norm.groups());
        float[] ones = new float[norm.groups()];
        Arrays.fill(ones, 1);
        String grouped =
                node("Reshape", List.of(x, sizes(value + ".groups", 0, norm.groups(), -1)), value + ".grouped");
        String one = weights(value + ".ones", groups, ones);
        String zero = weights(value + ".zeros", groups, new float[norm.groups()]);
        Protobuf eps = real("epsilon", (float) norm.eps());
        String plain = node("InstanceNormalization", List.of(grouped, one, zero), value + ".normalised", eps);
        long[] all = new long[1 + shape.rank()];
        for (int i = 0; i < shape.rank(); i++) all[i + 1] = shape.dim(i);
        String image = node("Reshape", List.of(plain, sizes(value + ".sizes", all)), value + ".image");
        int[] each = new int[shape.rank()];
        Arrays.fill(each, 1);
        each[0] = shape.dim(0);
        String scale = prefix + node.path() + ".weight";
        String shift = prefix + node.path() + ".bias";
        weights(scale, Shape.of(each), net.values(node.path() + ".weight"));
        weights(shift, Shape.of(each), net.values(node.path() + ".bias"));
        return node("Add", List.of(node("Mul", List.of(image, scale), value + ".scaled"), shift), value);
    }

    /** Of a tensor's reshaping; 0: as it is. */
    private String sizes(String name, long... sizes) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * sizes.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(sizes);
        graph.put(
                5,
                new Protobuf().put(1, sizes.length).put(2, INT64).put(8, name).put(9, bytes));
        return name;
    }

    private String constant(String name, double value) {
        return weights(name, Shape.of(1), new float[] {(float) value});
    }

    private String normalised(TrainedNet net, String images, String prefix) {
        Augmentation reading = net.said().reading();
        if (reading == null) return images;
        int[] sizes = new int[1 + net.input().rank()];
        Arrays.fill(sizes, 1);
        sizes[1] = reading.channels();
        String mean = weights(prefix + "normalise.mean", Shape.of(sizes), reading.mean());
        String std = weights(prefix + "normalise.std", Shape.of(sizes), reading.std());
        String centred = node("Sub", List.of(images, mean), "/" + prefix + "normalise.centred");
        return node("Div", List.of(centred, std), "/" + prefix + "normalise");
    }

    /** Adds an operator, which is named as the value that it computes. */
    String node(String type, List<String> inputs, String output, Protobuf... attributes) {
        Protobuf node = new Protobuf();
        inputs.forEach(i -> node.put(1, i));
        node.put(2, output).put(3, output).put(4, type);
        for (Protobuf attribute : attributes) node.put(5, attribute);
        graph.put(1, node);
        return output;
    }

    private String weights(String name, Shape shape, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        Protobuf tensor = new Protobuf();
        for (long size : shape.toLongs()) tensor.put(1, size);
        graph.put(5, tensor.put(2, FLOAT).put(8, name).put(9, bytes));
        return name;
    }

    void input(String name, Shape sample) {
        graph.put(11, value(name, sample));
    }

    void output(String name, Shape sample) {
        graph.put(12, value(name, sample));
    }

    /** A batch of any size. */
    private static Protobuf value(String name, Shape sample) {
        Protobuf sizes = new Protobuf().put(1, new Protobuf().put(2, "batch"));
        for (long size : sample.toLongs()) sizes.put(1, new Protobuf().put(1, size));
        Protobuf type = new Protobuf().put(1, FLOAT).put(2, sizes);
        return new Protobuf().put(1, name).put(2, new Protobuf().put(1, type));
    }

    private static Protobuf integer(String name, long value) {
        return new Protobuf().put(1, name).put(3, value).put(20, 2);
    }

    private static Protobuf integers(String name, long... values) {
        Protobuf attribute = new Protobuf().put(1, name);
        for (long value : values) attribute.put(8, value);
        return attribute.put(20, 7);
    }

    private static Protobuf real(String name, float value) {
        return new Protobuf().put(1, name).put(2, value).put(20, 1);
    }

    /** As one message, under a name. */
    Protobuf named(String name) {
        return graph.put(2, name);
    }
}
