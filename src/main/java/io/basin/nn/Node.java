package io.basin.nn;

import io.basin.Api;
import io.basin.device.Layer;
import java.util.List;

/** One step of the tape: what is computed, from which values, under which name. */
@Api
public record Node(String path, Layer layer, List<Value> inputs, Value output) {
    public Node {
        inputs = List.copyOf(inputs);
    }
}
