package io.basin.torch;

import static io.basin.torch.TorchNet.averagePool;
import static io.basin.torch.TorchNet.chain;
import static io.basin.torch.TorchNet.flatten;
import static io.basin.torch.TorchNet.maxPool;
import static io.basin.torch.TorchNet.relu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The nets of the comparison. Architectures and names follow the code published with the SWA paper (PreResNet, VGG16 with
 * batch norm); the MLP and the small CNN are our own.
 */
public final class TorchNets {
    private static final int[] VGG16 = {64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0};

    private TorchNets() {}

    /**
     * Builds a net by name: {@code mlp} (784-1024-1024-10 for 1x28x28), {@code mlp:4-8-3} with widths of one's own,
     * {@code smallcnn}, {@code preresnet20} (any 6n+2), {@code resnet18} or {@code resnet50} as in torchvision, {@code smooth} with layers that no other has, {@code vgg16-bn} (dropout 0.5) or {@code vgg16-bn-nodropout}, which a
     * golden run needs because no other engine draws libtorch's masks.
     */
    public static TorchNet build(String name, int channels, int size, int classes, boolean channelsLast) {
        TorchNet net = new TorchNet(channelsLast);
        if (name.equals("mlp")) {
            return mlp(net, channels * size * size, 1024, 1024, classes);
        }
        if (name.startsWith("mlp:")) {
            return mlp(
                    net,
                    Arrays.stream(name.substring(4).split("-"))
                            .mapToInt(Integer::parseInt)
                            .toArray());
        }
        if (name.equals("smallcnn")) {
            return smallCnn(net, channels, size, classes);
        }
        if (name.startsWith("preresnet")) {
            return preResNet(net, Integer.parseInt(name.substring(9)), channels, size, classes);
        }
        return switch (name) {
            case "resnet18" -> resNet(net, channels, classes, false, 2, 2, 2, 2);
            case "resnet50" -> resNet(net, channels, classes, true, 3, 4, 6, 3);
            case "smooth" -> smooth(net, channels, classes);
            case "vgg16-bn" -> vgg16(net, channels, classes, 0.5);
            case "vgg16-bn-nodropout" -> vgg16(net, channels, classes, 0);
            default -> throw new IllegalArgumentException("no such net: " + name);
        };
    }

    private static TorchNet mlp(TorchNet net, int... widths) {
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        layers.add(flatten());
        for (int i = 1; i < widths.length; i++) {
            layers.add(net.linear("fc" + i, widths[i - 1], widths[i]));
            if (i < widths.length - 1) {
                layers.add(relu());
            }
        }
        return net.body(chain(layers));
    }

    private static TorchNet smallCnn(TorchNet net, int channels, int size, int classes) {
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        int in = channels;
        for (int i = 1; i <= 4; i++) {
            int out = i <= 2 ? 32 : 64;
            layers.add(net.conv("conv" + i, in, out, 3, 1, false));
            layers.add(net.norm("bn" + i, out));
            layers.add(relu());
            if (i % 2 == 0) {
                layers.add(maxPool(2));
            }
            in = out;
        }
        int side = size / 4;
        layers.add(flatten());
        layers.add(net.linear("fc1", (long) in * side * side, 128));
        layers.add(relu());
        layers.add(net.linear("fc2", 128, classes));
        return net.body(chain(layers));
    }

    private static TorchNet preResNet(TorchNet net, int depth, int channels, int size, int classes) {
        if (depth % 6 != 2 || depth >= 44) {
            throw new IllegalArgumentException("basic blocks want a depth of 6n+2 below 44, got " + depth);
        }
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        layers.add(net.conv("conv1", channels, 16, 3, 1, false));
        int in = 16;
        for (int stage = 1; stage <= 3; stage++) {
            int width = 8 << stage;
            for (int block = 0; block < depth / 6; block++) {
                int stride = stage > 1 && block == 0 ? 2 : 1;
                layers.add(block(net, "layer" + stage + "." + block + ".", in, width, stride));
                in = width;
            }
        }
        layers.add(net.norm("bn", in));
        layers.add(relu());
        layers.add(averagePool(size / 4));
        layers.add(flatten());
        layers.add(net.linear("fc", in, classes));
        return net.body(chain(layers));
    }

    /** Pre-activation block; the shortcut, where it needs a projection, starts from the raw input as in the paper's code. */
    private static UnaryOperator<Tensor> block(TorchNet net, String name, int in, int out, int stride) {
        UnaryOperator<Tensor> residual = chain(List.of(
                net.norm(name + "bn1", in),
                relu(),
                net.conv(name + "conv1", in, out, 3, stride, false),
                net.norm(name + "bn2", out),
                relu(),
                net.conv(name + "conv2", out, out, 3, 1, false)));
        UnaryOperator<Tensor> shortcut =
                stride == 1 && in == out ? x -> x : net.conv(name + "downsample.0", in, out, 1, stride, false);
        return x -> residual.apply(x).add_(shortcut.apply(x));
    }

    /** After torchvision's models/resnet.py, whatever the images' height and width. */
    private static TorchNet resNet(TorchNet net, int channels, int classes, boolean bottleneck, int... blocks) {
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        layers.add(net.conv("conv1", channels, 64, 7, 2, false));
        layers.add(net.norm("bn1", 64));
        layers.add(relu());
        layers.add(x ->
                torch.max_pool2d(x, new long[] {3, 3}, new long[] {2, 2}, new long[] {1, 1}, new long[] {1, 1}, false));
        int in = 64;
        for (int stage = 1; stage <= 4; stage++) {
            int width = 32 << stage;
            int out = bottleneck ? 4 * width : width;
            for (int block = 0; block < blocks[stage - 1]; block++) {
                int stride = stage > 1 && block == 0 ? 2 : 1;
                String name = "layer" + stage + "." + block + ".";
                UnaryOperator<Tensor> residual = bottleneck
                        ? chain(List.of(
                                net.conv(name + "conv1", in, width, 1, 1, false),
                                net.norm(name + "bn1", width),
                                relu(),
                                net.conv(name + "conv2", width, width, 3, stride, false),
                                net.norm(name + "bn2", width),
                                relu(),
                                net.conv(name + "conv3", width, out, 1, 1, false),
                                net.norm(name + "bn3", out)))
                        : chain(List.of(
                                net.conv(name + "conv1", in, width, 3, stride, false),
                                net.norm(name + "bn1", width),
                                relu(),
                                net.conv(name + "conv2", width, width, 3, 1, false),
                                net.norm(name + "bn2", width)));
                layers.add(joined(net, name, residual, in, out, stride));
                in = out;
            }
        }
        layers.add(x -> torch.adaptive_avg_pool2d(x, 1, 1));
        layers.add(flatten());
        layers.add(net.linear("fc", in, classes));
        return net.body(chain(layers));
    }

    private static UnaryOperator<Tensor> joined(
            TorchNet net, String name, UnaryOperator<Tensor> residual, int in, int out, int stride) {
        UnaryOperator<Tensor> shortcut = stride == 1 && in == out
                ? x -> x
                : chain(List.of(
                        net.conv(name + "downsample.0", in, out, 1, stride, false),
                        net.norm(name + "downsample.1", out)));
        return x -> residual.apply(x).add(shortcut.apply(x)).relu();
    }

    /** Kernels that are no squares and dilated ones, group norms, GELU by the error function, SiLU, channels put together. */
    private static TorchNet smooth(TorchNet net, int channels, int classes) {
        UnaryOperator<Tensor> first = chain(List.of(
                net.conv("conv1", channels, 16, new long[] {3, 6}, new long[] {2, 3}, new long[] {1, 2}, 1, true),
                net.groupNorm("norm1", 4, 16),
                torch::gelu));
        UnaryOperator<Tensor> second = chain(List.of(
                net.conv("conv2", 16, 12, new long[] {3, 3}, new long[] {1, 1}, new long[] {2, 2}, 2, false),
                net.groupNorm("norm2", 6, 12),
                torch::silu));
        UnaryOperator<Tensor> last = chain(List.of(
                net.conv("conv3", 28, 16, 3, 2, true),
                torch::silu,
                x -> torch.adaptive_avg_pool2d(x, 1, 1),
                flatten(),
                net.linear("fc", 16, classes)));
        return net.body(x -> {
            Tensor y = first.apply(x);
            return last.apply(torch.cat(new TensorVector(y, second.apply(y)), 1));
        });
    }

    private static TorchNet vgg16(TorchNet net, int channels, int classes, double dropout) {
        List<UnaryOperator<Tensor>> layers = new ArrayList<>();
        int in = channels;
        int index = 0;
        for (int width : VGG16) {
            if (width == 0) {
                layers.add(maxPool(2));
                index++;
            } else {
                layers.add(net.conv("features." + index, in, width, 3, 1, true));
                layers.add(net.norm("features." + (index + 1), width));
                layers.add(relu());
                index += 3;
                in = width;
            }
        }
        layers.add(flatten());
        layers.add(net.dropout(dropout));
        layers.add(net.linear("classifier.1", 512, 512));
        layers.add(relu());
        layers.add(net.dropout(dropout));
        layers.add(net.linear("classifier.4", 512, 512));
        layers.add(relu());
        layers.add(net.linear("classifier.6", 512, classes));
        return net.body(chain(layers));
    }
}
