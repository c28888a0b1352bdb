package io.basin.cli;

import io.basin.device.Device;
import io.basin.ensemble.Mergeability;
import io.basin.ensemble.ModelFile;
import io.basin.train.BatchNormUpdate;
import io.basin.train.ModelCard;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags of commands that make one weights file of several, and what they check first. */
final class MergeOptions {
    @Option(names = "--out", required = true, description = "the weights file to write")
    Path out;

    @Option(names = "--data-dir", description = "where the data set's files are")
    Path dataDir;

    @Mixin
    private DeviceOptions on;

    @Option(
            names = "--no-bn-update",
            description = "average the files' batch-norm statistics too instead of measuring the mean's own")
    boolean keepStatistics;

    @Option(
            names = "--bn-update",
            defaultValue = "auto",
            description = "exact, single, or auto: exact up to 24 batch norms")
    String refresh;

    @Option(names = "--bn-plain", description = "measure batch-norm statistics without augmentation")
    boolean plainRefresh;

    @Option(names = "--force", description = "average even what has no useful mean, with a warning")
    boolean force;

    BatchNormUpdate update() {
        return new BatchNormUpdate(refresh, plainRefresh);
    }

    Device open() {
        return on.open();
    }

    /** Reads the headers; refuses what has no mean. */
    List<ModelFile> models(List<Path> files) {
        if (files.size() < 2) throw new IllegalArgumentException("name at least two weights files, got " + files);
        update();
        Outputs.requireNew("--out", out);
        List<ModelFile> models = files.stream().map(ModelFile::of).toList();
        Mergeability.requireSameNet(models);
        Optional<String> objection = Mergeability.objection(models);
        if (objection.isPresent() && !force) {
            throw new IllegalArgumentException(
                    objection.get() + ". Combine predictions with 'basin ensemble', or average anyway with --force");
        }
        objection.ifPresent(why -> System.err.println("basin: warning: " + why));
        return models;
    }

    /** What the mean's file says of itself. */
    static Map<String, String> header(List<ModelFile> models, String method) {
        ModelCard joint = ModelCard.joint(models.stream().map(ModelFile::origin).toList(), method);
        Map<String, String> header = new LinkedHashMap<>(joint.header());
        List<String> seeds = models.stream()
                .map(m -> LandscapeOptions.seed(m.file()))
                .distinct()
                .toList();
        if (seeds.size() == 1 && !seeds.get(0).isEmpty()) header.put("seed", seeds.get(0));
        header.put("averaged", Integer.toString(models.size()));
        return header;
    }
}
