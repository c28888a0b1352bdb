package io.basin.io;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/** Checks of tensors in weights files, for every reader. */
public final class Tensors {
    /** PyTorch's counter beside batch norm's statistics, which is not used here. */
    private static final String COUNTER = "num_batches_tracked";

    /** Ends the names of batch norm's variances. */
    public static final String VARIANCE = "running_var";

    private Tensors() {}

    /** Whether the tensor may be a net's weight or statistic: ours are F32; counters, masks and half-precision copies are not. */
    public static boolean isWeight(TensorEntry tensor) {
        return tensor.dtype() == Dtype.F32 || tensor.dtype() == Dtype.F64;
    }

    /**
     * Refuses a file that holds weights beside those of the net; other tensors are ignored with a line of warning, PyTorch's
     * counters of batches without.
     *
     * @param names of the net's parameters and statistics
     */
    public static void requireNoOthers(Path file, Safetensors in, Set<String> names) {
        List<TensorEntry> others = in.tensors().values().stream()
                .filter(t -> !names.contains(t.name()) && !t.name().endsWith(COUNTER))
                .toList();
        List<TensorEntry> weights = others.stream().filter(Tensors::isWeight).toList();
        if (!weights.isEmpty()) {
            throw new FormatException(
                    file.toString(),
                    "holds " + list(weights)
                            + ", which the net does not have: it is a file of another net, or a checkpoint"
                            + " of a run; name the weights file of a net");
        }
        if (!others.isEmpty()) Notices.once(file + ": " + list(others) + " ignored: the net has no such tensor");
    }

    private static String list(List<TensorEntry> tensors) {
        String shown = tensors.stream().limit(3).map(TensorEntry::quoted).collect(Collectors.joining(", "));
        return "the tensor" + (tensors.size() == 1 ? " " + shown : "s " + shown)
                + (tensors.size() > 3 ? " and " + (tensors.size() - 3) + " more" : "");
    }

    /** A tensor in C order, in float32. */
    public static float[] weights(Path file, Safetensors in, String name) {
        float[] values = in.floats(name);
        requireSound(file, name, FloatBuffer.wrap(values));
        return values;
    }

    /** @throws FormatException naming file and tensor where {@code values} are not finite, or a negative variance */
    public static void requireSound(Path file, String name, FloatBuffer values) {
        boolean variance = name.endsWith(VARIANCE);
        for (int i = values.position(); i < values.limit(); i++) {
            float v = values.get(i);
            if (!Float.isFinite(v)) {
                throw new FormatException(
                        file.toString(), "tensor '" + name + "' is not finite: its run diverged; name another file");
            }
            if (v < 0 && variance) {
                throw new FormatException(
                        file.toString(),
                        "tensor '" + name + "' holds a negative variance, " + v + "; name another file");
            }
        }
    }

    /**
     * @throws FormatException naming the file where batch norm's statistics were never measured: no batch has variance 0 in
     *     every channel
     */
    public static void requireMeasured(Path file, Safetensors in) {
        List<String> variances = in.tensors().keySet().stream()
                .filter(name -> name.endsWith(VARIANCE))
                .toList();
        for (String name : variances) {
            for (float v : in.floats(name)) if (v != 0) return;
        }
        if (variances.isEmpty()) return;
        throw new FormatException(
                file.toString(),
                "its batch-norm statistics were never measured, running_var is 0 everywhere, so its predictions"
                        + " mean nothing: name another file, or have its run write it anew");
    }

    /**
     * How far the tensors in {@code file} lie from their mean over {@code members}, summed in float64: the largest difference as a
     * share of the largest weight of its tensor.
     *
     * @param shares of the mean, of each member
     */
    public static double fromMean(Path file, List<Path> members, double[] shares, List<String> names) {
        Map<String, double[]> means = new HashMap<>();
        for (int m = 0; m < shares.length; m++) {
            double share = shares[m];
            each(members.get(m), names, (name, values) -> {
                double[] mean = means.computeIfAbsent(name, n -> new double[values.length]);
                for (int i = 0; i < mean.length; i++) mean[i] += share * values[i];
            });
        }
        double[] worst = new double[1];
        each(file, names, (name, values) -> {
            double[] mean = Objects.requireNonNull(means.get(name));
            double scale = Arrays.stream(mean).map(Math::abs).max().orElse(0);
            for (int i = 0; i < mean.length; i++) {
                double d = Math.abs(values[i] - mean[i]);
                if (d > 0) worst[0] = Math.max(worst[0], d / scale);
            }
        });
        return worst[0];
    }

    private static void each(Path file, List<String> names, BiConsumer<String, float[]> tensor) {
        try (Safetensors in = Safetensors.open(file)) {
            for (String name : names) tensor.accept(name, in.floats(name));
        }
    }
}
