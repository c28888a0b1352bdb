package io.basin.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.ReferenceDevice;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Shape;
import io.basin.train.Model;
import io.basin.train.Plan;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The nets have the published numbers of parameters, PyTorch's names, and fit the data sets' sizes. */
class NetsTest {
    private static final Shape CIFAR = Shape.of(3, 32, 32);
    private static final Shape MNIST = Shape.of(1, 28, 28);

    /** Declares the net's parameters; the reference allocates nothing until it computes. */
    private static ParameterStore declared(Graph net) {
        int classes = net.output().shape().dim(0);
        try (Device device = new ReferenceDevice()) {
            Images images = Sets.random(device, 1, 1, net.input().shape(), classes);
            try (images;
                    RunState control = new RunState(device);
                    Model model = new Model(device, net);
                    Plan plan = Plan.evaluation(
                            model,
                            images,
                            control,
                            Sets.plain(1, net.input().shape().dim(0)))) {
                assertEquals(1, plan.batchSize());
                return model.store();
            }
        }
    }

    private static long count(String name, Shape sample, int classes) {
        return declared(Nets.build(name, sample, classes)).parameterCount();
    }

    @Test
    void theMlpHasItsThreeMatricesAndBiases() {
        assertEquals(784 * 1024 + 1024 + 1024 * 1024 + 1024 + 1024 * 10 + 10, count("mlp", MNIST, 10));
    }

    @Test
    void everyNetTakesSquareImagesFromFourPixelsOn() {
        for (String name : Nets.NAMES) {
            for (int[] sample : new int[][] {{3, 4, 4}, {1, 20, 20}, {3, 33, 33}, {3, 96, 96}}) {
                Graph net = Nets.build(name, Shape.of(sample), 7);
                assertEquals(Shape.of(7), net.output().shape(), name);
            }
        }
        String said = assertThrows(
                        IllegalArgumentException.class, () -> Nets.build("preresnet20", Shape.of(3, 64, 48), 7))
                .getMessage();
        assertTrue(said.contains("needs a square image"), said);
    }

    @Test
    void theSmallCnnHasFourConvolutionsAndTwoDenseLayers() {
        int convs = 9 * (32 + 32 * 32 + 32 * 64 + 64 * 64) + 2 * (32 + 32 + 64 + 64);
        assertEquals(convs + 7 * 7 * 64 * 128 + 128 + 128 * 10 + 10, count("small-cnn", MNIST, 10));
    }

    /** 13 convolutions with bias, with and without batch norm, then 512-512-10 as in the SWA paper's code. */
    @Test
    void vgg16HasThePublishedCount() {
        int[] widths = {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512};
        long sum = 0;
        int in = 3;
        for (int w : widths) {
            sum += 9L * in * w + w;
            in = w;
        }
        sum += 2 * (512 * 512 + 512) + 512 * 10 + 10;
        assertEquals(15_245_130, sum);
        assertEquals(sum, count("vgg16", CIFAR, 10));
        assertEquals(sum + 2 * IntStream.of(widths).sum(), count("vgg16-bn", CIFAR, 10));
        assertEquals(15_253_578, count("vgg16-bn", CIFAR, 10));
    }

    /**
     * Stem 3 x 16; stages of width w = 16, 32, 64 with output e w (e = 4 for bottlenecks, 1 for basic blocks); a 1 x 1
     * shortcut wherever width changes; batch norm and dense layer at the end.
     */
    private static long preResNet(int blocks, boolean bottleneck, int classes) {
        int e = bottleneck ? 4 : 1;
        long sum = 9 * 3 * 16;
        int in = 16;
        for (int w : new int[] {16, 32, 64}) {
            for (int b = 0; b < blocks; b++) {
                long inner = bottleneck
                        ? 2L * in + (long) in * w + 2L * w + 9L * w * w + 2L * w + (long) w * 4 * w
                        : 2L * in + 9L * in * w + 2L * w + 9L * w * w;
                sum += inner + (in == e * w ? 0 : (long) in * e * w);
                in = e * w;
            }
        }
        return sum + 2L * in + (long) in * classes + classes;
    }

    @Test
    void preActivationNetsHaveTheCountsOfTheirFormulas() {
        assertEquals(preResNet(3, false, 10), count("preresnet20", CIFAR, 10));
        assertEquals(preResNet(6, true, 10), count("preresnet56", CIFAR, 10));
        assertEquals(preResNet(12, true, 10), count("preresnet110", CIFAR, 10));
        assertEquals(preResNet(18, true, 10), count("preresnet164", CIFAR, 10));
        assertEquals(preResNet(18, true, 100), count("preresnet164", CIFAR, 100));
        // He et al. 2016 print 1.7 million for 164 layers.
        assertEquals(1.70e6, preResNet(18, true, 10), 0.01e6);
    }

    /** 36,479,194 is the number that PyTorch counts for WRN-28-10 with 10 classes; the paper prints 36.5 million. */
    @Test
    void theWideNetHasThePublishedCount() {
        assertEquals(36_479_194, count("wrn-28-10", CIFAR, 10));
    }

    @Test
    void namesAreThoseOfPyTorchsModules() {
        List<String> names = declared(Nets.build("preresnet20", CIFAR, 10)).parameters().stream()
                .map(Parameter::name)
                .toList();
        for (String name : List.of(
                "conv1.weight",
                "layer1.0.bn1.weight",
                "layer1.0.bn1.bias",
                "layer2.0.downsample.0.weight",
                "layer3.2.conv2.weight",
                "bn.bias",
                "fc.weight",
                "fc.bias")) {
            assertTrue(names.contains(name), name);
        }
        List<String> vgg = declared(Nets.build("vgg16-bn", CIFAR, 10)).parameters().stream()
                .map(Parameter::name)
                .toList();
        // Places in nn.Sequential: conv, norm, ReLU each count, and each pool.
        for (String name : List.of(
                "features.0.weight",
                "features.1.bias",
                "features.7.weight",
                "features.41.weight",
                "features.40.bias",
                "classifier.1.weight",
                "classifier.4.bias",
                "classifier.6.weight")) {
            assertTrue(vgg.contains(name), name);
        }
    }

    /** Places in nn.Sequential, as above; the authors' code draws convolutions by fan-out and begins their biases at 0. */
    @Test
    void thePapersVgg16HasNoBatchNormAndBeginsWithBiasesOfZero() {
        Graph net = Nets.build("vgg16", CIFAR, 10);
        assertTrue(
                net.tensorNames().containsAll(List.of("features.0.weight", "features.2.bias", "features.28.weight")));
        assertTrue(net.tensorNames().stream().noneMatch(n -> n.contains("running")), net.tensorNames()::toString);
        try (Device device = Devices.open("cpu", 1);
                Model model = new Model(device, net)) {
            for (float bias : model.read("features.28.bias")) assertEquals(0, bias);
            double square = 0;
            for (float w : model.read("features.28.weight")) square += (double) w * w;
            assertEquals(2.0 / (9 * 512), square / (9 * 512 * 512), 2e-6);
            assertTrue(model.read("classifier.1.bias")[0] != 0);
        }
    }

    @Test
    void everyNetFitsBothImageSizesAndEndsInTheClasses() {
        for (String name : Nets.NAMES) {
            for (Shape sample : List.of(CIFAR, MNIST)) {
                assertEquals(
                        Shape.of(100), Nets.build(name, sample, 100).output().shape(), name);
            }
        }
    }

    @Test
    void unknownNamesAreAnsweredWithTheKnownOnes() {
        String message = assertThrows(IllegalArgumentException.class, () -> Nets.build("resnet", CIFAR, 10))
                .getMessage();
        for (String name : Nets.NAMES) assertTrue(message.contains(name), message);
    }

    /** No layer of these nets is left to be numbered, shortcuts and sums included. */
    @Test
    void everyLayerOfTheResidualNetsHasTheNameThatItWasGiven() {
        for (String net : List.of("preresnet20", "preresnet164", "wrn-28-10")) {
            Graph g = Nets.build(net, Shape.of(3, 32, 32), 10);
            Set<String> paths = g.nodes().stream().map(Node::path).collect(Collectors.toSet());
            assertTrue(paths.containsAll(Set.of("layer1.0.add", "layer2.0.add", "layer3.0.add")), paths.toString());
            assertTrue(paths.stream().noneMatch(p -> p.matches("(add|norm|relu)\\d+")), paths.toString());
        }
    }
}
