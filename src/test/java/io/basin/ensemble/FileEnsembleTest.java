package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.train.ModelCard;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileEnsembleTest {
    private static final int CLASSES = 4;

    @TempDir
    private Path folder;

    private final TrainTest data = SyntheticSet.trainTest(120, 150, 6, 6, 1, CLASSES, 3);

    private static ModelCard origin(float mean, float std, int validation) {
        return new ModelCard(
                "mlp",
                "synthetic",
                "sgd",
                "1",
                0,
                new float[] {mean},
                new float[] {std},
                validation,
                0,
                0,
                16,
                0,
                false,
                "");
    }

    /** Of two runs which read their samples differently. */
    private List<ModelFile> models() {
        List<ModelFile> models = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ModelCard origin = i == 1 ? origin(0.2f, 0.5f, 30) : origin(0.4f, 0.3f, 40);
            models.add(NaiveMlp.write(folder.resolve("m" + i + ".st"), data.test(), i, 1, origin));
        }
        return models;
    }

    private double[][][] naive(List<ModelFile> models) {
        return probabilities(models, data.test());
    }

    private static double[][][] probabilities(List<ModelFile> models, Dataset test) {
        double[][][] p = new double[models.size()][test.count()][];
        for (int m = 0; m < p.length; m++) {
            NaiveMlp net = NaiveMlp.of(List.of(models.get(m).file()));
            ModelCard o = models.get(m).origin();
            for (int i = 0; i < test.count(); i++) p[m][i] = net.probabilities(test, i, o.mean(), o.std());
        }
        return p;
    }

    /** The same predictions as members of an ensemble. */
    private static MemberSource naive(List<ModelFile> models, Dataset set) {
        return new Sample(probabilities(models, set), set.labels());
    }

    private static void same(Metrics expected, Metrics got) {
        assertEquals(expected.accuracy(), got.accuracy(), 1e-12);
        assertEquals(expected.nll(), got.nll(), 1e-4);
        assertEquals(expected.ece(), got.ece(), 1e-2);
    }

    @Test
    void everyPrefixEqualsThatOfNaivePredictionsInDouble() {
        List<ModelFile> models = models();
        double[][][] p = naive(models);
        try (Device device = Devices.open("cpu", 1);
                Splits splits = ModelFile.splits(device, data, models)) {
            FileEnsemble.Outcome o = FileEnsemble.measure(splits, models, true, Progress.NONE);
            for (int k = 1; k <= models.size(); k++) {
                Metrics mean = new Metrics(CLASSES);
                Metrics weighted = new Metrics(CLASSES);
                int votesRight = 0;
                for (int i = 0; i < data.test().count(); i++) {
                    mean.add(
                            combined(p, k, i, new double[] {1, 1, 1}),
                            data.test().labels()[i]);
                    weighted.add(combined(p, k, i, o.weights()), data.test().labels()[i]);
                    votesRight += vote(p, k, i) == data.test().labels()[i] ? 1 : 0;
                }
                same(mean, o.mean().get(k - 1));
                same(weighted, o.weighted().get(k - 1));
                assertEquals(
                        (double) votesRight / data.test().count(),
                        o.vote().get(k - 1).accuracy(),
                        1e-12);
            }
            MemberSource heldOut = naive(models, splits.set(Splits.Part.VALIDATION));
            Ridge ridge = Ridge.fit(new HeldOut("validation", heldOut), p2 -> {});
            assertEquals(ridge.lambda(), o.lambda());
            same(ridge.evaluate(new TestSet("test", naive(models, data.test())), p2 -> {}), o.ridge());
        }
    }

    private static double[] combined(double[][][] p, int k, int sample, double[] weights) {
        double[] sum = new double[CLASSES];
        double total = 0;
        for (int m = 0; m < k; m++) {
            total += weights[m];
            for (int c = 0; c < CLASSES; c++) sum[c] += weights[m] * p[m][sample][c];
        }
        for (int c = 0; c < CLASSES; c++) sum[c] /= total;
        return sum;
    }

    private static int argmax(double[] x) {
        int best = 0;
        for (int c = 1; c < x.length; c++) if (x[c] > x[best]) best = c;
        return best;
    }

    /** Most votes; of equals the larger sum of probabilities. */
    private static int vote(double[][][] p, int k, int sample) {
        double[] score = new double[CLASSES];
        for (int m = 0; m < k; m++) {
            score[argmax(p[m][sample])]++;
            for (int c = 0; c < CLASSES; c++) score[c] += 1e-3 * p[m][sample][c];
        }
        return argmax(score);
    }

    @Test
    void deviceMemoryDoesNotGrowWithTheNumberOfMembers() {
        List<ModelFile> models = models();
        try (Device device = Devices.open("cpu", 1);
                Splits splits = ModelFile.splits(device, data, models)) {
            long two = peak(device, splits, List.of(models.get(0), models.get(2)));
            List<ModelFile> many = new ArrayList<>();
            for (int i = 0; i < 10; i++) many.add(models.get(i % 2 * 2));
            assertEquals(two, peak(device, splits, many));
        }
    }

    private static long peak(Device device, Splits splits, List<ModelFile> models) {
        long[] peak = {0};
        try (FileMembers members = new FileMembers(
                splits,
                Splits.Part.TEST,
                models,
                (task, total, unit) -> units -> peak[0] = Math.max(peak[0], device.liveBytes()))) {
            members.stream(StreamingEnsemble.equal(members));
        }
        assertTrue(peak[0] > 0);
        return peak[0];
    }

    @Test
    void heldOutIsWhatEveryRunHeldOut() {
        List<ModelFile> models = models();
        try (Device device = Devices.open("cpu", 1);
                Splits splits = ModelFile.splits(device, data, models)) {
            assertEquals(30, splits.set(Splits.Part.VALIDATION).count());
        }
    }

    /** A file that does not say what it was not trained on may have been trained on anything. */
    @Test
    void nothingIsFittedWhereAModelDoesNotSayWhatWasHeldOut() {
        List<ModelFile> models = new ArrayList<>(models());
        models.add(NaiveMlp.write(folder.resolve("silent.st"), data.test(), 9, 1, origin(0.4f, 0.3f, 0)));
        try (Device device = Devices.open("cpu", 1);
                Splits splits = ModelFile.splits(device, data, models)) {
            assertFalse(splits.holdsOut());
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class, () -> FileEnsemble.measure(splits, models, true, Progress.NONE));
            assertTrue(e.getMessage().contains("silent.st names no samples that were held out"), e.getMessage());
            assertEquals(
                    4,
                    FileEnsemble.measure(splits, models, false, Progress.NONE)
                            .mean()
                            .size());
        }
    }

    @Test
    void aFolderStandsForItsMethodsModels() throws Exception {
        ModelFile any = models().get(0);
        for (String file : List.of(
                "run/seed-1/swa/swa.safetensors",
                "run/seed-1/swa/member-3.safetensors",
                "run/seed-1/swa/checkpoint.safetensors",
                "run/seed-1/fge/member-9.safetensors",
                "run/seed-1/fge/member-10.safetensors",
                "run/seed-1/swap/swap.safetensors",
                "run/seed-1/swap/run-1/member-2.safetensors",
                "run/seed-10/independent/run-0/member-2.safetensors",
                "run/seed-11/curve.safetensors",
                "run/seed-11/bend-1.safetensors")) {
            Path to = folder.resolve(file);
            Files.createDirectories(to.getParent());
            Files.copy(any.file(), to);
        }
        Path root = folder.resolve("run");
        List<String> names = RunFolder.models(List.of(root), List.of()).stream()
                .map(m -> root.relativize(m.file()).toString())
                .toList();
        assertEquals(
                List.of(
                        "seed-1/fge/member-9.safetensors",
                        "seed-1/fge/member-10.safetensors",
                        "seed-1/swa/swa.safetensors",
                        "seed-1/swap/swap.safetensors",
                        "seed-10/independent/run-0/member-2.safetensors"),
                names);
        Path empty = Files.createDirectory(folder.resolve("empty"));
        FormatException e = assertThrows(FormatException.class, () -> RunFolder.models(List.of(empty), List.of()));
        assertTrue(e.getMessage().contains(empty.toString()), e.getMessage());
    }

    @Test
    void modelsOfTwoDataSetsAreRefusedByName() {
        List<ModelFile> models = new ArrayList<>(models());
        Path other = folder.resolve("other.st");
        Safetensors.writer()
                .metadata(origin(0, 1, 1).header())
                .metadata("dataset", "another")
                .add("w", new long[] {1}, new float[1])
                .write(other);
        models.add(ModelFile.of(other));
        try (Device device = Devices.open("cpu", 1)) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> ModelFile.splits(device, data, models));
            assertTrue(e.getMessage().contains("another") && e.getMessage().contains("other.st"), e.getMessage());
        }
    }
}
