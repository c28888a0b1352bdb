package io.basin.cli;

import io.basin.Nullable;
import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import java.nio.file.Path;
import java.util.Arrays;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The data that nets are trained on, and how the user's own are read. */
final class DataOptions {
    private static final int USUAL_VALIDATION = 5000;

    @Parameters(
            index = "0",
            paramLabel = "DATASET",
            completionCandidates = Known.Sets.class,
            description =
                    "${COMPLETION-CANDIDATES}, or data of your own: a folder of pictures with one folder per class,"
                            + " below train, val and test where there are such; a .csv table with a column 'label' (or a folder of"
                            + " train.csv, val.csv, test.csv); an .npz archive of NumPy's arrays or a folder of .npy files, named"
                            + " x_train, y_train, x_test, y_test, or X and y, or images and labels")
    private String dataset;

    @Option(names = "--data-dir", description = Flags.DATA_DIR)
    private Path dataDir;

    @Option(
            names = "--image-size",
            description = "height and width that pictures of a folder are scaled and cut to; default 32")
    private Integer imageSize;

    @Option(names = "--grey", description = "read a folder's pictures as grey; default where all of them are")
    private boolean grey;

    @Option(names = "--skip-bad", description = "leave out pictures of a folder that cannot be read")
    private boolean skipBad;

    @Option(
            names = "--class-names",
            description =
                    "file with a name of each class of your own data, one a line; default the names of folders and labels")
    private Path classNames;

    /** Read once, as defaults depend on the samples. */
    private @Nullable TrainTest own;

    private boolean isOwn() {
        boolean mine = OwnData.isNamed(dataset);
        if (!mine && (imageSize != null || grey || skipBad || classNames != null)) {
            dataset();
            throw new IllegalArgumentException(
                    "--image-size, --grey, --skip-bad and --class-names are for data of your own: leave them out");
        }
        return mine;
    }

    /** As files of nets carry it. */
    String name() {
        if (!isOwn()) return dataset;
        OwnData plain = OwnData.of(dataset);
        if (!plain.isPictures() && (imageSize != null || grey || skipBad)) {
            throw new IllegalArgumentException("--image-size, --grey and --skip-bad are for folders of pictures, and "
                    + plain.path() + " holds numbers: leave them out");
        }
        return new OwnData(
                        plain.path(),
                        imageSize != null ? imageSize : plain.imageSize(),
                        grey || plain.grey(),
                        skipBad || plain.skipBad(),
                        classNames != null ? classNames.toAbsolutePath() : plain.classNames())
                .toString();
    }

    TrainTest load(Progress progress) {
        if (!isOwn()) return DataSets.load(dataset, dataDir, progress);
        if (own == null) own = DataSets.load(name(), dataDir, progress);
        return own;
    }

    private Dataset training() {
        return load(new Bars().progress()).train();
    }

    /** Whether samples are simple enough for a small net: vectors, and grey images. */
    boolean simple() {
        return isOwn()
                ? training().channels() == 1 || training().height() == 1
                : !dataset().startsWith("cifar");
    }

    private String dataset() {
        try {
            return Catalog.find(dataset).name();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + "; nor is there such a folder or file of your own", e);
        }
    }

    /** Training samples, those that will be held out included; of a published set without reading it. */
    int samples() {
        return isOwn() ? training().count() : dataset().startsWith("cifar") ? 50_000 : 60_000;
    }

    /** Pixels added before a random crop. */
    int pad() {
        return isOwn() ? pad(training().height()) : simple() ? 2 : 4;
    }

    /** The papers' 4 at 32, and 2 at MNIST's 28. */
    static int pad(int height) {
        return height < 32 ? Math.min(2, height / 4) : height / 8;
    }

    /** @param asked what the user says; null where nothing is said */
    int validation(@Nullable Integer asked) {
        if (!isOwn()) return asked != null ? asked : USUAL_VALIDATION;
        TrainTest data = load(new Bars().progress());
        Dataset held = data.validation();
        if (held == null) return asked != null ? asked : usualValidation(data.train());
        if (asked == null || asked == held.count()) return held.count();
        throw new IllegalArgumentException(
                "--validation: " + dataset + " has " + held.count()
                        + " samples for validation in a part of their own: leave the flag out, or move them to the training part");
    }

    /** A tenth, and enough that every class has one. */
    private static int usualValidation(Dataset train) {
        int least = Arrays.stream(train.classCounts()).filter(n -> n > 0).min().orElse(1);
        int enough = (train.count() + least - 1) / least;
        return Math.min(Math.min(USUAL_VALIDATION, train.count() / 2), Math.max(train.count() / 10, enough));
    }
}
