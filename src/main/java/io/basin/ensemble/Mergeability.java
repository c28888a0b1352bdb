package io.basin.ensemble;

import io.basin.data.OwnData;
import io.basin.text.Printable;
import io.basin.train.ModelCard;
import io.basin.train.ModelHeader;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Whether the weights of several files have a mean that is a net.
 *
 * <p>Weights of different shapes have no mean at all. Nets from different initialisations, or from both sides of a restart of the
 * rate, have one that predicts nothing: a ridge of high loss lies between them, and not even batch-norm statistics measured
 * anew repair it. Their predictions can be combined instead. The same initialisation does not suffice: nets are linearly connected
 * only if they part after training has become stable to the order of its batches (Frankle et al. 2020, arXiv 1912.05671). So files
 * say what they were trained by, and where samples are held out the barrier is measured.
 */
public final class Mergeability {
    private Mergeability() {}

    /** That they share a weight space: else there is neither a mean of them nor a way between. */
    public static void requireSameNet(List<ModelFile> models) {
        ModelFile first = models.get(0);
        for (ModelFile other : models) {
            ModelCard a = first.origin();
            ModelCard b = other.origin();
            if (!a.model().equals(b.model())) throw unlike(first, other, "net", a.model(), b.model());
            if (!OwnData.mayBeSame(a.dataset(), b.dataset()))
                throw unlike(first, other, "data set", named(a.dataset()), named(b.dataset()));
        }
        // Weights of features in another order, or of other classes, have no mean either.
        ModelHeader said = ModelHeader.of(first.file());
        for (ModelFile other : models)
            NamesOfTraining.requireSame(said, ModelHeader.of(other.file()), ModelHeader::columns);
    }

    private static String named(String dataset) {
        return dataset.isEmpty() ? "(imported without data: 'basin import' can name them)" : dataset;
    }

    /** The same by what the files' headers say of rates and batches. */
    public static Optional<String> partedAtOnce(List<ModelFile> models) {
        ModelFile first = models.get(0);
        Lineage path = Lineage.of(first);
        return models.stream()
                .filter(other -> !other.equals(first) && partAtOnce(path, Lineage.of(other)))
                .findFirst()
                .map(
                        other -> first + " and " + other
                                + " have the same first weights, but part within the first epoch:"
                                + " their rates or batches differ from there on, and only nets that part later lie in one basin");
    }

    /** Whether both say what they were trained by, and that differs from the first epoch on. */
    private static boolean partAtOnce(Lineage a, Lineage b) {
        return !a.hashes().isEmpty() && !b.hashes().isEmpty() && a.shared(b) == 0;
    }

    private static IllegalArgumentException unlike(ModelFile a, ModelFile b, String what, String x, String y) {
        return new IllegalArgumentException(
                a + " is of the " + what + " " + Printable.of(x) + ", " + b + " of " + Printable.of(y)
                        + ": they share no weight space; 'basin ensemble' combines predictions of different nets");
    }

    /**
     * Whether the error at the mean of files rises above the mean of their errors by more than twice what chance makes of so many
     * samples: a barrier between them.
     *
     * @param accuracies of the files, in [0, 1]
     * @param mean accuracy of their mean
     * @param samples on which all were measured
     */
    public static boolean barrier(double[] accuracies, double mean, int samples) {
        double ends = Arrays.stream(accuracies).average().orElseThrow();
        return ends - mean > 2 * Math.sqrt(ends * (1 - ends) / samples);
    }

    /** Why averaging these weights is likely to give no net; empty where nothing speaks against it. */
    public static Optional<String> objection(List<ModelFile> models) {
        ModelFile first = models.get(0);
        for (ModelFile other : models) {
            ModelCard a = first.origin();
            ModelCard b = other.origin();
            if (a.init().isEmpty() || b.init().isEmpty()) {
                return Optional.of((a.init().isEmpty() ? first : other)
                        + " does not say from which initialisation it comes, so nothing shows that these weights have a"
                        + " useful mean");
            }
            if (!a.init().equals(b.init())) {
                return Optional.of(first + " comes from initialisation " + a.init() + ", " + other + " from " + b.init()
                        + ": between them lies high loss, and the mean of their weights is not a useful net");
            }
            if (a.mean().length > 0 && b.mean().length > 0 && !a.sameInput(b)) {
                return Optional.of(first + " and " + other + " were trained on samples normalised differently, so that"
                        + " their first layers see other inputs: they come from runs on other samples");
            }
            if (!a.data().isEmpty() && !b.data().isEmpty() && !a.data().equals(b.data())) {
                return Optional.of(
                        first + " and " + other + " were trained on other data: " + a.data() + ", and " + b.data());
            }
            if (a.restarts() != b.restarts()) {
                return Optional.of(first + " comes before, " + other + " after a restart of the rate" + " ("
                        + a.restarts() + " and " + b.restarts() + " restarts): they may lie in different basins");
            }
        }
        return Optional.empty();
    }
}
