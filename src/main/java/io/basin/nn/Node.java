package io.basin.nn;

import io.basin.Api;
import io.basin.device.Layer;
import io.basin.device.Shape;
import java.util.List;
import java.util.stream.Stream;

/** One step of the tape: a layer, its inputs, its output and its name. */
@Api
public record Node(String path, Layer layer, List<Value> inputs, Value output) {
    public Node {
        inputs = List.copyOf(inputs);
    }

    /** The layer's tensors: trained ones, then statistics. */
    public Stream<Layer.Param> tensors() {
        Shape x = inputs.get(0).shape();
        return Stream.concat(layer.parameters(x).stream(), layer.statistics(x).stream());
    }

    /** The name of one of the layer's tensors in the net. */
    public String name(Layer.Param tensor) {
        return path + "." + tensor.name();
    }
}
