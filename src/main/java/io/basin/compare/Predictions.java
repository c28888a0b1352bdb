package io.basin.compare;

import io.basin.device.Weights;
import io.basin.ensemble.MemberSource;
import io.basin.train.Evaluator;
import java.util.List;
import java.util.function.Consumer;

/** Models on a device as the source of an ensemble's predictions. */
record Predictions(Evaluator evaluator, List<Weights> models, int[] labels, int classes) implements MemberSource {
    @Override
    public int members() {
        return models.size();
    }

    @Override
    public void stream(Consumer<double[]> sink) {
        for (Weights w : models)
            sink.accept(Probabilities.mean(evaluator, List.of(w)).p());
    }
}
