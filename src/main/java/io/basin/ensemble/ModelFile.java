package io.basin.ensemble;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.data.Progress;
import io.basin.data.Split;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.io.FormatException;
import io.basin.io.Notices;
import io.basin.io.Safetensors;
import io.basin.nn.Nets;
import io.basin.text.Closest;
import io.basin.text.Printable;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.ModelHeader;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.List;

/**
 * A weights file and what its header says of it.
 *
 * @param summed whether it names its SHA-256
 * @param lenience what it is forgiven
 */
@Api
public record ModelFile(Path file, ModelCard origin, boolean summed, Lenience lenience) {
    private static final int USUAL_VALIDATION = 5000;
    /** Ends the name of a published data set's training part, which {@link TrainTest#of} makes a data set of its own. */
    private static final String PART = " train";

    /** Of a file that names its SHA-256 and must be all that is expected. */
    public ModelFile(Path file, ModelCard origin) {
        this(file, origin, true, Lenience.NONE);
    }

    /** The same file, forgiven more. */
    public ModelFile forgiven(Lenience more) {
        return new ModelFile(file, origin, summed, more);
    }

    /**
     * Checks the file and reads its header.
     *
     * @throws io.basin.io.FormatException if it is not a weights file, or does not name net and data set
     * @throws IllegalArgumentException if it is the state of a run, whose moving weights are not what its method ends with
     */
    public static ModelFile of(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            if (Checkpoint.isState(in.metadata())) {
                throw new IllegalArgumentException(file + " is the state of a run after "
                        + in.metadata().get("step") + " steps, not its method's result: " + RunFiles.insteadOf(file));
            }
            return new ModelFile(file, ModelCard.of(file.toString(), in.metadata()), in.summed(), Lenience.NONE);
        }
    }

    /**
     * Loads the data set that the header names.
     *
     * @param folder where its files are; null to look in the usual places
     * @throws FormatException if this version knows no such data set or net
     */
    public TrainTest data(@Nullable Path folder, Progress progress) {
        requireData();
        String published =
                origin.dataset().substring(0, Math.max(0, origin.dataset().length() - PART.length()));
        try {
            Nets.known(origin.model());
        } catch (IllegalArgumentException e) {
            String net = origin.model();
            String why = "is of the net '" + net + "', which is neither one of ours nor a class on the class path that"
                    + " builds one: start with 'java -cp basin.jar:CLASSES io.basin.cli.Main'";
            throw new FormatException(file.toString(), net.contains(".") ? String.valueOf(e.getMessage()) : why, e);
        }
        if (origin.dataset().endsWith(PART) && Catalog.names().contains(published)) {
            throw new FormatException(
                    file.toString(),
                    "was trained for tuning, on a part of the training set of " + published
                            + ", to choose settings: only its own run measures it; train it again on the whole set");
        }
        if (!Catalog.names().contains(origin.dataset()) && !OwnData.isNamed(origin.dataset())) {
            throw new FormatException(file.toString(), Closest.unknown("data set", origin.dataset(), Catalog.names()));
        }
        return DataSets.load(origin.dataset(), folder, progress);
    }

    /** @throws FormatException where its header names no data set, as of a net that was imported without one */
    public void requireData() {
        if (!origin.dataset().isEmpty()) return;
        throw new FormatException(
                file.toString(),
                "was imported without data, so there is nothing to measure it on: import it again with the data that it"
                        + " will see, or train it on them ('predict' needs none, 'average' needs none with `keepStatistics`)");
    }

    /** Whether it is of {@code method}, or of a run that served several and that one too. */
    boolean isOf(String method) {
        return List.of(origin.method().split("\\+")).contains(method);
    }

    /**
     * Compares the data's columns, classes and fingerprint with those in the file; one without is believed with a line of warning.
     *
     * @throws IllegalArgumentException if columns or classes have other names, or the model was trained on other data and is not
     *     forgiven it
     */
    public void requireTrainedOn(TrainTest data) {
        NamesOfTraining.require(ModelHeader.of(file), data.name(), data.test());
        if (origin.data().isEmpty()) {
            // A file without a sum was warned of already.
            if (summed) Notices.once(file + " does not say by a SHA-256 on which data it was trained");
            return;
        }
        if (!trainedOnOther(data)) return;
        String differ = file + " was trained on other data than were found"
                + (OwnData.isNamed(data.name())
                        ? " in " + OwnData.of(data.name()).path()
                        : "") + ": there " + origin.data() + ", now "
                + data.fingerprint();
        if (!lenience.otherData()) {
            throw new IllegalArgumentException(differ + "; name the folder of its data with `dataDir`"
                    + " ('evaluate', 'predict' and 'ensemble' take other data with `otherData`)");
        }
        Notices.once(differ);
    }

    /** Whether the file says that the model was trained on other data. */
    public boolean trainedOnOther(TrainTest data) {
        return !origin.data().isEmpty() && !origin.data().equals(data.fingerprint());
    }

    /**
     * The data set of stored models, cut as their runs cut it. The validation part is one that no model was trained on: runs that
     * held out more or fewer samples share the smallest part, which a larger part of the same cut contains; it is withheld where a
     * class gave less to a larger one, and where a file does not say what was held out of its training.
     *
     * @param data the models' data set
     * @throws IllegalArgumentException if two models are of different data sets, naming both, or one was trained on other data
     */
    public static Splits splits(Device device, TrainTest data, List<ModelFile> models) {
        ModelFile first = models.get(0);
        for (ModelFile m : models) {
            if (OwnData.mayBeSame(m.origin.dataset(), first.origin.dataset())) continue;
            throw new IllegalArgumentException(first + " was trained on " + Printable.of(first.origin.dataset()) + ", "
                    + m + " on " + Printable.of(m.origin.dataset())
                    + ": only models of one data set can be measured together");
        }
        models.forEach(m -> m.requireTrainedOn(data));
        int validation = models.stream()
                .mapToInt(m -> m.origin.validation())
                .filter(n -> n > 0)
                .min()
                // A file that says how it reads samples and names none held out was trained on all.
                .orElse(
                        models.stream().allMatch(m -> m.origin.mean().length > 0)
                                ? 0
                                : Math.min(USUAL_VALIDATION, data.train().count() / 10));
        int[] used = models.stream()
                .mapToInt(m -> m.origin.trainSamples())
                .distinct()
                .toArray();
        // All of them where runs differ: no run saw a sample outside its training samples.
        int train = used.length == 1 ? used[0] : 0;
        Splits splits = new Splits(device, data, new Settings.Data(Model.BATCH, 0, false, validation, train));
        for (ModelFile m : models) {
            int held = m.origin.validation();
            if (data.validation() != null || held == 0 || Split.nested(data.train(), validation, held)) continue;
            return splits.withholding("some of the " + validation
                    + " samples that one model held out (`validation`) were" + " trained on by " + m
                    + ", which held out " + held + ": leave one of them out, or ask for what needs no fit");
        }
        for (ModelFile m : models) {
            if (m.origin.validation() > 0) continue;
            return splits.withholding(m + " names no samples that were held out of its training (`validation`), so"
                    + " nothing can be chosen or fitted on such samples: leave it out, or ask for what needs no fit");
        }
        return splits;
    }

    /**
     * A model of this file's net that reads samples as the file says, without the file's weights: files take turns in its memory.
     * Make the evaluator first, then {@link #into}: the first plan chooses the layouts of weights.
     */
    public Model open(Splits splits) {
        Dataset like = splits.testSet();
        boolean known = origin.mean().length == like.channels();
        Model model = new Model(splits.device(), Nets.build(origin.model(), like.sample(), like.outputs()));
        return model.described(known ? origin : origin.reading(splits.augmentation()), like.classNames());
    }

    /** Has a model of its net take up its weights. */
    public Model into(Model model) {
        return model.load(file, lenience.extraTensors());
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
