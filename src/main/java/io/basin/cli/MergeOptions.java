package io.basin.cli;

import io.basin.data.Progress;
import io.basin.ensemble.FileMean;
import io.basin.ensemble.Mergeability;
import io.basin.ensemble.ModelFile;
import io.basin.io.Notices;
import io.basin.landscape.Net;
import io.basin.text.Format;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.ModelHeader;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags of commands that make one weights file of several, and what they check first. */
final class MergeOptions extends Flags.Data {
    @Option(names = "--out", required = true, description = "the weights file to write")
    Path out;

    @Option(
            names = "--no-bn-update",
            description = "average the files' batch-norm statistics too instead of measuring the mean's own")
    boolean keepStatistics;

    @Mixin
    private Flags.Norms norms;

    @Option(names = "--force", description = "average even what has no useful mean, with a warning")
    boolean force;

    BatchNormUpdate update() {
        return norms.update("auto");
    }

    /** Reads the headers; refuses what has no mean. */
    List<ModelFile> models(List<Path> files) {
        Set<Path> seen = new HashSet<>();
        for (Path file : files) {
            if (seen.add(file.toAbsolutePath().normalize())) continue;
            throw new IllegalArgumentException("FILE: " + file
                    + " is named twice: name each model once; 'basin average --weights' lets one count more");
        }
        if (files.size() < 2) throw new IllegalArgumentException("name at least two weights files, got " + files);
        update();
        Outputs.requireNew("--out", out, ".safetensors");
        List<ModelFile> models = files.stream().map(ModelFile::of).toList();
        Mergeability.requireSameNet(models);
        Optional<String> objection = Mergeability.objection(models).or(() -> Mergeability.partedAtOnce(models));
        if (objection.isPresent() && !force) {
            throw new IllegalArgumentException(
                    objection.get() + ". Combine predictions with 'basin ensemble', or average anyway with --force");
        }
        objection.ifPresent(Notices::once);
        return models;
    }

    /** Makes and writes the mean of all files, which count alike. */
    void mean(List<Path> files, String method) {
        mean(files, method, FileMean::of, false);
    }

    /** The same of a mean made otherwise, of which {@code beyond} says that it does not lie between its files. */
    void mean(List<Path> files, String method, Function<List<Path>, FileMean> make, boolean beyond) {
        List<ModelFile> models = models(files);
        FileMean mean = make.apply(files).requireWeights(models.get(0).origin().model());
        String made = out + ": mean of " + mean.count() + " models";
        boolean unmeasured =
                !keepStatistics && !mean.hasStatistics() && models.stream().allMatch(this::isAway);
        if (unmeasured) {
            Notices.once("the data are not at hand, and without batch norm a mean needs none, so nothing shows whether"
                    + " a barrier lies between these files (--data-dir says where the data are)");
        }
        if (keepStatistics || unmeasured) {
            mean.write(out, header(models, method));
            System.out.println(made);
            return;
        }
        Progress progress = new Bars().progress();
        at(models, progress, (splits, model) -> {
            model.on(splits, Splits.Part.TRAIN);
            mean.into(model);
            model.refresh(splits, update(), method + ": batch-norm statistics", progress);
            String heldOut = splits.holdsOut() ? heldOut(models, model, splits, beyond) : "";
            Checkpoint.saveModel(out, model, model.weights(), header(models, method));
            int samples = splits.trainSet().count();
            System.out.println(made
                    + (mean.hasStatistics() ? ", batch-norm statistics of " + samples + " training samples" : "")
                    + heldOut);
        });
    }

    /** The mean's accuracy on held-out samples beside that of its files. */
    private String heldOut(List<ModelFile> models, Model model, Splits splits, boolean beyond) {
        double accuracy = model.evaluate(splits, Splits.Part.VALIDATION).accuracy();
        String said = Format.of("; held-out accuracy %.2f %%", 100 * accuracy);
        if (beyond) return said;
        try (Model one = models.get(0).open(splits)) {
            one.on(splits, Splits.Part.VALIDATION);
            double[] alone = models.stream()
                    .mapToDouble(m ->
                            m.into(one).evaluate(splits, Splits.Part.VALIDATION).accuracy())
                    .toArray();
            double ends = Arrays.stream(alone).average().orElseThrow();
            int samples = splits.validationSet().count();
            said += Format.of(", of its files %.2f %% on average", 100 * ends);
            if (!Mergeability.barrier(alone, accuracy, samples)) return said;
            String barrier = Format.of(
                    "a barrier lies between these files: on %d held-out samples their mean has an accuracy of %.2f %%, they"
                            + " themselves %.2f %% on average",
                    samples, 100 * accuracy, 100 * ends);
            if (!force) {
                throw new IllegalArgumentException(
                        barrier + ". Combine predictions with 'basin ensemble', or average anyway with --force");
            }
            Notices.once(barrier);
            return said;
        }
    }

    /** Does {@code work} with the models' net on a device, beside their data. */
    void at(List<ModelFile> models, Progress progress, BiConsumer<Splits, Model> work) {
        with(models, data(models, progress), splits -> {
            try (Model model = models.get(0).open(splits)) {
                work.accept(splits, model);
            }
        });
    }

    /** The header of the mean's file. */
    static Map<String, String> header(List<ModelFile> models, String method) {
        ModelCard joint = ModelCard.joint(models.stream().map(ModelFile::origin).toList(), method);
        Map<String, String> header = new LinkedHashMap<>(joint.header());
        List<String> seeds = models.stream()
                .map(m -> new Net("", m.file()).header("seed"))
                .distinct()
                .toList();
        // What an older file does not say another may.
        models.forEach(m -> ModelHeader.of(m.file()).uses().forEach(header::putIfAbsent));
        if (seeds.size() == 1 && !seeds.get(0).isEmpty()) header.put("seed", seeds.get(0));
        header.put("averaged", Integer.toString(models.size()));
        return header;
    }
}
