package io.basin.bench;

import io.basin.cuda.Gpu;
import io.basin.cuda.Ptxas;
import io.basin.cuda.Traffic;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Node;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * What the update of all parameters moves: Basin's kernel as a software GPU counts it, the peers' as their source says. Times
 * are bytes over a stated bandwidth, a model and no measurement.
 *
 * <p>{@code LD_LIBRARY_PATH=target/softgpu mvn -q -Pbench process-test-classes exec:exec
 * -Dbench.main=io.basin.bench.TrafficReport}
 */
@Command(name = "traffic", mixinStandardHelpOptions = true, showDefaultValues = true)
public final class TrafficReport implements Runnable {
    private static final int COUNTED = 1 << 18;
    private static final int BLOCKS = 128;

    @Option(names = "--net", description = "whose parameters are updated")
    private String net = "wrn-28-10";

    @Option(names = "--bandwidth", description = "GB/s of the modelled GPU; NVIDIA states 3350 for an H100 SXM")
    private double bandwidth = 3350;

    private List<Long> sizes;
    private long parameters;

    public static void main(String[] args) {
        System.exit(new CommandLine(new TrafficReport()).execute(args));
    }

    @Override
    public void run() {
        sizes = sizes(io.basin.nn.Nets.build(net, Shape.of(3, 32, 32), 10));
        parameters = sizes.stream().mapToLong(Long::longValue).sum();
        System.out.printf(
                Locale.ROOT, "# Update of all parameters of %s: %,d in %d tensors%n%n", net, parameters, sizes.size());
        System.out.println("SGD with momentum and weight decay, float32. Model: bytes / " + bandwidth
                + " GB/s, launches and caches left out; no GPU was timed.\n");
        System.out.println("| path | launches, plain | averaging | bytes a parameter, plain | averaging |"
                + " model ms, plain | averaging | from |");
        System.out.println("|---|---|---|---|---|---|---|---|");
        basin();
        for (UpdatePath p : UpdatePath.PEERS) {
            row(p.name(), p.launches(sizes, false), p.launches(sizes, true), p.bytes(false), p.bytes(true), p.source());
        }
        System.out.println("""

                Apex reads the weight a second time (`weight_in[i] +=`), which its caches serve: not counted. PyTorch's
                launches are those with CUDA 12.1 and newer, whose kernels take 32 KiB of arguments.
                """);
        registers();
    }

    private void row(String path, long plain, long averaging, double bytes, double more, String from) {
        System.out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %.2f | %.2f | %.3f | %.3f | %s |%n",
                path,
                plain,
                averaging,
                bytes,
                more,
                milliseconds(bytes),
                milliseconds(more),
                from);
    }

    private double milliseconds(double bytes) {
        return bytes * parameters / bandwidth / 1e6;
    }

    private void basin() {
        Gpu.run("bytes of Basin's update", gpu -> {
            Traffic plain = Traffic.ofStep(gpu, COUNTED, BLOCKS, false);
            Traffic averaging = Traffic.ofStep(gpu, COUNTED, BLOCKS, true);
            if (plain == null || averaging == null) return;
            row(
                    "Basin step",
                    plain.launches(),
                    averaging.launches(),
                    perParameter(plain),
                    perParameter(averaging),
                    String.format(
                            Locale.ROOT,
                            "kernels/step.cu, counted over %,d parameters; %.2f %% of it in 128-bit accesses",
                            COUNTED,
                            100 * plain.wideShare()));
        });
    }

    private static double perParameter(Traffic t) {
        return (double) (t.loaded() + t.stored()) / COUNTED;
    }

    private static void registers() {
        Optional<Path> nvcc = Ptxas.compiler();
        if (nvcc.isEmpty()) {
            System.out.println("NOT COVERED: registers and spills: no nvcc on PATH");
            return;
        }
        System.out.println("Registers a thread, by ptxas; * where it spills:\n");
        StringBuilder head = new StringBuilder("| kernel |");
        StringBuilder rule = new StringBuilder("|---|");
        for (int a : Ptxas.ARCHITECTURES) {
            head.append(" sm_").append(a).append(" |");
            rule.append("---|");
        }
        System.out.println(head + "\n" + rule);
        try {
            List<Ptxas.Usage> all = Ptxas.compile(nvcc.get());
            for (Path source : Ptxas.sources()) {
                for (String kernel : Ptxas.kernels(source)) System.out.println(line(kernel, all));
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String line(String kernel, List<Ptxas.Usage> all) {
        StringBuilder line = new StringBuilder("| " + kernel + " |");
        for (int a : Ptxas.ARCHITECTURES) {
            for (Ptxas.Usage u : all) {
                if (!u.kernel().equals(kernel) || u.architecture() != a) continue;
                line.append(" ")
                        .append(u.registers())
                        .append(u.spills() > 0 ? "*" : "")
                        .append(" |");
            }
        }
        return line.toString();
    }

    /** Floats of every weight, bias, scale and shift, in the net's order. */
    static List<Long> sizes(Graph graph) {
        List<Long> sizes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            node.layer()
                    .parameters(node.inputs().get(0).shape())
                    .forEach(p -> sizes.add(p.shape().elements()));
        }
        return sizes;
    }
}
