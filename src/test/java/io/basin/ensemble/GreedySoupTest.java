package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.data.Split;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GreedySoupTest {
    private static final float[] MEAN = {0.4f};
    private static final float[] STD = {0.3f};
    private static final int HELD_OUT = 60;
    private static final ModelCard ORIGIN =
            new ModelCard("mlp", "synthetic", "swa", "1", 0, MEAN, STD, HELD_OUT, 0, 0, 16, 0, false, "");

    @TempDir
    private Path folder;

    private final Dataset train = SyntheticSet.synthetic(200, 6, 6, 1, 4, 3);
    private final Dataset test = SyntheticSet.synthetic(40, 6, 6, 1, 4, 4);

    private List<ModelFile> models(int seed) {
        List<ModelFile> models = new ArrayList<>();
        for (int i = seed; i < seed + 5; i++) {
            models.add(NaiveMlp.write(folder.resolve("m" + i + ".st"), train, i, 0.6, ORIGIN));
        }
        return models;
    }

    private GreedySoup.MethodScore choose(List<ModelFile> models, Dataset testSet) {
        try (Device device = Devices.open("cpu", 1);
                Splits splits = ModelFile.splits(device, new TrainTest(train, testSet), models);
                Model model = models.get(0).open(splits)) {
            return new GreedySoup(model, splits, new BatchNormUpdate("auto", false), Progress.NONE).choose(models);
        }
    }

    @Test
    void aGreedySoupEqualsTheNaiveOne() {
        int mixed = 0;
        for (int seed = 0; seed < 40; seed += 10) {
            int kept = equalsTheNaiveOne(models(seed));
            if (kept > 1 && kept < 5) mixed++;
        }
        assertTrue(mixed > 0, "no example both keeps and drops");
    }

    /** Returns how many stayed. */
    private int equalsTheNaiveOne(List<ModelFile> models) {
        Dataset heldOut = Split.stratified(train, HELD_OUT, Splits.SPLIT_SEED).validation();
        GreedySoup.MethodScore result = choose(models, test);
        List<ModelFile> order = models.stream()
                .sorted(Comparator.comparingDouble(
                        m -> -NaiveMlp.of(List.of(m.file())).accuracy(heldOut, MEAN, STD)))
                .toList();
        List<Path> soup = new ArrayList<>();
        double best = -1;
        for (int i = 0; i < order.size(); i++) {
            soup.add(order.get(i).file());
            double accuracy = NaiveMlp.of(soup).accuracy(heldOut, MEAN, STD);
            GreedySoup.Trial trial = result.trials().get(i);
            assertEquals(order.get(i), trial.model());
            assertEquals(accuracy, trial.accuracy(), 1e-12);
            assertEquals(accuracy >= best, trial.kept());
            if (accuracy >= best) best = accuracy;
            else soup.remove(soup.size() - 1);
        }
        assertEquals(best, result.accuracy(), 1e-12);
        assertEquals(soup, result.members().stream().map(ModelFile::file).toList());
        return soup.size();
    }

    @Test
    void theTestSetTakesNoPartInTheChoice() {
        List<ModelFile> models = models(0);
        Dataset other = SyntheticSet.synthetic(77, 6, 6, 1, 4, 123);
        assertEquals(choose(models, test), choose(models, other));
    }
}
