package io.basin.train;

import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.device.Softplus;
import io.basin.nn.Graph;
import io.basin.nn.Value;

/** Small nets of odd shapes, as a researcher would write them. */
public final class UserNets {
    public static final Shape SAMPLE = Shape.of(3, 9, 9);
    private static final int CLASSES = 5;

    private UserNets() {}

    /** conv-bn-relu-pool-dense: the plainest. */
    public static Graph plain() {
        Graph g = new Graph(SAMPLE);
        Value x = g.batchNormRelu(g.conv(g.input(), 17, 3));
        x = g.maxPool(x, 2);
        g.dense(g.denseRelu(x, 13), CLASSES);
        return g;
    }

    /** He et al. 2015's block: ReLU after the sum. */
    public static Graph postActivation() {
        Graph g = new Graph(SAMPLE);
        Value x = g.batchNormRelu(g.conv(g.input(), 16, 3));
        Value y = g.batchNormRelu(g.conv(x, 16, 3));
        y = g.batchNorm(g.conv(y, 16, 3));
        x = g.relu(g.add(y, x));
        y = g.batchNorm(g.conv(x, 20, 3, 2, 1, 1, false));
        Value shortcut = g.batchNorm(g.conv(x, 20, 1, 2, 0, 1, false));
        x = g.relu(g.add(y, shortcut));
        g.dense(g.globalAveragePool(x), CLASSES);
        return g;
    }

    /** Batch norm of the images themselves, and the images as the residual of another: neither wants a gradient. */
    public static Graph normedImages() {
        Graph g = new Graph(SAMPLE);
        Value x = g.batchNormRelu(g.input());
        x = g.relu(g.add(g.batchNorm(g.conv(x, 3, 3)), g.input()));
        x = g.add(g.input(), g.batchNorm(g.conv(x, 3, 3)));
        g.dense(g.averagePool(x, 3), CLASSES);
        return g;
    }

    /** Groups, a depthwise convolution with bias, both pools. */
    public static Graph grouped() {
        Graph g = new Graph(SAMPLE);
        Value x = g.conv(g.input(), 12, 3, 1, 1, 3, true);
        x = g.conv(x, new Layer.Conv(12, 3, 1, 1, 12, true, true, Initializer.uniform(0.4)));
        x = g.pool(x, new Layer.Pool(Layer.PoolKind.AVERAGE, 3, 2, 1));
        x = g.conv(x, 18, 3, 1, 1, 2, true);
        x = g.pool(x, new Layer.Pool(Layer.PoolKind.MAX, 3, 2, 1));
        g.dense(x, CLASSES);
        return g;
    }

    public static Graph dropped() {
        Graph g = new Graph(SAMPLE);
        Value x = g.relu(g.conv(g.input(), 17, 3, 2, 1, 1, true));
        x = g.dropout(x, 0.3);
        x = g.denseRelu(x, 21);
        g.dense(g.dropout(x, 0.5), CLASSES);
        return g;
    }

    /** A value added to itself, one that three layers use, sums of sums, the images as a residual. */
    public static Graph shared() {
        Graph g = new Graph(SAMPLE);
        Value in = g.add(g.conv(g.input(), 3, 3), g.input());
        Value x = g.conv(in, 17, 3, 1, 1, 1, true);
        Value twice = g.add(x, x);
        Value a = g.conv(twice, 17, 3);
        Value b = g.relu(twice);
        Value sum = g.add(g.add(a, b), twice);
        Value c = g.conv(sum, 17, 1);
        Value d = g.conv(sum, 17, 3);
        x = g.add(g.add(c, d), sum);
        g.dense(g.globalAveragePool(x), CLASSES);
        return g;
    }

    /** A sum folded into a convolution whose residual is itself a sum's result, in a chain. */
    public static Graph chained() {
        Graph g = new Graph(SAMPLE);
        Value x = g.conv(g.input(), 17, 3);
        for (int i = 0; i < 3; i++) {
            Value y = g.batchNormRelu(x);
            x = i % 2 == 0 ? g.add(g.conv(y, 17, 3), x) : g.add(x, g.conv(y, 17, 3));
        }
        g.dense(g.averagePool(g.relu(x), 3), CLASSES);
        return g;
    }

    /** Biases before batch norms: of one that alone reads its convolution, and of one that does not. */
    public static Graph biased() {
        Graph g = new Graph(SAMPLE);
        Value x = g.batchNormRelu(g.conv(g.input(), 12, 3, 1, 1, 1, true));
        Value y = g.conv(x, 12, 3, 1, 1, 1, true);
        x = g.add(g.relu(y), g.batchNorm(y));
        g.dense(g.averagePool(g.batchNormRelu(g.conv(x, 7, 1, 1, 0, 1, true)), 3), CLASSES);
        return g;
    }

    /** Batch norm, sums and averages, and no kink anywhere. */
    public static Graph smooth() {
        Graph g = new Graph(SAMPLE);
        Value x = g.batchNorm(g.conv(g.input(), 16, 3));
        x = g.elementwise(x, new Softplus());
        x = g.add(g.batchNorm(g.conv(x, 16, 3)), x);
        g.dense(g.averagePool(x, 3), CLASSES);
        return g;
    }

    /** Kernels that are no squares, dilated ones, and the mean over an image that is none. */
    public static Graph windows() {
        Graph g = new Graph(SAMPLE);
        Initializer init = Initializer.fanIn();
        Layer.Window one = new Layer.Window(1, 1, 0);
        Layer.Window dilated = new Layer.Window(3, 1, 2, 2);
        Value x = g.conv(g.input(), new Layer.Conv(16, one, new Layer.Window(4, 2, 1), 1, false, false, init));
        x = g.conv(g.batchNormRelu(x), new Layer.Conv(17, dilated, dilated, 1, true, true, init));
        x = g.pool(x, new Layer.Pool(Layer.PoolKind.MAX, new Layer.Window(3, 2, 1), one));
        g.dense(g.globalAveragePool(x), CLASSES);
        return g;
    }

    /** Group norms, smooth activations, channels put together, and no kink anywhere. */
    public static Graph groupNormed() {
        Graph g = new Graph(SAMPLE);
        Value x = g.gelu(g.groupNorm(g.conv(g.input(), 16, 3, 2, 1, 1, true), 4));
        Value y = g.silu(g.groupNorm(g.conv(x, 12, 3), 1));
        x = g.conv(g.concat(x, y, x), 16, 1, 1, 0, 1, true);
        g.dense(g.globalAveragePool(g.groupNorm(x, 8)), CLASSES);
        return g;
    }

    /** A function of one's own between layers, and a sum of dense layers at the end. */
    public static Graph mapped() {
        Graph g = new Graph(SAMPLE);
        Value x = g.elementwise(g.conv(g.input(), 17, 3, 2, 1, 1, true), new Softplus());
        x = g.elementwise(g.dense(x, 15), new Softplus());
        g.add(g.dense(x, CLASSES), g.dense(x, CLASSES));
        return g;
    }
}
