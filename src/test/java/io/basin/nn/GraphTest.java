package io.basin.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Shape;
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
                g.pool(x, new Layer.Pool(Layer.PoolKind.AVERAGE, 3, 2, 1)).shape());
        assertEquals(Shape.of(11), g.dense(x, 11).shape());
    }

    private static Layer.Conv window(Layer.Window vertical, Layer.Window horizontal) {
        return new Layer.Conv(8, vertical, horizontal, 1, false, false, Initializer.fanIn());
    }

    /** floor((in + 2 pad - dilation (kernel - 1) - 1) / stride + 1) along each axis, as PyTorch documents Conv2d. */
    @Test
    void eachAxisHasItsOwnWindow() {
        Graph g = new Graph(Shape.of(3, 19, 11));
        Layer.Conv conv = window(new Layer.Window(3, 2, 1, 2), new Layer.Window(5, 1, 0, 1));
        assertEquals(Shape.of(8, 9, 7), g.conv(g.input(), conv).shape());
        assertEquals(Shape.of(8, 3, 3, 5), conv.weight(g.input().shape()).shape());
        Layer.Pool pool = new Layer.Pool(Layer.PoolKind.MAX, new Layer.Window(2, 2, 0), new Layer.Window(3, 1, 1));
        assertEquals(Shape.of(3, 9, 11), g.pool(g.input(), pool).shape());
        assertEquals(Shape.of(3, 1, 1), g.globalAveragePool(g.input()).shape());
    }

    /** Runs are known by their nets' text: that of square windows is what it was before there were others. */
    @Test
    void squareWindowsReadAsTheyDidBefore() {
        String squares = new Layer.Conv(8, 3, 1, 2, 1, false, true, Initializer.constant(0)).toString();
        assertTrue(squares.startsWith("Conv[out=8, kernel=3, stride=1, pad=2, groups=1, bias=false, relu=true, init="));
        assertEquals(
                "Pool[kind=MAX, kernel=2, stride=2, pad=0]", new Layer.Pool(Layer.PoolKind.MAX, 2, 2, 0).toString());
        String others = window(new Layer.Window(3, 1, 2, 2), new Layer.Window(3, 1, 2, 2))
                .toString();
        assertTrue(others.contains("vertical=Window[kernel=3, stride=1, pad=2, dilation=2]"), others);
    }

    @Test
    void kernelsLargerThanTheirInputAreRefusedByName() {
        refuses("conv3", "kernel 7 exceeds its input (6,5,4)", g -> {
            Value x = g.conv(g.conv(g.input(), 6, 3), 6, 1);
            g.conv(x, 8, 7, 1, 0, 1, false);
        });
        refuses("pool1", "kernel 6 exceeds its input (6,5,4)", g -> g.maxPool(g.input(), 6));
        Layer.Window far = new Layer.Window(2, 1, 0, 5);
        refuses(
                "conv1",
                "kernel 2 with dilation 5 exceeds its input (6,5,4)",
                g -> g.conv(g.input(), window(far, far)));
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
    void onlyChannelsMayDifferWhereTheyArePutTogether() {
        Graph g = new Graph(Shape.of(6, 5, 4));
        Value x = g.concat(g.input(), g.conv(g.input(), 3, 1), g.input());
        assertEquals(Shape.of(15, 5, 4), x.shape());
        assertEquals(Shape.of(9), g.concat(g.dense(x, 4), g.dense(x, 5)).shape());
        refuses(
                "concat1",
                "cannot put (6,5,4) and (6,2,2) together",
                n -> n.concat(n.input(), n.maxPool(n.input(), 2)));
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        refuses("norm1", "4 groups do not divide 6 channels", g -> g.groupNorm(g.input(), 4));
        refuses("norm1", "groups > 0", g -> g.groupNorm(g.input(), 0));
        refuses("conv1", "positive", g -> g.conv(g.input(), 0, 3));
        refuses("conv1", "positive", g -> g.conv(g.input(), 4, 3, 0, 1, 1, false));
        refuses("dense1", "0", g -> g.dense(g.input(), 0));
        refuses("dropout1", "1.0", g -> g.dropout(g.input(), 1));
        refuses("dropout1", "NaN", g -> g.dropout(g.input(), Double.NaN));
        refuses("pool1", "padding", g -> g.pool(g.input(), new Layer.Pool(Layer.PoolKind.MAX, 2, 2, 2)));
        Layer.Window one = new Layer.Window(3, 1, 1);
        Layer.Window dilated = new Layer.Window(3, 1, 1, 2);
        refuses("pool1", "dilation 1", g -> g.pool(g.input(), new Layer.Pool(Layer.PoolKind.MAX, one, dilated)));
        refuses("conv1", "positive", g -> g.conv(g.input(), window(one, new Layer.Window(3, 1, 1, 0))));
    }

    @Test
    void imagesAreNeededWhereImagesAreMeant() {
        refuses("conv1", "(channels, height, width)", g -> g.conv(g.dense(g.input(), 5), 8, 3));
        refuses("pool1", "(channels, height, width)", g -> g.maxPool(g.dense(g.input(), 5), 2));
        refuses("pool1", "needs an image", g -> g.globalAveragePool(g.dense(g.input(), 5)));
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
        Value x = g.batchNormRelu(g.conv(g.input(), 4, 3));
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
                        g.at("right").batchNorm(g.at("right.conv").conv(x, 3, 3)));
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
