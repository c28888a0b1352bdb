package io.basin.ensemble;

import io.basin.device.Shape;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.TensorEntry;
import io.basin.io.Tensors;
import io.basin.nn.Nets;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The mean of weights files, tensor by tensor, summed in float64 and rounded once.
 *
 * <p>Weights are matched by name, never by position: two files may list them in another order. Other tensors, such as PyTorch's
 * {@code num_batches_tracked}, are left out. It keeps a running sum, so that a greedy soup tries one more file at the price of one.
 */
public final class FileMean {
    private final Map<String, Sum> sums;
    private final Path first;
    private final int count;
    /** The divisor of the sums. */
    private final double total;

    /** Of weights, beyond which a mean is none of the nets'. */
    private static final double MOST = 1e6;
    /** The sum of weights, of the sum of their sizes, below which they cancel. */
    private static final double CANCELLED = 1e-3;

    private record Sum(List<Long> shape, double[] values) {}

    private FileMean(Map<String, Sum> sums, Path first, int count, double total) {
        this.sums = sums;
        this.first = first;
        this.count = count;
        this.total = total;
    }

    /** The mean of {@code files}, all of which count alike. */
    public static FileMean of(List<Path> files) {
        double[] ones = new double[files.size()];
        Arrays.fill(ones, 1);
        return of(files, ones);
    }

    /** The weighted mean: the sum of each file's tensors times its weight, over the sum of the weights, which may be negative. */
    public static FileMean of(List<Path> files, double... weights) {
        requireNumbers(weights);
        double total = Arrays.stream(weights).sum();
        if (Math.abs(total) < CANCELLED * Arrays.stream(weights).map(Math::abs).sum()) {
            throw new IllegalArgumentException(
                    "`weights` sum to " + total + ", which is next to nothing beside them, and a"
                            + " mean is divided by that: name others, or take them as they are with `unnormalised`");
        }
        return summed(files, weights);
    }

    /** The sum of each file's tensors times its weight, not divided by the sum of the weights. */
    public static FileMean sum(List<Path> files, double... weights) {
        requireNumbers(weights);
        FileMean sum = summed(files, weights);
        return new FileMean(sum.sums, sum.first, sum.count, 1);
    }

    private static void requireNumbers(double... weights) {
        for (double weight : weights) {
            if (Math.abs(weight) <= MOST) continue;
            throw new IllegalArgumentException(
                    "`weights` are numbers from -" + MOST + " to " + MOST + ", got " + weight);
        }
        if (weights.length > 0 && Arrays.stream(weights).allMatch(w -> w == 0)) {
            throw new IllegalArgumentException("`weights` are all 0, so the net would be, too: name others");
        }
    }

    private static FileMean summed(List<Path> files, double... weights) {
        if (files.isEmpty()) throw new IllegalArgumentException("no files to average");
        if (weights.length != files.size()) {
            throw new IllegalArgumentException("`weights` has " + weights.length + " numbers for " + files.size()
                    + " files: name one for each, in their order");
        }
        FileMean mean = new FileMean(new LinkedHashMap<>(), files.get(0), 0, 0);
        for (int i = 0; i < weights.length; i++) mean = mean.and(files.get(i), weights[i]);
        return mean;
    }

    /** The mean of these files and one more; this one stays as it is. */
    public FileMean and(Path file) {
        return and(file, 1);
    }

    private FileMean and(Path file, double weight) {
        Map<String, Sum> next = new LinkedHashMap<>();
        try (Safetensors in = Safetensors.open(file)) {
            List<TensorEntry> weights =
                    in.tensors().values().stream().filter(Tensors::isWeight).toList();
            if (count > 0) requireSameTensors(file, in, weights);
            List<String> names = weights.stream().map(TensorEntry::name).toList();
            for (String name : count > 0 ? sums.keySet() : names) {
                float[] values = Tensors.weights(file, in, name);
                double[] sum = count > 0 ? sum(name).clone() : new double[values.length];
                for (int i = 0; i < sum.length; i++) sum[i] += weight * values[i];
                next.put(name, new Sum(in.tensor(name).shape(), sum));
            }
        }
        return new FileMean(next, first, count + 1, total + weight);
    }

    private void requireSameTensors(Path file, Safetensors in, List<TensorEntry> weights) {
        for (String name : sums.keySet()) {
            TensorEntry entry = in.tensors().get(name);
            if (entry == null || !Tensors.isWeight(entry)) {
                throw new FormatException(file.toString(), "has no tensor '" + name + "', which " + first + " has");
            }
        }
        for (TensorEntry entry : weights) {
            Sum sum = sums.get(entry.name());
            if (sum != null && sum.shape.equals(entry.shape())) continue;
            throw new FormatException(
                    file.toString(),
                    sum == null
                            ? "has the tensor " + entry.quoted() + ", which " + first + " lacks"
                            : "tensor " + entry.quoted() + " has shape " + entry.shape() + ", in " + first + " it has "
                                    + sum.shape);
        }
    }

    /** Checks that no weight of the net was left out for its type. */
    public FileMean requireWeights(String net) {
        List<String> names;
        try {
            // Names do not depend on sizes.
            names = Nets.build(net, Shape.of(3, 32, 32), 10).tensorNames();
        } catch (IllegalArgumentException unknown) {
            return this;
        }
        try (Safetensors in = Safetensors.open(first)) {
            for (String name : names) {
                TensorEntry entry = in.tensors().get(name);
                if (entry == null || Tensors.isWeight(entry)) continue;
                throw new FormatException(
                        first.toString(),
                        "tensor " + entry.quoted() + " is " + entry.dtype() + "; only F32 weights are averaged");
            }
        }
        return this;
    }

    /** Has a model of the files' net take up the mean, rounded to float32. */
    public void into(Model model) {
        model.device().guard().run(() -> {
            try (Safetensors in = Safetensors.open(first)) {
                Tensors.requireNoOthers(first, in, Checkpoint.names(model.store()));
            }
            model.store().parameters().forEach(p -> model.write(p.name(), rounded(p.name(), p.shape())));
            model.store().states().forEach(s -> model.write(s.name(), rounded(s.name(), s.shape())));
        });
    }

    /** Files averaged. */
    public int count() {
        return count;
    }

    private double[] sum(String name) {
        return Objects.requireNonNull(sums.get(name), name).values;
    }

    /** The mean of one tensor, flattened in C order. */
    public double[] mean(String name) {
        return Arrays.stream(sum(name)).map(v -> v / total).toArray();
    }

    /** The mean of the tensor {@code name}, which must have that shape, rounded to float32. */
    private float[] rounded(String name, Shape shape) {
        Sum sum = sums.get(name);
        if (sum != null
                && sum.shape.equals(
                        shape.dims().stream().map(Integer::longValue).toList())) return rounded(name);
        throw new FormatException(
                first.toString(),
                sum == null
                        ? "has no tensor '" + name + "'; is it a file of another net?"
                        : "tensor '" + name + "' has shape " + sum.shape + ", the net needs " + shape);
    }

    private float[] rounded(String name) {
        double[] sum = sum(name);
        float[] values = new float[sum.length];
        for (int i = 0; i < values.length; i++) values[i] = (float) (sum[i] / total);
        return values;
    }

    /** Whether the net has statistics that its weights' mean does not share. */
    public boolean hasStatistics() {
        return sums.keySet().stream().anyMatch(FileMean::isVariance);
    }

    private static boolean isVariance(String name) {
        return name.endsWith("running_var");
    }

    /** Writes the mean as a weights file, rounded to float32. */
    public void write(Path file, Map<String, String> header) {
        boolean measured = sums.entrySet().stream()
                .filter(e -> isVariance(e.getKey()))
                .anyMatch(e -> Arrays.stream(e.getValue().values).anyMatch(v -> v != 0));
        if (hasStatistics() && !measured) {
            throw new FormatException(
                    first.toString(),
                    "its batch-norm statistics were never measured, running_var is 0: average without `keepStatistics`");
        }
        var writer = Safetensors.writer().metadata(header);
        sums.forEach((name, sum) ->
                writer.add(name, sum.shape.stream().mapToLong(Long::longValue).toArray(), rounded(name)));
        writer.write(file);
    }
}
