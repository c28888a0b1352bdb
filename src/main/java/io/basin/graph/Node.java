package io.basin.graph;

import io.basin.device.Spec;
import java.util.List;

/** One step of the tape: what is computed, from which values, under which name. */
public record Node(String path, Spec spec, List<Value> inputs, Value output) {
    public Node {
        inputs = List.copyOf(inputs);
    }
}
