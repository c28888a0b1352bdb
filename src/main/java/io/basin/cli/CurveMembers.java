package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.data.Progress;
import io.basin.ensemble.FileMean;
import io.basin.ensemble.ModelFile;
import io.basin.io.Folders;
import io.basin.io.Json;
import io.basin.landscape.Connection;
import io.basin.landscape.Curve;
import io.basin.landscape.Net;
import io.basin.landscape.Surface;
import io.basin.text.Format;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Nets at equal distances of t along the curves of a 'connect' run, as members of an ensemble (Garipov et al. 2018, section 5):
 * control points combined in float64, batch-norm statistics measured anew on the training part.
 *
 * @param ends the nets that the curves join, in order
 * @param legs control points of each curve, ends included
 */
record CurveMembers(Curve curve, List<ModelFile> ends, List<List<Path>> legs) {
    /** @throws IllegalArgumentException where the folder holds no finished run of 'connect', or a net that it joins is gone */
    static CurveMembers of(Path run) {
        Path config = run.resolve(Configuration.FILE);
        if (!Files.exists(config)) {
            throw new IllegalArgumentException("--curve: " + run + " holds no " + Configuration.FILE
                    + ": name the folder of a 'basin connect' run");
        }
        JsonNode said = Json.unseal(config);
        int bends = said.path("bends").asInt();
        Curve curve = Arrays.stream(Curve.values())
                .filter(c -> c.name().equals(said.path("curve").asText()))
                .findFirst()
                .orElse(null);
        if (curve == null || bends < 1 || said.path("files").size() < 2) {
            throw new IllegalArgumentException("--curve: " + config + " is not of a 'basin connect' run");
        }
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < said.path("files").size(); i++) {
            files.add(end(
                    run,
                    said.path("files").path(i).asText(),
                    said.path("nets").path(i).asText()));
        }
        List<List<Path>> legs = new ArrayList<>();
        for (int leg = 0; leg + 1 < files.size(); leg++) {
            Path place = files.size() == 2 ? run : run.resolve("leg-" + (leg + 1));
            boolean free = said.path("free-ends").asBoolean();
            List<Path> points = new ArrayList<>();
            int last = bends + 1;
            for (int j = 0; j <= last; j++) {
                boolean end = !free && (j == 0 || j == last);
                points.add(end ? files.get(leg + (j == 0 ? 0 : 1)) : bend(place.resolve("bend-" + j + ".safetensors")));
            }
            Connection.requireOfOne(
                    points.stream().filter(p -> !files.contains(p)).toList(), files.get(leg), files.get(leg + 1));
            legs.add(points);
        }
        return new CurveMembers(curve, files.stream().map(ModelFile::of).toList(), legs);
    }

    private static Path bend(Path file) {
        if (Files.exists(file)) return file;
        throw new IllegalArgumentException(
                "--curve: " + file + " is missing: let 'basin connect' go on to its end with --resume");
    }

    private static Path end(Path run, String name, String fingerprint) {
        Path file = Path.of(name);
        if (!Files.exists(file)) {
            throw new IllegalArgumentException("--curve: " + file + ", which the curve in " + run
                    + " joins, is not there: run the command in the folder in which 'basin connect' was run");
        }
        if (new Net("", file).fingerprint().equals(fingerprint)) return file;
        throw new IllegalArgumentException(
                "--curve: " + file + " is not the net any more that the curve in " + run + " joins");
    }

    /** Them as a picture of a plane draws them. */
    List<Surface.Joined> curves() {
        return legs.stream()
                .map(leg -> new Surface.Joined(
                        curve, leg.stream().map(f -> new Net("", f)).toList()))
                .toList();
    }

    /** Writes {@code count} of them into {@code folder}, from the first end to the last. */
    List<ModelFile> write(Path folder, int count, Splits splits, Progress progress) {
        ModelFile first = ends.get(0);
        List<ModelFile> members = new ArrayList<>();
        try (Model model = first.open(splits)) {
            model.on(splits, Splits.Part.TRAIN);
            for (double t : count == 1 ? new double[] {0.5} : Curve.even(count)) {
                double place = t * legs.size();
                int leg = Math.min((int) place, legs.size() - 1);
                List<Path> points = legs.get(leg);
                FileMean.sum(points, curve.coefficients(place - leg, points.size()))
                        .into(model);
                String name = Format.of("t-%.4f", place);
                model.refresh(splits, BatchNormUpdate.AUTO, name + ": batch-norm statistics", progress);
                Path file = folder.resolve(name + ".safetensors");
                Map<String, String> header = MergeOptions.header(ends, "curve");
                Checkpoint.saveModel(file, model, model.weights(), header);
                members.add(ModelFile.of(file));
            }
        }
        return members;
    }

    /** A folder of its own, for files that are read once. */
    static Path temporary() {
        try {
            return Files.createTempDirectory("basin-curve");
        } catch (IOException e) {
            throw Folders.unwritable(Path.of(System.getProperty("java.io.tmpdir")), e);
        }
    }

    static void delete(Path folder, List<ModelFile> members) {
        try {
            for (ModelFile m : members) Files.deleteIfExists(m.file());
            Files.delete(folder);
        } catch (IOException e) {
            throw Folders.unwritable(folder, e);
        }
    }
}
