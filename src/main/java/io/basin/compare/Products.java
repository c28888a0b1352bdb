package io.basin.compare;

import io.basin.device.Weights;
import io.basin.methods.Method;
import io.basin.methods.Swag;
import io.basin.train.NetMemory;
import io.basin.train.Posterior;
import io.basin.train.WeightMean;
import java.util.ArrayList;
import java.util.List;

/** The models that a method predicts with, made of what its training left behind; closing frees those that were made here. */
final class Products implements AutoCloseable {
    /** What is done with weights that were never run forward: {@code index} counts a method's samples. */
    interface Finish {
        void accept(Weights weights, int index);
    }

    private final NetMemory model;
    private final List<Weights> made = new ArrayList<>();

    Products(NetMemory model) {
        this.model = model;
    }

    /**
     * @param members all that the method's parts collected, the oldest first
     * @param seed of samples of a posterior
     * @param finish measures batch-norm statistics, which an average and a sample do not have yet
     */
    List<Weights> of(Method method, List<Weights> members, long seed, Finish finish) {
        return switch (method.product()) {
            case LAST -> List.of(model.weights());
            case MEMBERS -> members;
            case AVERAGE -> finished(model.store().averaged(), finish);
            case MEAN -> finished(mean(members), finish);
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
