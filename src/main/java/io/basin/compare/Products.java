package io.basin.compare;

import io.basin.Nullable;
import io.basin.device.Weights;
import io.basin.methods.Method;
import io.basin.methods.PostHocEma;
import io.basin.methods.PowerEma;
import io.basin.methods.Swag;
import io.basin.train.Evaluator;
import io.basin.train.NetMemory;
import io.basin.train.WeightMean;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The models that a method predicts with, made of its training's models; closing frees those that were made here. */
final class Products implements AutoCloseable {
    /** Work on weights that were never run forward: {@code index} counts a method's samples. */
    interface Finish {
        void accept(Weights weights, int index);
    }

    /**
     * An average chosen afterwards.
     *
     * @param width standard deviation of its weights over steps, as a share of the run
     * @param fit how it is made of those that were stored
     */
    record Chosen(double width, PostHocEma.Fit fit) {}

    private final NetMemory model;
    private final @Nullable Evaluator validation;
    private @Nullable Chosen chosen;
    private final List<Weights> made = new ArrayList<>();

    /** @param validation chooses a width of post-hoc EMA; null where nothing is held out */
    Products(NetMemory model, @Nullable Evaluator validation) {
        this.model = model;
        this.validation = validation;
    }

    /**
     * @param members all that the method's parts collected, the oldest first
     * @param seed of samples of a posterior
     * @param finish measures batch-norm statistics, which an average and a sample do not have yet; of what is tried and not returned
     *     its index is not 0
     */
    List<Weights> of(Method method, List<Weights> members, long seed, Finish finish) {
        return switch (method.product()) {
            case LAST -> List.of(model.weights());
            case MEMBERS -> members;
            case AVERAGE -> finished(model.store().averaged(), finish);
            case MEAN -> finished(mean(members), finish);
            case POWER -> finished(chosen(method, members, finish), finish);
            case SAMPLES -> samples(method.swag(), members, seed, finish);
        };
    }

    private static List<Weights> finished(Weights weights, Finish finish) {
        finish.accept(weights, 0);
        return List.of(weights);
    }

    Weights mean(List<Weights> members) {
        Weights mean = copy();
        WeightMean.into(mean, members, model.device(), model.store());
        return mean;
    }

    /** Of averages of several widths the one whose loss on the held-out part is least. */
    private Weights chosen(Method method, List<Weights> members, Finish finish) {
        PostHocEma stored = method.postHoc();
        int steps = method.schedule().steps() - method.begin();
        Weights made = copy();
        double least = Double.POSITIVE_INFINITY;
        for (double width : validation == null ? List.of(PowerEma.UNCHOSEN) : PowerEma.WIDTHS) {
            PostHocEma.Fit fit = stored.fit(PostHocEma.gamma(width), steps);
            double loss = 0;
            if (validation != null) {
                WeightMean.into(made, members, fit.shares(), model.device(), model.store());
                finish.accept(made, 1);
                loss = validation.evaluate(made).meanLoss();
            }
            // NaN is never less.
            if (chosen == null || loss < least) {
                chosen = new Chosen(width, fit);
                least = loss;
            }
        }
        WeightMean.into(made, members, chosen().fit().shares(), model.device(), model.store());
        return made;
    }

    /** The result of post-hoc EMA, once it is made. */
    Chosen chosen() {
        return Objects.requireNonNull(chosen);
    }

    private List<Weights> samples(Swag swag, List<Weights> members, long seed, Finish finish) {
        Posterior posterior = new Posterior(model.device(), model.store(), members, swag.rank(), swag.scale());
        List<Weights> samples = new ArrayList<>();
        for (int i = 0; i < swag.samples(); i++) {
            samples.add(copy());
            posterior.sample(samples.get(i), seed, i);
            finish.accept(samples.get(i), i);
        }
        return samples;
    }

    /** Memory for a model that is made here, with the trained statistics until its own are measured. */
    private Weights copy() {
        return copyOf(model.weights());
    }

    Weights copyOf(Weights weights) {
        made.add(model.store().copy(model.device(), weights));
        return made.get(made.size() - 1);
    }

    @Override
    public void close() {
        made.forEach(Weights::close);
    }
}
