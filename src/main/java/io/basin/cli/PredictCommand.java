package io.basin.cli;

import io.basin.Nullable;
import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.PredictionSum;
import io.basin.ensemble.ModelFile;
import io.basin.ensemble.NamesOfTraining;
import io.basin.io.FileKind;
import io.basin.io.Notices;
import io.basin.text.Format;
import io.basin.text.Printable;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.ModelHeader;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "predict",
        description =
                "Classes with probabilities for pictures (PNG, JPEG, GIF or BMP) of any size, for images of the data set's size"
                        + " in IDX files, and for rows of a table (.csv) or of NumPy's arrays (.npz, .npy).",
        footer = {
            "",
            "A table's columns are found by the names that the training's table gave them; a column 'label' is passed over.",
            "A picture is scaled and its middle cut to the size that the nets were trained on; --strict-size refuses others.",
            "Several nets, of whatever kinds but of one data set, answer together: with the mean of their probabilities,"
                    + " or with --vote by majority.",
            "",
            "Examples:",
            "  basin predict runs/swa/seed-1/swa/swa.safetensors shoe.png shirt.png",
            "  basin predict swa.safetensors t10k-images-idx3-ubyte.gz --top 1",
            "  basin predict runs/table/seed-1/swa/swa.safetensors rows.csv --csv classes.csv",
            "  basin predict a.safetensors b.safetensors c.safetensors shoe.png --vote",
            "  basin predict swa.safetensors *.png --top 1 --csv - > classes.csv"
        })
final class PredictCommand implements Runnable {
    private static final String WEIGHTS = ".safetensors";

    @Parameters(index = "0", paramLabel = "FILE", description = "safetensors file that train or compare wrote")
    private Path file;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "FILE|IMAGE",
            description =
                    "more safetensors files; then pictures (PNG, JPEG, GIF, BMP), IDX files of many images (gzip or not), tables"
                            + " or NumPy's arrays")
    private List<Path> others;

    @Option(names = "--top", description = "classes to print; default 3, or as many as there are")
    private Integer top;

    @Option(names = "--vote", description = "name the class that most nets name, then the nets' mean probabilities")
    private boolean vote;

    @Option(names = "--strict-size", description = "refuse pictures that do not have the size of the nets' samples")
    private boolean strictSize;

    @Mixin
    private Flags.LenientData on;

    @Mixin
    private Results results;

    @Override
    public void run() {
        requirePlaces();
        List<ModelFile> models = new ArrayList<>(List.of(on.forgiven(ModelFile.of(file))));
        List<Path> images = new ArrayList<>();
        for (Path other : others) {
            if (other.toString().endsWith(WEIGHTS)) models.add(on.forgiven(ModelFile.of(other)));
            else images.add(other);
        }
        if (images.isEmpty()) {
            throw new IllegalArgumentException(
                    "IMAGE is missing: name pictures, an IDX file, a table (.csv) or arrays (.npz)");
        }
        if (vote && models.size() < 2) throw new IllegalArgumentException("--vote needs at least two nets");
        // Beside a net of no data there are none to ask: then the files must say all.
        boolean alone = models.stream().allMatch(PredictCommand::isEnough)
                || models.stream().anyMatch(m -> m.origin().dataset().isEmpty())
                        && models.stream().allMatch(PredictCommand::saysAll);
        TrainTest data = alone ? blank(models) : on.data(models, new Bars().progress());
        if (top != null && top > data.test().classes()) {
            throw new IllegalArgumentException("--top " + top + " exceeds the "
                    + data.test().classes() + " classes of " + data.test().name());
        }
        Pictures pictures = Pictures.read(images, data.test(), columns(models.get(0), images), strictSize);
        if (!alone && !data.test().isFloat())
            Polarity.warning(pictures, data.test()).ifPresent(Notices::once);
        answer(models, data, alone, splits -> {
            try (Images uploaded = pictures.set().upload(splits.device());
                    PredictionSum sum = splits.device().arenas().predictionSum(uploaded.count(), uploaded.outputs())) {
                for (ModelFile model : models) poll(splits, model, uploaded, 1.0 / models.size(), sum);
                print(pictures.names(), data.test().classNames(), sum);
            }
        });
    }

    private void requirePlaces() {
        results.require();
        for (Path other : others) {
            if (!Files.isDirectory(other)) continue;
            throw new IllegalArgumentException(
                    "IMAGE: " + other + " is a folder: name the pictures in it, as in " + other.resolve("*.png"));
        }
        if (!file.toString().endsWith(WEIGHTS) && FileKind.of(file).contains("picture")) {
            throw new IllegalArgumentException("FILE: " + file + " looks like " + FileKind.of(file)
                    + "; name the weights first, then the pictures");
        }
    }

    private List<String> columns(ModelFile model, List<Path> images) {
        List<String> columns = ModelHeader.of(model.file()).columns(on.dataDir);
        if (columns.isEmpty() && images.stream().anyMatch(i -> i.toString().endsWith(".csv"))) {
            Notices.once(
                    "columns are taken in their order: no table that the net was trained on is there to compare their"
                            + " names with (--data-dir says where it is)");
        }
        return columns;
    }

    private void answer(List<ModelFile> models, TrainTest data, boolean alone, Consumer<Splits> answer) {
        if (!alone) {
            on.with(models, data, answer);
            return;
        }
        try (Device device = on.open();
                Splits splits = new Splits(device, data, 0, Model.BATCH)) {
            answer.accept(splits);
        }
    }

    /** Arrays may be pictures of numbers, which a file tells from other pictures by its data alone. */
    private static boolean saysAll(ModelFile model) {
        String dataset = model.origin().dataset();
        return isEnough(model) || model.origin().mean().length > 0 && !OwnData.isNamed(dataset);
    }

    /** A net of the user's own pictures or table no longer needs them: its file says how it reads samples and names classes. */
    private static boolean isEnough(ModelFile model) {
        String dataset = model.origin().dataset();
        if (model.origin().mean().length == 0) return false;
        if (dataset.isEmpty()) return true;
        return OwnData.isNamed(dataset)
                && (OwnData.of(dataset).isPictures() || OwnData.of(dataset).isTable());
    }

    private TrainTest blank(List<ModelFile> models) {
        ModelHeader said = ModelHeader.of(models.get(0).file());
        Dataset first = blank(models.get(0));
        for (ModelFile model : models) {
            Dataset other = blank(model);
            NamesOfTraining.requireSame(said, ModelHeader.of(model.file()), net -> net.columns(on.dataDir));
            if (other.sample().equals(first.sample()) && other.isFloat() == first.isFloat()) continue;
            throw new IllegalArgumentException(model + " takes samples of " + other.sample() + ", " + models.get(0)
                    + " of " + first.sample() + ": only nets of one data set and image size answer together; ask each"
                    + " alone, or import what another program trained with the other's --data or --image-size");
        }
        return new TrainTest(first, first);
    }

    private static Dataset blank(ModelFile model) {
        String dataset = model.origin().dataset();
        return ModelHeader.of(model.file())
                .blank(OwnData.isNamed(dataset) && OwnData.of(dataset).isTable());
    }

    private static void poll(Splits splits, ModelFile file, Images images, double weight, PredictionSum sum) {
        try (Model model = file.open(splits)) {
            Evaluator evaluator = model.on(images);
            evaluator.accumulate(file.into(model).weights(), weight, sum);
        }
    }

    private void print(List<String> images, List<String> classes, PredictionSum sum) {
        double[] p = sum.sums();
        int[] elected = vote ? sum.elected() : null;
        List<Answer> answers = new ArrayList<>();
        for (int i = 0; i < images.size(); i++) {
            int at = i * classes.size();
            List<Likely> likely = IntStream.range(0, classes.size())
                    .boxed()
                    .sorted((a, b) -> Double.compare(p[at + b], p[at + a]))
                    .limit(top == null ? 3 : top)
                    .map(k -> new Likely(k, classes.get(k), p[at + k]))
                    .toList();
            answers.add(new Answer(images.get(i), elected == null ? null : classes.get(elected[i]), likely));
        }
        if (results.inWords()) answers.forEach(a -> System.out.println(a.inWords()));
        results.write(answers.stream().flatMap(Answer::rows).toList(), () -> answers);
    }

    /** @param label counts the data set's classes from 0 */
    private record Likely(int label, String name, double probability) {}

    /** The JSON of an image. {@code vote}: the class that most nets name, where that was asked for. */
    private record Answer(String image, @Nullable String vote, List<Likely> classes) {
        Stream<Row> rows() {
            return IntStream.range(0, classes.size()).mapToObj(i -> {
                Likely c = classes.get(i);
                return new Row(image, vote, i + 1, c.label, c.name, c.probability);
            });
        }

        String inWords() {
            StringBuilder line = new StringBuilder(Printable.of(image, Integer.MAX_VALUE) + ":");
            if (vote != null) line.append("  by vote ").append(vote).append(", mean");
            for (Likely c : classes) {
                line.append(Format.of("  %s %.1f%%", c.name, 100 * c.probability));
            }
            return line.toString();
        }
    }

    private record Row(String image, @Nullable String vote, int rank, int label, String name, double probability) {}
}
