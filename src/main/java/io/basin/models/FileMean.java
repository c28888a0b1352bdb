package io.basin.models;

import io.basin.device.Shape;
import io.basin.io.Dtype;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.TensorEntry;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The mean of weights files, tensor by tensor, summed in float64 and rounded once.
 *
 * <p>Tensors are matched by name, never by position: two files may list them in another order. A running sum, so that a greedy
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
     * @throws FormatException if two differ in the names, shapes or types of their tensors, naming file and tensor
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
            if (count > 0) requireSameTensors(file, in);
            for (String name : count > 0 ? sums.keySet() : in.tensors().keySet()) {
                float[] values = floats(file, in, name, in.tensor(name));
                double[] sum = count > 0 ? sums.get(name).clone() : new double[values.length];
                for (int i = 0; i < sum.length; i++) sum[i] += values[i];
                next.put(name, sum);
                nextShapes.put(name, in.tensor(name).shape());
            }
        }
        return new FileMean(next, nextShapes, first, count + 1);
    }

    private static float[] floats(Path file, Safetensors in, String name, TensorEntry entry) {
        if (entry.dtype() != Dtype.F32) {
            throw new FormatException(
                    file.toString(), "tensor '" + name + "' is " + entry.dtype() + "; only F32 weights are averaged");
        }
        return in.floats(name);
    }

    private void requireSameTensors(Path file, Safetensors in) {
        for (String name : sums.keySet()) {
            if (!in.tensors().containsKey(name)) {
                throw new FormatException(file.toString(), "has no tensor '" + name + "', which " + first + " has");
            }
        }
        for (Map.Entry<String, TensorEntry> entry : in.tensors().entrySet()) {
            List<Long> shape = shapes.get(entry.getKey());
            if (shape == null) {
                throw new FormatException(
                        file.toString(), "has the tensor '" + entry.getKey() + "', which " + first + " lacks");
            }
            if (!shape.equals(entry.getValue().shape())) {
                throw new FormatException(
                        file.toString(),
                        "tensor '" + entry.getKey() + "' has shape "
                                + entry.getValue().shape() + ", in " + first + " it has " + shape);
            }
        }
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
        return sums.keySet().stream().anyMatch(name -> name.endsWith("running_var"));
    }

    /** Writes the mean as a weights file, rounded to float32. */
    public void write(Path file, Map<String, String> header) {
        var writer = Safetensors.writer().metadata(header);
        for (String name : sums.keySet()) {
            long[] shape = shapes.get(name).stream().mapToLong(Long::longValue).toArray();
            writer.add(name, shape, rounded(name));
        }
        writer.write(file);
    }
}
