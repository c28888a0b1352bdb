package io.basin.train;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Augmentation;
import io.basin.device.Distortion;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.text.Printable;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The origin of a weights file, as its header says it: it decides whether the weights may be averaged with others', and how
 * samples must be read.
 *
 * <p>Nets from different initialisations, or on both sides of a restart of the rate, lie in different basins: their mean is not
 * a useful net. A file does not show that, so the header must say it.
 *
 * @param model name of the net
 * @param dataset name of the data; empty of a net that was imported without any, and of means of such nets
 * @param init identity of the first weights: the seed that drew them; empty where the file does not say
 * @param restarts restarts of the rate to a high value before this model, as between snapshots
 * @param mean and std per channel by which samples were normalised; empty where the file does not say
 * @param validation samples held out of the training set, 0 where the file does not say
 * @param trainSamples training samples used, 0 for all
 * @param labelNoise share of them that was given wrong labels
 * @param data fingerprint of the data set's content; empty where the file does not say
 * @param distortion what else training changed in samples
 */
@Api
public record ModelCard(
        String model,
        String dataset,
        String method,
        String init,
        int restarts,
        float[] mean,
        float[] std,
        int validation,
        int trainSamples,
        double labelNoise,
        int batch,
        int pad,
        boolean flip,
        String data,
        Distortion distortion) {
    /** Key of a file's header: the fingerprint of the data. */
    public static final String DATA = "data";

    /** The method of a net that another program trained. */
    public static final String IMPORT = "import";

    private static final int USUAL_BATCH = 128;

    /** Of a model without a description. */
    public static final ModelCard NONE =
            new ModelCard("", "", "", "", 0, new float[0], new float[0], 0, 0, 0, USUAL_BATCH, 0, false, "");

    /** Of samples that were cropped and flipped alone. */
    public ModelCard(
            String model,
            String dataset,
            String method,
            String init,
            int restarts,
            float[] mean,
            float[] std,
            int validation,
            int trainSamples,
            double labelNoise,
            int batch,
            int pad,
            boolean flip,
            String data) {
        this(
                model,
                dataset,
                method,
                init,
                restarts,
                mean,
                std,
                validation,
                trainSamples,
                labelNoise,
                batch,
                pad,
                flip,
                data,
                Distortion.NONE);
    }

    /**
     * From a file's header.
     *
     * @throws FormatException if it does not name its net, or neither its data set nor how it normalises samples, or a number
     *     is damaged
     */
    public static ModelCard of(String file, Map<String, String> header) {
        if (!isDescribed(header)) {
            throw new FormatException(
                    file,
                    "does not say which net it is; name a file that 'train' or 'compare' wrote, or bring another"
                            + " program's weights in with 'basin import'");
        }
        Augmentation reading = reading(file, header);
        return new ModelCard(
                Printable.of(header.getOrDefault("model", "")),
                // Unchanged: it may be the path of the user's own data. Messages show it printable.
                header.getOrDefault("dataset", ""),
                Printable.of(header.getOrDefault("method", "")),
                header.getOrDefault("init", ""),
                count(file, header, "restarts", 0),
                reading == null ? new float[0] : reading.mean(),
                reading == null ? new float[0] : reading.std(),
                count(file, header, "validation", 0),
                count(file, header, "train_samples", 0),
                share(file, header.getOrDefault("label_noise", "0")),
                Math.max(1, count(file, header, "batch", USUAL_BATCH)),
                count(file, header, "pad", 0),
                Boolean.parseBoolean(header.getOrDefault("flip", "false")),
                header.getOrDefault(DATA, ""),
                distortion(file, header));
    }

    /** Whether a header says what {@link #of} must know. */
    static boolean isDescribed(Map<String, String> header) {
        return header.containsKey("model") && (header.containsKey("dataset") || header.containsKey("mean"));
    }

    private static Distortion distortion(String file, Map<String, String> header) {
        int cutout = count(file, header, "cutout", 0);
        try {
            double jitter = Double.parseDouble(Require.decimal(header.getOrDefault("jitter", "0")));
            String mixup = header.getOrDefault("mixup", "0");
            return new Distortion(jitter, cutout, Double.parseDouble(Require.decimal(mixup)));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file, "its augmentation is damaged: " + e.getMessage(), e);
        }
    }

    private static int count(String file, Map<String, String> header, String key, int otherwise) {
        String text = header.getOrDefault(key, Integer.toString(otherwise));
        try {
            // parseInt also takes digits of other scripts.
            if (text.matches("[0-9]+")) return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            // As below: to a reader both are the same fault.
        }
        throw damaged(file, key, text, "a count");
    }

    private static double share(String file, String text) {
        try {
            double value = Double.parseDouble(Require.decimal(text));
            if (value >= 0 && value < 1) return value;
        } catch (NumberFormatException e) {
            // As below.
        }
        throw damaged(file, "label_noise", text, "a share");
    }

    private static FormatException damaged(String file, String key, String text, String kind) {
        return new FormatException(
                file,
                "its header's '" + key + "' is '" + Printable.of(text) + "', not " + kind
                        + ": it is damaged, name another file");
    }

    /** How a file with this header normalises samples; null where it does not say. */
    static @Nullable Augmentation reading(String file, Map<String, String> header) {
        float[] mean = Json.floats(header.getOrDefault("mean", "[]"), file + ": mean");
        float[] std = Json.floats(header.getOrDefault("std", "[]"), file + ": std");
        if (mean.length == 0 && std.length == 0) return null;
        try {
            return new Augmentation(0, false, mean, std);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file, "its normalisation is damaged: " + e.getMessage(), e);
        }
    }

    /**
     * Of one model made of several by {@code method}, as their mean is. It claims only what holds for all of them: samples
     * that one may have been trained on are not held out.
     */
    public static ModelCard joint(List<ModelCard> parts, String method) {
        ModelCard first = parts.get(0);
        int[] used = parts.stream().mapToInt(ModelCard::trainSamples).distinct().toArray();
        return new ModelCard(
                first.model,
                first.dataset,
                method,
                parts.stream().map(ModelCard::init).distinct().sorted().collect(Collectors.joining("+")),
                parts.stream().mapToInt(ModelCard::restarts).max().orElse(0),
                first.mean,
                first.std,
                parts.stream().mapToInt(ModelCard::validation).min().orElse(0),
                used.length == 1 ? used[0] : 0,
                first.labelNoise,
                first.batch,
                first.pad,
                first.flip,
                parts.stream().allMatch(p -> p.data.equals(first.data)) ? first.data : "",
                first.distortion);
    }

    /** The same of a net that reads its samples so. */
    public ModelCard reading(Augmentation normalisation) {
        return new ModelCard(
                model,
                dataset,
                method,
                init,
                restarts,
                normalisation.mean(),
                normalisation.std(),
                validation,
                trainSamples,
                labelNoise,
                batch,
                pad,
                flip,
                data,
                distortion);
    }

    /** How samples were read in training; the file must say it. */
    public Augmentation augmentation() {
        return new Augmentation(pad, flip, distortion, mean, std);
    }

    /** As a header's entries, without unknown ones. */
    public Map<String, String> header() {
        Map<String, String> header = new LinkedHashMap<>();
        if (!model.isEmpty()) header.put("model", model);
        if (!dataset.isEmpty()) header.put("dataset", dataset);
        if (!method.isEmpty()) header.put("method", method);
        if (!init.isEmpty()) header.put("init", init);
        header.put("restarts", Integer.toString(restarts));
        if (mean.length > 0) header.put("mean", Json.line(mean));
        if (std.length > 0) header.put("std", Json.line(std));
        if (validation > 0) header.put("validation", Integer.toString(validation));
        header.put("train_samples", Integer.toString(trainSamples));
        if (labelNoise > 0) header.put("label_noise", Double.toString(labelNoise));
        header.put("batch", Integer.toString(batch));
        header.put("pad", Integer.toString(pad));
        header.put("flip", Boolean.toString(flip));
        if (distortion.jitter() > 0) header.put("jitter", Double.toString(distortion.jitter()));
        if (distortion.cutout() > 0) header.put("cutout", Integer.toString(distortion.cutout()));
        if (distortion.mixup() > 0) header.put("mixup", Double.toString(distortion.mixup()));
        if (!data.isEmpty()) header.put(DATA, data);
        return header;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ModelCard that && header().equals(that.header());
    }

    @Override
    public int hashCode() {
        return header().hashCode();
    }

    @Override
    public String toString() {
        return header().entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue())
                .collect(Collectors.joining(", "));
    }

    /** Whether samples are normalised alike. */
    public boolean sameInput(ModelCard other) {
        return Arrays.equals(mean, other.mean) && Arrays.equals(std, other.std);
    }
}
