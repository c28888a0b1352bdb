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
import java.util.Map;
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
    void everyNetTakesImagesOfAnySidesFromFourPixelsOn() {
        for (String name : Nets.NAMES) {
            for (int[] sample :
                    new int[][] {{3, 4, 4}, {1, 20, 20}, {3, 33, 33}, {3, 96, 96}, {3, 64, 47}, {1, 5, 90}}) {
                Graph net = Nets.build(name, Shape.of(sample), 7);
                assertEquals(Shape.of(7), net.output().shape(), name);
            }
        }
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

    /** The counts that torchvision states for 1000 classes, its 62 trained tensors of ResNet-18 and 161 of ResNet-50, two statistics a norm. */
    @Test
    void theResidualNetsHaveTorchvisionsCountsAndNames() {
        Shape wide = Shape.of(3, 64, 48);
        assertEquals(11_689_512, Nets.build("resnet18", wide, 1000).parameterCount());
        assertEquals(21_797_672, Nets.build("resnet34", wide, 1000).parameterCount());
        assertEquals(25_557_032, Nets.build("resnet50", wide, 1000).parameterCount());
        List<String> basic = Nets.build("resnet18", wide, 10).tensorNames();
        List<String> deep = Nets.build("resnet50", wide, 10).tensorNames();
        assertEquals(62 + 2 * 20, basic.size());
        assertEquals(161 + 2 * 53, deep.size());
        assertEquals(List.of("conv1.weight", "bn1.weight", "bn1.bias"), basic.subList(0, 3));
        assertTrue(basic.containsAll(List.of("layer1.0.conv1.weight", "layer4.1.bn2.running_var", "fc.weight")));
        assertTrue(basic.stream().noneMatch(n -> n.startsWith("layer1.0.downsample")), basic::toString);
        assertTrue(deep.containsAll(List.of(
                "layer1.0.downsample.0.weight", "layer1.0.downsample.1.running_mean", "layer4.2.bn3.bias", "fc.bias")));
    }

    /** The stride is on the 3 x 3, torchvision's v1.5, and the stem leaves a quarter of each side, rounded up. */
    @Test
    void theResidualNetsHaveTorchvisionsStrides() {
        Map<String, Shape> outputs = Nets.build("resnet50", Shape.of(3, 64, 47), 10).nodes().stream()
                .collect(Collectors.toMap(Node::path, n -> n.output().shape()));
        assertEquals(Shape.of(64, 32, 24), outputs.get("conv1"));
        assertEquals(Shape.of(64, 16, 12), outputs.get("maxpool"));
        assertEquals(Shape.of(128, 16, 12), outputs.get("layer2.0.conv1"));
        assertEquals(Shape.of(128, 8, 6), outputs.get("layer2.0.conv2"));
        assertEquals(Shape.of(2048, 2, 2), outputs.get("layer4.2.relu"));
        assertEquals(Shape.of(2048, 1, 1), outputs.get("avgpool"));
    }

    /** Weights of convolutions that torchvision's VGGs of these depths have, and the classifier of the SWA paper's. */
    @Test
    void otherNetsOfTheFamiliesGoByTheirDepthAndWidth() {
        long classifier = 2 * (512 * 512 + 512) + 512 * 10 + 10;
        assertEquals(9_220_480 + classifier, Nets.build("vgg11", CIFAR, 10).parameterCount());
        assertEquals(9_404_992 + classifier, Nets.build("vgg13", CIFAR, 10).parameterCount());
        long norms = 2 * (2 * 64 + 2 * 128 + 4 * 256 + 8 * 512);
        Graph deep = Nets.build("vgg19-bn", CIFAR, 10);
        assertEquals(20_024_384 + norms + classifier, deep.parameterCount());
        assertEquals("vgg19-bn", deep.source());
        assertEquals(8.9e6, Nets.build("wrn-40-4", CIFAR, 10).parameterCount(), 0.05e6);
        assertEquals(11.0e6, Nets.build("wrn-16-8", CIFAR, 10).parameterCount(), 0.05e6);
        assertEquals(
                preResNet(5, false, 10), Nets.build("preresnet32", CIFAR, 10).parameterCount());
        for (String[] wrong : new String[][] {
            {"vgg12", "VGGs have depth 11, 13, 16, 19, got 12"},
            {"resnet101", "residual nets have depth 18, 34, 50, got 101"},
            {"wrn-17-4", "depth 6n+4, got 17"},
            {"wrn-16-0", "width of at least 1, got 0"}
        }) {
            String said = assertThrows(IllegalArgumentException.class, () -> Nets.build(wrong[0], CIFAR, 10))
                    .getMessage();
            assertTrue(said.startsWith("`model`: ") && said.contains(wrong[1]), said);
        }
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
        for (String net : List.of("preresnet20", "preresnet164", "wrn-28-10", "resnet18", "resnet50")) {
            Graph g = Nets.build(net, Shape.of(3, 32, 32), 10);
            Set<String> paths = g.nodes().stream().map(Node::path).collect(Collectors.toSet());
            assertTrue(paths.containsAll(Set.of("layer1.0.add", "layer2.0.add", "layer3.0.add")), paths.toString());
            assertTrue(paths.stream().noneMatch(p -> p.matches("(add|norm|relu)\\d+")), paths.toString());
        }
    }
}
