package io.basin.models;

import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.graph.Node;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.TensorEntry;
import io.basin.nn.Nets;
import io.basin.train.Tensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The mean of weights files, tensor by tensor, summed in float64 and rounded once.
 *
 * <p>Weights are matched by name, never by position: two files may list them in another order. What is no weight, such as
 * PyTorch's {@code num_batches_tracked}, is left out. A running sum, so that a greedy
 * soup tries one file more at the price of one file.
 */
public final class FileMean {
    private final Map<String, double[]> sums;
    private final Map<String, List<Long>> shapes;
    private final Path first;
    private final int count;

    private FileMean(Map<String, double[]> sums, Map<String, List<Long>> shapes, Path first, int count) {
        this.sums = sums;
        this.shapes = shapes;
        this.first = first;
        this.count = count;
    }

    /**
     * The mean of {@code files}, all of which count alike.
     *
     * @throws IllegalArgumentException if there is none
     * @throws FormatException if two differ in the names, shapes or types of their weights, or one holds a weight that is not
     *     finite, naming file and tensor
     */
    public static FileMean of(List<Path> files) {
        if (files.isEmpty()) throw new IllegalArgumentException("no files to average");
        FileMean mean = new FileMean(new LinkedHashMap<>(), new LinkedHashMap<>(), files.get(0), 0);
        for (Path file : files) mean = mean.and(file);
        return mean;
    }

    /** The mean of these files and one more; this one stays as it is. */
    public FileMean and(Path file) {
        Map<String, double[]> next = new LinkedHashMap<>();
        Map<String, List<Long>> nextShapes = new LinkedHashMap<>();
        try (Safetensors in = Safetensors.open(file)) {
            List<TensorEntry> weights =
                    in.tensors().values().stream().filter(Tensors::isWeight).toList();
            if (count > 0) requireSameTensors(file, in, weights);
            List<String> names = count > 0
                    ? List.copyOf(sums.keySet())
                    : weights.stream().map(TensorEntry::name).toList();
            for (String name : names) {
                float[] values = Tensors.weights(file, in, name);
                double[] sum = count > 0 ? sums.get(name).clone() : new double[values.length];
                for (int i = 0; i < sum.length; i++) sum[i] += values[i];
                next.put(name, sum);
                nextShapes.put(name, in.tensor(name).shape());
            }
        }
        return new FileMean(next, nextShapes, first, count + 1);
    }

    private void requireSameTensors(Path file, Safetensors in, List<TensorEntry> weights) {
        for (String name : sums.keySet()) {
            TensorEntry entry = in.tensors().get(name);
            if (entry == null || !Tensors.isWeight(entry)) {
                throw new FormatException(file.toString(), "has no tensor '" + name + "', which " + first + " has");
            }
        }
        for (TensorEntry entry : weights) {
            List<Long> shape = shapes.get(entry.name());
            if (shape == null) {
                throw new FormatException(
                        file.toString(), "has the tensor " + entry.quoted() + ", which " + first + " lacks");
            }
            if (!shape.equals(entry.shape())) {
                throw new FormatException(
                        file.toString(),
                        "tensor " + entry.quoted() + " has shape " + entry.shape() + ", in " + first + " it has "
                                + shape);
            }
        }
    }

    /**
     * Checks that no weight of the net was left out for its type.
     *
     * @throws FormatException naming the first file and the tensor
     */
    public FileMean requireWeights(String net) {
        if (!Nets.NAMES.contains(net)) return this;
        try (Safetensors in = Safetensors.open(first)) {
            // Names do not depend on sizes.
            for (Node n : Nets.build(net, Shape.of(3, 32, 32), 10).nodes()) {
                for (String part : parts(n.spec())) {
                    TensorEntry entry = in.tensors().get(n.path() + "." + part);
                    if (entry == null || Tensors.isWeight(entry)) continue;
                    throw new FormatException(
                            first.toString(),
                            "tensor " + entry.quoted() + " is " + entry.dtype() + "; only F32 weights are averaged");
                }
            }
        }
        return this;
    }

    /** Refuses weights that the net, whose tensors have these {@code names}, has not. */
    void requireNoOthers(Set<String> names) {
        try (Safetensors in = Safetensors.open(first)) {
            Tensors.requireNoOthers(first, in, names);
        }
    }

    private static List<String> parts(Spec spec) {
        if (spec instanceof Spec.Norm) return List.of("weight", "bias", "running_mean", "running_var");
        boolean bias = spec instanceof Spec.Conv c && c.bias() || spec instanceof Spec.Dense d && d.bias();
        if (bias) return List.of("weight", "bias");
        return spec instanceof Spec.Conv || spec instanceof Spec.Dense ? List.of("weight") : List.of();
    }

    /** Files averaged. */
    public int count() {
        return count;
    }

    /** Names of the tensors, in the first file's order. */
    public List<String> names() {
        return List.copyOf(sums.keySet());
    }

    /** The mean of one tensor, flattened in C order. */
    public double[] mean(String name) {
        double[] mean = sums.get(name).clone();
        for (int i = 0; i < mean.length; i++) mean[i] /= count;
        return mean;
    }

    /** The mean of the tensor {@code name}, which must have that shape, rounded to float32. */
    float[] rounded(String name, Shape shape) {
        List<Long> found = shapes.get(name);
        if (found == null
                || !found.equals(shape.dims().stream().map(Integer::longValue).toList())) {
            throw new FormatException(
                    first.toString(),
                    found == null
                            ? "has no tensor '" + name + "'; is it a file of another net?"
                            : "tensor '" + name + "' has shape " + found + ", the net needs " + shape);
        }
        return rounded(name);
    }

    private float[] rounded(String name) {
        double[] mean = mean(name);
        float[] values = new float[mean.length];
        for (int i = 0; i < values.length; i++) values[i] = (float) mean[i];
        return values;
    }

    /** Whether the net has statistics that its weights' mean does not share. */
    public boolean hasStatistics() {
        return sums.keySet().stream().anyMatch(FileMean::isVariance);
    }

    private static boolean isVariance(String name) {
        return name.endsWith("running_var");
    }

    private boolean isZero(String name) {
        return Arrays.stream(sums.get(name)).allMatch(v -> v == 0);
    }

    /**
     * Writes the mean as a weights file, rounded to float32.
     *
     * @throws FormatException where the files' batch-norm statistics were never measured
     */
    public void write(Path file, Map<String, String> header) {
        if (hasStatistics()
                && sums.keySet().stream().filter(FileMean::isVariance).allMatch(this::isZero)) {
            throw new FormatException(
                    first.toString(),
                    "its batch-norm statistics were never measured, running_var is 0: average without --no-bn-update");
        }
        var writer = Safetensors.writer().metadata(header);
        for (String name : sums.keySet()) {
            long[] shape = shapes.get(name).stream().mapToLong(Long::longValue).toArray();
            writer.add(name, shape, rounded(name));
        }
        writer.write(file);
    }
}
