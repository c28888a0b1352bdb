package io.basin.nn;

import io.basin.Api;
import io.basin.device.Layer;
import io.basin.device.Shape;
import io.basin.text.Closest;
import io.basin.text.Require;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The nets of the papers, torchvision's residual nets and three small ones, with PyTorch's parameter names.
 *
 * <p>Sources: the pre-activation residual nets are those of the SWA paper's code, basic blocks below depth 44 and bottlenecks from
 * there on; {@code vgg16} is the papers' VGG16, which has no batch norm, and {@code vgg16-bn} the same code's VGG16BN. The VGG
 * rows of the papers belong to the net without batch norm. One net is not the authors', so that their figures are not this net's:
 *
 * <ul>
 *   <li>{@code wrn-28-10} is Zagoruyko and Komodakis's (2016, arXiv 1605.07146). The authors' has biases in its convolutions, the
 *       stride on a block's second one, a shortcut from the raw input, Xavier's initialisation with gain sqrt(2) and a momentum of
 *       0.9 in the last batch norm; its tensors have the same names.
 * </ul>
 */
@Api
public final class Nets {
    /** The names that {@link #build} lists; it knows others of the same families, such as {@code vgg13-bn} and {@code wrn-16-4}. */
    public static final List<String> NAMES = List.of(
            "mlp",
            "lenet-bn",
            "small-cnn",
            "vgg16",
            "vgg16-bn",
            "preresnet20",
            "preresnet56",
            "preresnet110",
            "preresnet164",
            "wrn-28-10",
            "resnet18",
            "resnet34",
            "resnet50");

    /** A family, its depth, and what else tells its nets apart. */
    private static final Pattern FAMILY =
            Pattern.compile("(vgg)(\\d{1,4})(-bn)?|(preresnet|resnet)(\\d{1,4})|(wrn)-(\\d{1,4})-(\\d{1,3})");

    /** Convolutions of each of the five stages of a VGG by its depth (Simonyan and Zisserman 2014, arXiv 1409.1556, table 1). */
    private static final Map<Integer, int[]> VGG = Map.of(
            11, new int[] {1, 1, 2, 2, 2},
            13, new int[] {2, 2, 2, 2, 2},
            16, new int[] {2, 2, 3, 3, 3},
            19, new int[] {2, 2, 4, 4, 4});

    /** Blocks of each of the four stages of a residual net by its depth (He et al. 2015, arXiv 1512.03385, table 1). */
    private static final Map<Integer, int[]> RESIDUAL = Map.of(
            18, new int[] {2, 2, 2, 2},
            34, new int[] {3, 4, 6, 3},
            50, new int[] {3, 4, 6, 3});

    private Nets() {}

    /**
     * The net called {@code name}, or that of the class on the class path which has this name: a {@code Supplier<Graph>} with a
     * public constructor without arguments.
     *
     * @param sample (channels, height, width), from 4 x 4 on; a class of the caller's own decides by itself
     * @throws IllegalArgumentException for an unknown name, listing the known ones, or a class that is not there
     */
    public static Graph build(String name, Shape sample, int classes) {
        Require.given("sample", sample);
        if (!isOurs(known(name))) return of(NetClass.instance(name));
        try {
            return built(name, sample, classes).builtAs(name);
        } catch (IllegalArgumentException e) {
            // A parameter at fault rather than the samples.
            if (String.valueOf(e.getMessage()).startsWith("`")) throw e;
            throw new IllegalArgumentException(
                    "the net " + name + " does not fit samples of " + sample + " (channels, height, width): "
                            + e.getMessage(),
                    e);
        }
    }

    /** The net that {@code net} builds; its weights files name its class, where that can build it again. */
    public static Graph of(Supplier<Graph> net) {
        String name = NetClass.name(Require.given("net", net));
        return name.isEmpty() ? net.get() : net.get().builtAs(name);
    }

    private static Graph built(String name, Shape sample, int classes) {
        return switch (name) {
            case "mlp" -> mlp(sample, classes, 1024, 1024);
            case "lenet-bn" -> lenet(sample, classes);
            case "small-cnn" -> smallCnn(sample, classes);
            default -> ofFamily(name, sample, classes);
        };
    }

    private static Graph ofFamily(String name, Shape sample, int classes) {
        Matcher m = FAMILY.matcher(name);
        if (!m.matches()) throw new IllegalStateException(name);
        if (m.group(1) != null) return vgg(Integer.parseInt(m.group(2)), sample, classes, m.group(3) != null);
        if (m.group(6) != null) {
            return wideResNet(Integer.parseInt(m.group(7)), Integer.parseInt(m.group(8)), sample, classes);
        }
        int depth = Integer.parseInt(m.group(5));
        return m.group(4).equals("resnet") ? resNet(depth, sample, classes) : preResNet(depth, sample, classes);
    }

    private static boolean isOurs(String name) {
        return NAMES.contains(name) || FAMILY.matcher(name).matches();
    }

    /**
     * The name itself.
     *
     * @throws IllegalArgumentException for an unknown one, listing the known ones, or for a class that builds no net
     */
    public static String known(String name) {
        if (isOurs(Require.given("name", name)) || NetClass.isNamed(name)) return name;
        throw new IllegalArgumentException("`model`: " + Closest.unknown("net", name, NAMES));
    }

    /** A depth's row of the paper's table. */
    private static int[] stages(String family, Map<Integer, int[]> table, int depth) {
        if (table.containsKey(depth)) return Objects.requireNonNull(table.get(depth));
        throw new IllegalArgumentException("`model`: " + family + " have depth "
                + table.keySet().stream().sorted().map(String::valueOf).collect(Collectors.joining(", ")) + ", got "
                + depth);
    }

    /** Dense layers with ReLU: fc1, fc2, ... */
    public static Graph mlp(Shape sample, int classes, int... hidden) {
        Graph g = new Graph(sample);
        Value x = g.input();
        int i = 1;
        for (int width : Require.given("hidden", hidden)) x = g.at("fc" + i++).denseRelu(x, width);
        g.at("fc" + i).dense(x, classes);
        return g;
    }

    /** conv16-pool-conv32-pool-fc64-fc, batch norm and ReLU after each convolution: a small LeNet. */
    public static Graph lenet(Shape sample, int classes) {
        Graph g = new Graph(sample);
        Value x = g.input();
        for (int i = 1; i <= 2; i++) {
            x = g.at("conv" + i).conv(x, 16 * i, 3);
            x = g.maxPool(g.at("bn" + i).batchNormRelu(x), 2);
        }
        x = g.at("fc1").denseRelu(x, 64);
        g.at("fc2").dense(x, classes);
        return g;
    }

    /** conv32-conv32-pool-conv64-conv64-pool-fc128-fc, batch norm and ReLU after each convolution. */
    public static Graph smallCnn(Shape sample, int classes) {
        Graph g = new Graph(sample);
        Value x = g.input();
        int i = 1;
        for (int width : new int[] {32, 64}) {
            for (int k = 0; k < 2; k++, i++) {
                x = g.at("conv" + i).conv(x, width, 3);
                x = g.at("bn" + i).batchNormRelu(x);
            }
            x = g.maxPool(x, 2);
        }
        x = g.at("fc1").denseRelu(x, 128);
        g.at("fc2").dense(x, classes);
        return g;
    }

    /** The SWA paper's VGG16 or VGG16BN: {@link #vgg} of depth 16. */
    public static Graph vgg16(Shape sample, int classes, boolean batchNorm) {
        return vgg(16, sample, classes, batchNorm);
    }

    /** The SWA paper's VGG, for images from 28 x 28 on: convolutions with biases, 512-512 at the end, dropout. */
    public static Graph vgg(int depth, Shape sample, int classes, boolean batchNorm) {
        Require.given("sample", sample);
        int[] stages = stages("VGGs", VGG, depth);
        Graph g = new Graph(sample, Initialisers.HE_FAN_OUT);
        Value x = g.input();
        int i = 0;
        for (int stage = 0; stage < stages.length; stage++) {
            int width = Math.min(512, 64 << stage);
            Layer.Conv conv = new Layer.Conv(width, 3, 1, 1, 1, true, !batchNorm, Initialisers.HE_FAN_OUT);
            for (int k = 0; k < stages[stage]; k++) {
                x = g.at("features." + i).conv(x, conv);
                if (batchNorm) x = g.at("features." + (i + 1)).batchNormRelu(x);
                i += batchNorm ? 3 : 2;
            }
            // 28 x 28 reaches the last pool as a single pixel: there is nothing left to halve.
            if (Math.min(x.shape().dim(1), x.shape().dim(2)) > 1)
                x = g.at("features." + i).maxPool(x, 2);
            i++;
        }
        x = g.at("classifier.0").dropout(x, 0.5);
        x = g.at("classifier.1").dense(x, new Layer.Dense(512, true, true, Initialisers.PYTORCH));
        x = g.at("classifier.3").dropout(x, 0.5);
        x = g.at("classifier.4").dense(x, new Layer.Dense(512, true, true, Initialisers.PYTORCH));
        g.at("classifier.6").dense(x, new Layer.Dense(classes, true, false, Initialisers.PYTORCH));
        return g;
    }

    /** Pre-activation residual net of He et al. 2016 (arXiv 1603.05027) for small images. */
    public static Graph preResNet(int depth, Shape sample, int classes) {
        Require.given("sample", sample);
        boolean bottleneck = depth >= 44;
        int perBlock = bottleneck ? 9 : 6;
        if (depth < 8 || (depth - 2) % perBlock != 0) {
            throw new IllegalArgumentException(
                    "`model`: PreResNet depths are 6n+2 below 44 and 9n+2 from there, got " + depth);
        }
        Graph g = new Graph(sample, Initialisers.HE_FAN_OUT);
        Value x = g.at("conv1").conv(g.input(), 16, 3);
        for (int stage = 0; stage < 3; stage++) {
            for (int block = 0; block < (depth - 2) / perBlock; block++) {
                String path = "layer" + (stage + 1) + "." + block;
                int stride = stage > 0 && block == 0 ? 2 : 1;
                x = bottleneck ? bottleneck(g, path, x, 16 << stage, stride) : basic(g, path, x, 16 << stage, stride);
            }
        }
        x = g.at("bn").batchNormRelu(x);
        x = g.globalAveragePool(x);
        g.at("fc").dense(x, new Layer.Dense(classes, true, false, Initialisers.PYTORCH));
        return g;
    }

    private static Value basic(Graph g, String path, Value x, int width, int stride) {
        Value y = g.at(path + ".bn1").batchNormRelu(x);
        y = g.at(path + ".conv1").conv(y, width, 3, stride, 1, 1, false);
        y = g.at(path + ".bn2").batchNormRelu(y);
        y = g.at(path + ".conv2").conv(y, width, 3);
        return g.at(path + ".add").add(y, shortcut(g, path, x, width, stride));
    }

    private static Value bottleneck(Graph g, String path, Value x, int width, int stride) {
        Value y = g.at(path + ".bn1").batchNormRelu(x);
        y = g.at(path + ".conv1").conv(y, width, 1);
        y = g.at(path + ".bn2").batchNormRelu(y);
        y = g.at(path + ".conv2").conv(y, width, 3, stride, 1, 1, false);
        y = g.at(path + ".bn3").batchNormRelu(y);
        y = g.at(path + ".conv3").conv(y, 4 * width, 1);
        return g.at(path + ".add").add(y, shortcut(g, path, x, 4 * width, stride));
    }

    private static Value shortcut(Graph g, String path, Value x, int width, int stride) {
        if (stride == 1 && x.shape().dim(0) == width) return x;
        return g.at(path + ".downsample.0").conv(x, width, 1, stride, 0, 1, false);
    }

    /**
     * torchvision's residual net: 7 x 7 stem, batch norm after each convolution, basic blocks below depth 50 and bottlenecks with
     * the stride on their 3 x 3 from there on, the mean over whatever is left of height and width.
     */
    public static Graph resNet(int depth, Shape sample, int classes) {
        Require.given("sample", sample);
        int[] stages = stages("residual nets", RESIDUAL, depth);
        Graph g = new Graph(sample, Initialisers.HE_FAN_OUT);
        Value x = g.at("conv1").conv(g.input(), 64, 7, 2, 3, 1, false);
        x = g.at("bn1").batchNormRelu(x);
        x = g.at("maxpool").pool(x, new Layer.Pool(Layer.PoolKind.MAX, 3, 2, 1));
        for (int stage = 0; stage < stages.length; stage++) {
            for (int block = 0; block < stages[stage]; block++) {
                String path = "layer" + (stage + 1) + "." + block;
                x = post(g, path, x, 64 << stage, stage > 0 && block == 0 ? 2 : 1, depth >= 50);
            }
        }
        x = g.at("avgpool").globalAveragePool(x);
        g.at("fc").dense(x, new Layer.Dense(classes, true, false, Initialisers.PYTORCH));
        return g;
    }

    /** The block of He et al. 2015: ReLU after the sum. */
    private static Value post(Graph g, String path, Value x, int width, int stride, boolean bottleneck) {
        int out = bottleneck ? 4 * width : width;
        int kernel = bottleneck ? 1 : 3;
        Value y = g.at(path + ".conv1").conv(x, width, kernel, bottleneck ? 1 : stride, kernel / 2, 1, false);
        y = g.at(path + ".bn1").batchNormRelu(y);
        y = g.at(path + ".conv2").conv(y, width, 3, bottleneck ? stride : 1, 1, 1, false);
        if (bottleneck) {
            y = g.at(path + ".bn2").batchNormRelu(y);
            y = g.at(path + ".conv3").conv(y, out, 1);
        }
        y = g.at(path + (bottleneck ? ".bn3" : ".bn2")).batchNorm(y);
        Value s = shortcut(g, path, x, out, stride);
        if (s != x) s = g.at(path + ".downsample.1").batchNorm(s);
        return g.at(path + ".relu").relu(g.at(path + ".add").add(y, s));
    }

    /** Wide residual net, Zagoruyko and Komodakis 2016: depth 6n+4, {@code widen} times 16, 32, 64 channels. */
    public static Graph wideResNet(int depth, int widen, Shape sample, int classes) {
        Require.given("sample", sample);
        if (depth < 10 || (depth - 4) % 6 != 0) {
            throw new IllegalArgumentException("`model`: wide residual nets have depth 6n+4, got " + depth);
        }
        if (widen < 1) {
            throw new IllegalArgumentException("`model`: wide residual nets have a width of at least 1, got " + widen);
        }
        Graph g = new Graph(sample, Initialisers.HE);
        Value x = g.at("conv1").conv(g.input(), 16, 3);
        for (int stage = 0; stage < 3; stage++) {
            for (int block = 0; block < (depth - 4) / 6; block++) {
                String path = "layer" + (stage + 1) + "." + block;
                x = wide(g, path, x, (16 << stage) * widen, stage > 0 && block == 0 ? 2 : 1);
            }
        }
        x = g.at("bn1").batchNormRelu(x);
        x = g.globalAveragePool(x);
        g.at("linear").dense(x, new Layer.Dense(classes, true, false, Initialisers.PYTORCH));
        return g;
    }

    /** The shortcut reads the activated input where the width changes, as in the paper's own code. */
    private static Value wide(Graph g, String path, Value x, int width, int stride) {
        Value a = g.at(path + ".bn1").batchNormRelu(x);
        boolean same = stride == 1 && x.shape().dim(0) == width;
        Value y = g.at(path + ".conv1").conv(a, width, 3, stride, 1, 1, false);
        y = g.at(path + ".bn2").batchNormRelu(y);
        y = g.at(path + ".conv2").conv(y, width, 3);
        Value s = same ? x : g.at(path + ".shortcut.0").conv(a, width, 1, stride, 0, 1, false);
        return g.at(path + ".add").add(y, s);
    }
}
