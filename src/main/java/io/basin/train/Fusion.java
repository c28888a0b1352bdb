package io.basin.train;

import io.basin.device.Layer;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import io.basin.nn.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A graph's nodes with sums folded into the convolutions that can compute them, and how often each value is used.
 *
 * <p>A sum folds into a convolution when that convolution's result has no other use, is not passed through a ReLU, and the
 * other term exists by the time the convolution runs.
 */
record Fusion(List<Node> nodes, Map<Integer, Integer> counts) {
    static Fusion of(Graph graph) {
        List<Node> original = graph.nodes();
        Map<Integer, Integer> counts = count(original);
        Map<Integer, Node> folded = new HashMap<>();
        for (Node node : original) {
            if (!(node.layer() instanceof Layer.Add)) continue;
            Value a = node.inputs().get(0);
            Value b = node.inputs().get(1);
            Value last = a.id() > b.id() ? a : b;
            Value other = last == a ? b : a;
            if (last.id() < 0 || last.id() == other.id() || counts.get(last.id()) > 1) continue;
            Node maker = original.get(last.id());
            boolean conv = maker.layer() instanceof Layer.Conv c
                    && !c.relu()
                    && maker.inputs().size() == 1;
            if (conv)
                folded.put(
                        last.id(),
                        new Node(
                                maker.path(),
                                maker.layer(),
                                List.of(maker.inputs().get(0), other),
                                node.output()));
        }
        List<Node> nodes = new ArrayList<>();
        for (Node node : original) {
            Node fused = folded.get(node.output().id());
            boolean gone = folded.values().stream().anyMatch(f -> f.output() == node.output());
            if (fused != null) nodes.add(fused);
            else if (!gone) nodes.add(node);
        }
        return new Fusion(nodes, count(nodes));
    }

    private static Map<Integer, Integer> count(List<Node> nodes) {
        Map<Integer, Integer> counts = new HashMap<>();
        for (Node node : nodes) for (Value v : node.inputs()) counts.merge(v.id(), 1, Integer::sum);
        return counts;
    }

    int uses(Value value) {
        return counts.getOrDefault(value.id(), 0);
    }
}
