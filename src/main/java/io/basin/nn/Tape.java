package io.basin.nn;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.io.Sha256;
import io.basin.text.Format;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The layers of a {@link Graph} in the order of appending, their names, and how they are listed. */
final class Tape {
    final Value input;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Integer> counts = new HashMap<>();
    private final Set<String> paths = new HashSet<>();
    /** Names that were given to {@link Graph#at} and to no layer yet. */
    private final Set<String> unused = new LinkedHashSet<>();

    Tape(Shape sample) {
        input = new Value(-1, sample);
    }

    Value output() {
        if (nodes.isEmpty()) throw new IllegalStateException("the net has no layers");
        return nodes.get(nodes.size() - 1).output();
    }

    List<Node> nodes() {
        if (!unused.isEmpty()) {
            throw new IllegalStateException(
                    unused.iterator().next() + ": no layer was appended through the graph that at(...) returned");
        }
        return List.copyOf(nodes);
    }

    void expect(String name) {
        unused.add(name);
    }

    /** The next layer's name: the given one, or its kind with a number. */
    String path(@Nullable String name, String kind) {
        if (name == null) return kind + counts.merge(kind, 1, Integer::sum);
        unused.remove(name);
        return name;
    }

    Value append(String path, Layer layer, Value... inputs) {
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

    String fingerprint() {
        StringBuilder all = new StringBuilder(input.shape().toString());
        for (Node node : nodes()) {
            // A class without a toString counts by its name: its address and its lambda's number differ between
            // processes.
            String layer = node.layer().toString().replaceAll("\\$\\$Lambda[^,\\]]*|@[0-9a-f]+", "");
            all.append('\n').append(node.path()).append(' ').append(layer);
            for (Value v : node.inputs()) all.append(' ').append(v.id());
        }
        return Sha256.of(all.toString()).substring(0, 16);
    }

    long parameterCount() {
        return nodes().stream().mapToLong(Tape::parameters).sum();
    }

    private static long parameters(Node node) {
        return node.layer().parameters(node.inputs().get(0).shape()).stream()
                .mapToLong(p -> p.shape().elements())
                .sum();
    }

    String summary() {
        List<String[]> rows = new ArrayList<>(List.of(new String[][] {
            {"layer", "kind", "output", "parameters"},
            {"input", "", input.shape().toString(), ""}
        }));
        for (Node node : nodes()) {
            String kind = node.layer().getClass().getSimpleName();
            String count = Format.of("%,d", parameters(node));
            rows.add(new String[] {node.path(), kind, node.output().shape().toString(), count});
        }
        rows.add(new String[] {"total", "", "", Format.of("%,d", parameterCount())});
        int[] widths = new int[4];
        for (String[] row : rows) for (int i = 0; i < 4; i++) widths[i] = Math.max(widths[i], row[i].length());
        String line = "%-" + widths[0] + "s  %-" + widths[1] + "s  %-" + widths[2] + "s  %" + widths[3] + "s%n";
        return rows.stream().map(row -> Format.of(line, (Object[]) row)).collect(Collectors.joining());
    }
}
