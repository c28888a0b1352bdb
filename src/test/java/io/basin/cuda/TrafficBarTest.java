package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Op;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.nn.Nets;
import io.basin.train.Run;
import io.basin.train.Setup;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What our own kernels of one training step move, and how many nodes its graph has, against the least that these operations allow:
 * counted by the software GPU on a small batch of small images and brought to a batch of 128 of full size, to which both grow alike
 * but for what goes with the weights.
 */
class TrafficBarTest {
    private static final double BAR = 1.15;
    private static final int BATCH = 128;
    private static final List<String> VENDOR = List.of(
            "cudnnConvolutionForward",
            "cudnnConvolutionBackwardData",
            "cudnnConvolutionBackwardFilter",
            "cudnnPoolingForward",
            "cudnnPoolingBackward",
            "cublasGemmEx");

    /** Copies that strict convolutions work on where they are the faster so. */
    private static final String COPY = "cudnnTransformTensor";

    /** Kernel by kernel: launches, bytes. */
    private static long[] counted(String kernel) {
        for (String line : SoftGpu.report().lines().toList()) {
            String[] words = line.trim().split("\\s+");
            if (!words[0].equals(kernel)) continue;
            return new long[] {Long.parseLong(words[1]), Long.parseLong(words[2]) + Long.parseLong(words[3])};
        }
        return new long[2];
    }

    private static long bytesOfAll() {
        return SoftGpu.report()
                .lines()
                .skip(1)
                .map(l -> l.trim().split("\\s+"))
                .mapToLong(w -> Long.parseLong(w[2]) + Long.parseLong(w[3]))
                .sum();
    }

    private static int rows(Op op) {
        Shape s = op.output().shape();
        return Math.toIntExact(s.elements() / s.dim(1));
    }

    /** Bytes of vectors over the channels, of which each thread over rows reads its part: from cache but for the first. */
    private static long cached(Run run, int bytes) {
        long sum = 4 * run.ops().get(0).output().shape().elements(); // the table of pixels
        for (Op.BatchNorm op : norms(run)) {
            int channels = op.output().shape().dim(1);
            RowGrid grid = RowGrid.of(rows(op), channels, bytes);
            sum += (14L * 4 + bytes) * channels * grid.stripes() * grid.slabs();
        }
        return sum;
    }

    /** Bytes that kernels over rows leave for those over channels, as {@link NormTrafficTest} has them, of more rows. */
    private static long leftForThem(Run run, int bytes, double times) {
        long sum = 0;
        for (Op.BatchNorm op : norms(run)) {
            int channels = op.output().shape().dim(1);
            int slabs = RowGrid.of((int) (rows(op) * times), channels, bytes).slabs();
            sum += channels * (16L * slabs + 4);
        }
        return sum;
    }

    private static List<Op.BatchNorm> norms(Run run) {
        return run.ops().stream()
                .filter(Op.BatchNorm.class::isInstance)
                .map(Op.BatchNorm.class::cast)
                .toList();
    }

    /** Of all that the vendor does not compute. */
    private static long leastOfValues(Run run) {
        long sum = 0;
        for (int i = 0; i < run.ops().size(); i++) sum += run.leastBytes(i);
        return sum;
    }

    @ParameterizedTest
    @CsvSource({
        "small-cnn, 1, 28, 28, 2, STRICT",
        "small-cnn, 1, 28, 28, 2, BF16",
        "preresnet20, 3, 32, 16, 1, STRICT",
        "preresnet20, 3, 32, 16, 1, BF16",
        "vgg16-bn, 3, 32, 32, 1, STRICT",
        "vgg16-bn, 3, 32, 32, 1, BF16",
        "wrn-28-10, 3, 32, 8, 1, STRICT",
        "wrn-28-10, 3, 32, 8, 1, BF16"
    })
    void aStepMovesLittleMoreThanItMust(String net, int channels, int full, int side, int batch, Precision precision)
            throws Exception {
        if (!Cuda.software()) return;
        // With channels last, whatever the mode that the suite runs in takes away.
        Cuda.where("", () -> requireLittle(net, channels, full, side, batch, precision));
    }

    private static void requireLittle(String net, int channels, int full, int side, int batch, Precision precision) {
        Setup setup = Setup.of(Nets.build(net, Shape.of(channels, side, side), 10), batch)
                .with(precision);
        try (Device device = Devices.open("cuda", 1);
                Run run = setup.on(device)) {
            run.probabilities();
            SoftGpu.reset();
            run.gradients();
            run.probabilities();
            double scale = (double) BATCH / batch * full * full / side / side;
            String of = String.format("%-12s %-6s", net, precision);
            requireLittle(of, bytes(run, precision == Precision.BF16, scale), run.leastNodes());
        }
    }

    /** Bytes that our kernels move, and the least. */
    private static double[] bytes(Run run, boolean narrow, double scale) {
        long weights = run.storage.paramBytes() / 4;
        long widened = counted("widen")[1];
        int bytes = narrow ? 2 : 4;
        long counted = bytesOfAll() - widened - cached(run, bytes) - counted("finalise")[1];
        counted -= counted("parameterGradients")[1] + leftForThem(run, bytes, 1);
        double values = scale * counted + 2 * leftForThem(run, bytes, scale);
        // The update reads w, g, v and writes w, v and the copy, see StepKernelTest; g is float32 for programs that
        // read it.
        double update = weights * (narrow ? 22.0 : 20.0);
        return new double[] {values + update + widened, scale * leastOfValues(run) + update};
    }

    /** All of a step's graph: launches, the counter's tick and the update, and calls of the vendor's. */
    private static long nodes() {
        long nodes = SoftGpu.counter("launches") + 2 + counted(COPY)[0];
        for (String call : VENDOR) nodes += SoftGpu.counter("calls:" + call);
        return nodes;
    }

    /** A step on copies has what one without them has, and them. */
    @Test
    void copiesWithChannelsFirstCountToo() throws Exception {
        if (!Cuda.software()) return;
        long[][] seen = new long[2][]; // nodes, bytes, and both of copies
        for (int i = 0; i < seen.length; i++) {
            int at = i;
            Cuda.where(i == 0 ? "" : ConvLayoutTest.SLOW_LAST, () -> seen[at] = step());
        }
        assertEquals(0, seen[0][2], "copies where they are slower");
        assertEquals(3 * convolutions(), seen[1][2], "what is read twice and what is written");
        assertTrue(seen[1][3] > 0);
        assertEquals(seen[0][0] + seen[1][2], seen[1][0], "nodes");
        assertEquals(seen[0][1] + seen[1][3], seen[1][1], "bytes");
    }

    private static long convolutions() {
        return VENDOR.stream()
                .filter(call -> call.startsWith("cudnnConvolution"))
                .mapToLong(call -> SoftGpu.counter("calls:" + call))
                .sum();
    }

    private static long[] step() {
        Setup setup = Setup.of(Nets.smallCnn(Shape.of(1, 12, 12), 10), 2).with(Precision.STRICT);
        try (Device device = Devices.open("cuda", 1);
                Run run = setup.on(device)) {
            SoftGpu.reset();
            run.gradients();
            run.probabilities();
            long[] copies = counted(COPY);
            return new long[] {nodes(), bytesOfAll(), copies[0], copies[1]};
        }
    }

    private static void requireLittle(String of, double[] bytes, long least) {
        long nodes = nodes();
        double moved = bytes[0] / bytes[1];
        double graph = (double) nodes / least;
        String said = String.format(
                Locale.ROOT,
                "%s %8.1f MB of %8.1f: %.3f; %d nodes of %d: %.3f",
                of,
                bytes[0] / 1e6,
                bytes[1] / 1e6,
                moved,
                nodes,
                least,
                graph);
        System.out.println(said);
        assertTrue(moved <= BAR && graph <= BAR, said);
        assertTrue(moved >= 1 && graph >= 1, said);
    }
}
