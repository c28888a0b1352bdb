package io.basin.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Shape;
import io.basin.device.Spec;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Shapes follow their rules; whatever breaks one is answered with the layer's name and the sizes. */
class GraphTest {
    private static void refuses(String start, String part, Consumer<Graph> build) {
        Graph g = new Graph(Shape.of(6, 5, 4));
        String message = assertThrows(IllegalArgumentException.class, () -> build.accept(g))
                .getMessage();
        assertTrue(message.startsWith(start + ": ") && message.contains(part), message);
    }

    @Test
    void convolutionsAndPoolsHaveTheTextbooksExtents() {
        Graph g = new Graph(Shape.of(3, 9, 7));
        Value x = g.conv(g.input(), 8, 3, 2, 1, 1, false);
        assertEquals(Shape.of(8, 5, 4), x.shape());
        assertEquals(Shape.of(8, 2, 2), g.maxPool(x, 2).shape());
        assertEquals(
                Shape.of(8, 3, 2),
                g.pool(x, new Spec.Pool(Spec.PoolKind.AVERAGE, 3, 2, 1)).shape());
        assertEquals(Shape.of(11), g.dense(x, 11).shape());
    }

    @Test
    void kernelsLargerThanTheirInputAreRefusedByName() {
        refuses("conv3", "kernel 7 exceeds its input (6,5,4)", g -> {
            Value x = g.conv(g.conv(g.input(), 6, 3), 6, 1);
            g.conv(x, 8, 7, 1, 0, 1, false);
        });
        refuses("pool1", "kernel 6 exceeds its input (6,5,4)", g -> g.maxPool(g.input(), 6));
        refuses("stem", "kernel 7 exceeds", g -> g.at("stem").conv(g.input(), 8, 7, 1, 0, 1, false));
    }

    @Test
    void groupsMustDivideBothChannelCounts() {
        refuses("conv1", "4 groups", g -> g.conv(g.input(), 8, 3, 1, 1, 4, false));
        refuses("conv1", "3 groups", g -> g.conv(g.input(), 8, 3, 1, 1, 3, false));
    }

    @Test
    void sumsNeedEqualShapes() {
        refuses("add1", "(8,5,4)", g -> g.add(g.conv(g.input(), 8, 3), g.input()));
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        refuses("conv1", "positive", g -> g.conv(g.input(), 0, 3));
        refuses("conv1", "positive", g -> g.conv(g.input(), 4, 3, 0, 1, 1, false));
        refuses("dense1", "0", g -> g.dense(g.input(), 0));
        refuses("dropout1", "1.0", g -> g.dropout(g.input(), 1));
        refuses("dropout1", "NaN", g -> g.dropout(g.input(), Double.NaN));
        refuses("pool1", "padding", g -> g.pool(g.input(), new Spec.Pool(Spec.PoolKind.MAX, 2, 2, 2)));
        refuses("pool1", "square", g -> g.globalAveragePool(g.input()));
    }

    @Test
    void imagesAreNeededWhereImagesAreMeant() {
        refuses("conv1", "(channels, height, width)", g -> g.conv(g.dense(g.input(), 5), 8, 3));
        refuses("pool1", "(channels, height, width)", g -> g.maxPool(g.dense(g.input(), 5), 2));
    }

    @Test
    void namesAreUniqueAndValuesStayInTheirGraph() {
        refuses("a", "two layers", g -> {
            g.at("a").relu(g.input());
            g.at("a").relu(g.input());
        });
        Value foreign = new Graph(Shape.of(6, 5, 4)).input();
        refuses("relu1", "another graph", g -> g.relu(foreign));
    }

    @Test
    void unnamedLayersAreNumberedByKind() {
        Graph g = new Graph(Shape.of(3, 8, 8));
        Value x = g.normRelu(g.conv(g.input(), 4, 3));
        g.add(g.at("named").conv(x, 4, 3), g.conv(x, 4, 3));
        List<String> paths = g.nodes().stream().map(Node::path).toList();
        assertEquals(List.of("conv1", "norm1", "named", "conv2", "add1"), paths);
    }

    /** Java evaluates {@code at} before the arguments: a name must not go to a layer that is made on the way. */
    @Test
    void aNameGoesToTheLayerThatWasAskedForHoweverCallsAreNested() {
        Graph g = new Graph(Shape.of(3, 8, 8));
        Value x = g.input();
        g.at("sum")
                .add(
                        g.at("left").relu(g.conv(x, 3, 3)),
                        g.at("right").norm(g.at("right.conv").conv(x, 3, 3)));
        g.at("head").dense(g.at("pool").globalAveragePool(g.relu(g.output())), 5);
        List<String> paths = g.nodes().stream().map(Node::path).toList();
        assertEquals(List.of("conv1", "left", "right.conv", "right", "sum", "relu1", "pool", "head"), paths);
    }

    @Test
    void aNameThatNoLayerTookIsNotLostSilently() {
        Graph g = new Graph(Shape.of(3, 8, 8));
        g.at("stem");
        g.conv(g.input(), 4, 3);
        String message = assertThrows(IllegalStateException.class, g::nodes).getMessage();
        assertTrue(message.startsWith("stem: "), message);
        assertThrows(IllegalArgumentException.class, () -> g.at(""));
    }

    @Test
    void aNameServesOneLayer() {
        refuses("a", "two layers", g -> {
            Graph a = g.at("a");
            a.relu(a.relu(g.input()));
        });
    }

    @Test
    void aNetWithoutLayersHasNoOutput() {
        assertThrows(IllegalStateException.class, () -> new Graph(Shape.of(1, 1, 1)).output());
    }
}
