package io.basin.models;

import io.basin.train.Provenance;
import java.util.List;
import java.util.Optional;

/**
 * Whether the weights of several files have a mean that is a net.
 *
 * <p>Weights of different shapes have no mean at all. Nets from different initialisations, or from both sides of a restart of the
 * rate, have one that predicts nothing: a ridge of high loss lies between them, and not even batch-norm statistics measured
 * anew repair it. Their predictions can be combined instead.
 */
public final class Kinship {
    private Kinship() {}

    /**
     * @throws IllegalArgumentException where the files are of different nets or data sets, naming two of them
     */
    public static void requireSameNet(List<StoredModel> models) {
        StoredModel first = models.get(0);
        for (StoredModel other : models) {
            Provenance a = first.origin();
            Provenance b = other.origin();
            if (!a.model().equals(b.model())) throw unlike(first, other, "net", a.model(), b.model());
            if (!a.dataset().equals(b.dataset())) throw unlike(first, other, "data set", a.dataset(), b.dataset());
        }
    }

    private static IllegalArgumentException unlike(StoredModel a, StoredModel b, String what, String x, String y) {
        return new IllegalArgumentException(a + " is of the " + what + " " + x + ", " + b + " of " + y
                + ": their weights have no mean; 'basin ensemble' combines predictions of different nets");
    }

    /** Why averaging these weights is likely to give no net; empty where nothing speaks against it. */
    public static Optional<String> objection(List<StoredModel> models) {
        StoredModel first = models.get(0);
        for (StoredModel other : models) {
            Provenance a = first.origin();
            Provenance b = other.origin();
            if (a.init().isEmpty() || b.init().isEmpty()) {
                return Optional.of((a.init().isEmpty() ? first : other)
                        + " does not say from which initialisation it comes, so nothing shows that these weights have a"
                        + " useful mean");
            }
            if (!a.init().equals(b.init())) {
                return Optional.of(first + " comes from initialisation " + a.init() + ", " + other + " from " + b.init()
                        + ": between them lies high loss, and the mean of their weights is no useful net");
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
