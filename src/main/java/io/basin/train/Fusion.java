package io.basin.train;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import io.basin.nn.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A graph's nodes with sums folded into the convolutions and batch norms that can compute them, and how often each value is used.
 *
 * <p>A sum folds into the layer that computes its last term when that term has no other use and is not passed through a ReLU: the
 * other term then exists by the time the layer runs. A batch norm that is the earlier term folds as well and waits for the other,
 * unless a layer between them has parameters: their order decides how they begin. A ReLU after a batch norm's sum folds too, when
 * it is the sum's only use. Folded layers keep their names and parameters.
 */
record Fusion(List<Node> nodes, Map<Integer, Integer> counts) {
    static Fusion of(Graph graph) {
        List<Node> original = graph.nodes();
        Folding folding = new Folding(original, count(original));
        for (Node node : original) if (node.layer() instanceof Layer.Add) folding.fold(node);
        List<Node> nodes = folding.nodes();
        return new Fusion(nodes, count(nodes));
    }

    /** The nodes that go, and the replacements of others. */
    private static final class Folding {
        private final List<Node> original;
        private final Map<Integer, Integer> counts;
        /** By the id of the original's output; null for a node that has gone. */
        private final Map<Integer, Node> replaced = new HashMap<>();

        Folding(List<Node> original, Map<Integer, Integer> counts) {
            this.original = original;
            this.counts = counts;
        }

        void fold(Node sum) {
            Value a = sum.inputs().get(0);
            Value b = sum.inputs().get(1);
            if (a.id() == b.id()) return;
            Value last = a.id() > b.id() ? a : b;
            Value first = last == a ? b : a;
            if (free(last) && maker(last).layer() instanceof Layer.Conv c && !c.relu()) {
                put(last, maker(last), c, first, sum.output());
                gone(sum);
            } else if (free(last) && maker(last).layer() instanceof Layer.BatchNorm n && !n.relu()) {
                foldIntoNorm(last, n, first, sum, last);
            } else if (free(first)
                    && maker(first).layer() instanceof Layer.BatchNorm n
                    && !n.relu()
                    && nothingIsTrained(first.id() + 1, sum.output().id())) {
                foldIntoNorm(first, n, last, sum, sum.output());
            }
        }

        /** @param place the value whose node's turn the batch norm takes */
        private void foldIntoNorm(Value term, Layer.BatchNorm norm, Value other, Node sum, Value place) {
            Node relu = onlyUse(sum.output());
            gone(maker(term));
            gone(sum);
            Node end = relu != null && relu.layer() instanceof Layer.Relu ? relu : sum;
            if (end == relu) gone(end);
            Layer.BatchNorm whole = new Layer.BatchNorm(norm.eps(), norm.momentum(), end == relu);
            put(place, maker(term), whole, other, end.output());
        }

        private void put(Value place, Node maker, Layer layer, Value residual, Value output) {
            List<Value> inputs = List.of(maker.inputs().get(0), residual);
            replaced.put(place.id(), new Node(maker.path(), layer, inputs, output));
        }

        private void gone(Node node) {
            replaced.put(node.output().id(), null);
        }

        private Node maker(Value v) {
            return original.get(v.id());
        }

        /** Made by a layer that stands as it was, for one use. */
        private boolean free(Value v) {
            return v.id() >= 0 && counts.getOrDefault(v.id(), 0) == 1 && !replaced.containsKey(v.id());
        }

        private boolean nothingIsTrained(int from, int to) {
            return original.subList(from, to).stream()
                    .allMatch(
                            n -> n.layer().parameters(n.inputs().get(0).shape()).isEmpty());
        }

        private @Nullable Node onlyUse(Value v) {
            if (counts.getOrDefault(v.id(), 0) != 1) return null;
            return original.stream()
                    .filter(n -> n.inputs().contains(v))
                    .findFirst()
                    .orElseThrow();
        }

        List<Node> nodes() {
            List<Node> nodes = new ArrayList<>();
            for (Node node : original) {
                Node now = replaced.getOrDefault(node.output().id(), node);
                if (now != null) nodes.add(now);
            }
            return nodes;
        }
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
