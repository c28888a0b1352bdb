package io.basin.compare;

import io.basin.device.Device;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.ensemble.HeldOut;
import io.basin.ensemble.Metrics;
import io.basin.ensemble.Ridge;
import io.basin.ensemble.StreamingEnsemble;
import io.basin.ensemble.TestSet;
import io.basin.graph.Graph;
import io.basin.train.Evaluator;
import io.basin.train.Settings;
import java.util.ArrayList;
import java.util.List;

/** Measures finished models: single ones on the test set, ensembles with every combiner, whose weights come from validation. */
final class Judge implements AutoCloseable {
    /** One line of results: how members were combined (empty for one model) and what came out on the test set. */
    record Verdict(String combiner, int passes, Metrics metrics) {}

    private final Material material;
    private final Evaluator validation;
    private final Evaluator test;

    Judge(Device device, Graph graph, Storage storage, Material material) {
        this.material = material;
        Settings s = material.settings();
        validation = new Evaluator(device, graph, storage, material.validation(), material.plainBatch(), s.precision());
        try {
            test = new Evaluator(device, graph, storage, material.test(), material.plainBatch(), s.precision());
        } catch (RuntimeException e) {
            validation.close();
            throw e;
        }
    }

    Evaluator validation() {
        return validation;
    }

    Verdict single(Weights model) {
        StreamingEnsemble one = new StreamingEnsemble(1, classes());
        onTest(List.of(model)).stream(one);
        return new Verdict("", 1, one.mean().get(0));
    }

    /** Mean of probabilities, weighted mean, vote and ridge stacking. */
    List<Verdict> ensemble(List<Weights> models) {
        int last = models.size() - 1;
        StreamingEnsemble combined = new StreamingEnsemble(classes(), weights(models));
        List<Verdict> verdicts = new ArrayList<>();
        HeldOut heldOut = new HeldOut("validation", onValidation(models));
        Metrics ridge = Ridge.fit(heldOut).evaluate(new TestSet("test", onTest(models)), combined);
        verdicts.add(new Verdict("mean", models.size(), combined.mean().get(last)));
        verdicts.add(new Verdict("weighted", models.size(), combined.weighted().get(last)));
        verdicts.add(new Verdict("vote", models.size(), combined.vote().get(last)));
        verdicts.add(new Verdict("ridge", models.size(), ridge));
        return verdicts;
    }

    /** A member counts in inverse proportion to its validation loss. */
    private double[] weights(List<Weights> models) {
        StreamingEnsemble alone = new StreamingEnsemble(models.size(), classes());
        onValidation(models).stream(alone);
        return alone.members().stream()
                .mapToDouble(m -> 1 / Math.max(m.nll(), 1e-6))
                .toArray();
    }

    private int classes() {
        return material.testSet().classes();
    }

    private Predictions onTest(List<Weights> models) {
        return new Predictions(test, models, material.testSet().labels(), classes());
    }

    private Predictions onValidation(List<Weights> models) {
        return new Predictions(validation, models, material.validationSet().labels(), classes());
    }

    @Override
    public void close() {
        validation.close();
        test.close();
    }
}
