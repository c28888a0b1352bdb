package io.basin.cli;

import io.basin.data.Progress;
import io.basin.ensemble.FileMembers;
import io.basin.ensemble.Metrics;
import io.basin.ensemble.ModelFile;
import io.basin.ensemble.Temperature;
import io.basin.text.Format;
import io.basin.train.Splits;
import java.util.List;

/** The mean of nets' probabilities at the temperature that suits it best. */
final class Scaled {
    private Scaled() {}

    /** The temperature, its source, and NLL and ECE with it; begins with a space. Accuracy does not change. */
    static String of(Splits splits, List<ModelFile> models, Progress progress) {
        return of(splits, models, mean(splits, Splits.Part.TEST, models, progress), progress);
    }

    /** @param p (samples, classes), predictions of the nets together on the test part */
    static String of(Splits splits, List<ModelFile> models, double[] p, Progress progress) {
        int classes = splits.testSet().classes();
        int[] labels = splits.testSet().labels();
        if (!splits.holdsOut()) {
            return said(
                    Temperature.crossFitted(p, classes, labels),
                    labels,
                    classes,
                    "fitted on each half of the test part for the other, as nothing is held out");
        }
        double[] held = mean(splits, Splits.Part.VALIDATION, models, progress);
        Temperature t = Temperature.fit(held, classes, splits.validationSet().labels());
        String how = Format.of(
                "%.3f, fitted on %d held-out samples",
                t.value(), splits.validationSet().count());
        return said(t.apply(p, classes), labels, classes, how);
    }

    private static double[] mean(Splits splits, Splits.Part part, List<ModelFile> models, Progress progress) {
        double[] sum = new double[splits.set(part).count() * splits.set(part).classes()];
        try (FileMembers members = new FileMembers(splits, part, models, progress)) {
            members.stream(p -> {
                for (int i = 0; i < sum.length; i++) sum[i] += p[i] / models.size();
            });
        }
        return sum;
    }

    private static String said(double[] p, int[] labels, int classes, String how) {
        Metrics m = new Metrics(classes);
        double[] row = new double[classes];
        for (int i = 0; i < labels.length; i++) {
            System.arraycopy(p, i * classes, row, 0, classes);
            m.add(row, labels[i]);
        }
        return Format.of(" at temperature %s: NLL %.4f, ECE %.2f %%", how, m.nll(), 100 * m.ece());
    }
}
