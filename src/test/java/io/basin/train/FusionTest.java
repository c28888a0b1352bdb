package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.nn.Node;
import io.basin.nn.Value;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** Which layers are planned as one. */
class FusionTest {
    private static final Shape SAMPLE = Shape.of(4, 6, 6);
    private static final Shape IMAGE = Shape.of(3, 16, 16);

    /** The paths of what is planned; + where a residual is added, ^ where batch norm ends with a ReLU. */
    private static String planned(Graph g) {
        StringBuilder text = new StringBuilder();
        for (Node n : Fusion.of(g).nodes()) {
            text.append(text.isEmpty() ? "" : " ").append(n.path());
            if (!(n.layer() instanceof Layer.Add) && n.inputs().size() > 1) text.append("+");
            if (n.layer() instanceof Layer.BatchNorm b && b.relu()) text.append("^");
        }
        return text.toString();
    }

    private static String planned(BiFunction<Graph, Value, Value> net) {
        Graph g = new Graph(SAMPLE);
        net.apply(g, g.conv(g.input(), 4, 3));
        return planned(g);
    }

    @Test
    void batchNormTakesTheSumAndTheReluAfterItInEitherOrderOfTerms() {
        assertEquals("conv1 norm1+^", planned((g, x) -> g.relu(g.add(g.batchNorm(x), x))));
        assertEquals("conv1 norm1+^", planned((g, x) -> g.relu(g.add(x, g.batchNorm(x)))));
        assertEquals("conv1 norm1+", planned((g, x) -> g.add(g.batchNorm(x), x)));
    }

    @Test
    void ofTwoBatchNormsTheLaterTakesTheSum() {
        assertEquals("conv1 norm1 norm2+^", planned((g, x) -> g.relu(g.add(g.batchNorm(x), g.batchNorm(x)))));
    }

    @Test
    void anEarlierBatchNormWaitsForTheOtherTermButPassesNoParameters() {
        assertEquals("conv1 pool1 norm1+^", planned((g, x) -> {
            Value y = g.batchNorm(x);
            return g.relu(g.add(y, g.pool(x, new Layer.Pool(Layer.PoolKind.AVERAGE, 3, 1, 1))));
        }));
        assertEquals("conv1 norm1 norm2^ add1 relu1", planned((g, x) -> {
            Value y = g.batchNorm(x);
            return g.relu(g.add(y, g.batchNormRelu(x)));
        }));
    }

    @Test
    void whatHasAnotherUseStaysAsItIs() {
        assertEquals("conv1 norm1 add1 relu1 add2", planned((g, x) -> {
            Value y = g.batchNorm(x);
            return g.add(g.relu(g.add(y, x)), y);
        }));
        assertEquals("conv1 norm1+ relu1 add2", planned((g, x) -> {
            Value sum = g.add(g.batchNorm(x), x);
            return g.add(g.relu(sum), sum);
        }));
        assertEquals("conv1 norm1^ add1", planned((g, x) -> g.add(g.batchNormRelu(x), x)));
        assertEquals("conv1 norm1 add1", planned((g, x) -> {
            Value y = g.batchNorm(x);
            return g.add(y, y);
        }));
    }

    @Test
    void chainsOfBlocksFoldBlockByBlock() {
        assertEquals("conv1 norm1+^ norm2+^", planned((g, x) -> {
            Value y = g.relu(g.add(g.batchNorm(x), x));
            return g.relu(g.add(y, g.batchNorm(y)));
        }));
        assertEquals("conv1 norm1+ norm2+", planned((g, x) -> {
            Value y = g.add(g.batchNorm(x), x);
            return g.add(y, g.batchNorm(x));
        }));
    }

    /** Pre-activation nets have the sums in their convolutions, as ever, and nothing else that folds. */
    @Test
    void preActivationNetsKeepTheirOrder() {
        for (Graph net : List.of(Nets.preResNet(20, IMAGE, 10), Nets.wideResNet(10, 2, IMAGE, 10))) {
            List<Node> kept = net.nodes().stream()
                    .filter(n -> !(n.layer() instanceof Layer.Add))
                    .toList();
            List<Node> planned = Fusion.of(net).nodes();
            assertEquals(
                    kept.stream().map(Node::path).toList(),
                    planned.stream().map(Node::path).toList());
            for (int i = 0; i < kept.size(); i++)
                assertSame(kept.get(i).layer(), planned.get(i).layer());
        }
    }
}
