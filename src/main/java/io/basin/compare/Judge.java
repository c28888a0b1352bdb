package io.basin.compare;

import io.basin.data.Dataset;
import io.basin.device.Images;
import io.basin.device.Weights;
import io.basin.ensemble.HeldOut;
import io.basin.ensemble.Metrics;
import io.basin.ensemble.Ridge;
import io.basin.ensemble.StreamingEnsemble;
import io.basin.ensemble.TestSet;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Measures finished models: single ones on the test set, ensembles with every combiner, whose weights come from validation. */
final class Judge {
    /**
     * One line of results: how members were combined (empty for one model) and what came out on the test set.
     *
     * @param hits test samples that a single model has right, else null
     */
    record Verdict(String combiner, int passes, Metrics metrics, BitSet hits) {}

    private final Model model;
    private final Splits material;
    private final Evaluator validation;
    private final Evaluator test;

    Judge(Model model, Splits material) {
        this.model = model;
        this.material = material;
        validation = model.evaluator(material.validation(), material.plainBatch());
        test = model.evaluator(material.test(), material.plainBatch());
    }

    Evaluator validation() {
        return validation;
    }

    Verdict single(Weights model) {
        Scored scored = Scored.of(test, model, material.testSet());
        return new Verdict("", 1, scored.metrics(), scored.hits());
    }

    /** The mean of the models' probabilities: a Bayesian average where they are samples of a posterior. */
    Verdict mean(List<Weights> models) {
        Metrics mean = onTestSet(models).metrics(material.testSet().labels());
        return new Verdict("mean", models.size(), mean, null);
    }

    /** Mean of probabilities, weighted mean, vote and ridge stacking. */
    List<Verdict> ensemble(List<Weights> models) {
        int last = models.size() - 1;
        HeldOut heldOut = new HeldOut("validation", onValidation(models));
        StreamingEnsemble alone = StreamingEnsemble.equal(heldOut.source());
        Ridge fitted = Ridge.fit(heldOut, alone);
        TestSet test = new TestSet("test", onTest(models));
        StreamingEnsemble combined = new StreamingEnsemble(test.source(), weights(alone));
        Metrics ridge = fitted.evaluate(test, combined);
        List<Verdict> verdicts = new ArrayList<>();
        verdicts.add(new Verdict("mean", models.size(), combined.mean().get(last), null));
        verdicts.add(new Verdict("weighted", models.size(), combined.weighted().get(last), null));
        verdicts.add(new Verdict("vote", models.size(), combined.vote().get(last), null));
        verdicts.add(new Verdict("ridge", models.size(), ridge, null));
        return verdicts;
    }

    /** The mean of the models' probabilities on other images of the same classes. */
    Probabilities elsewhere(List<Weights> models, Dataset set) {
        try (Images images = set.upload(model.device());
                Evaluator evaluator = new Evaluator(model, images, material.plainBatch())) {
            return Probabilities.mean(evaluator, models);
        }
    }

    /** The same on the test set. */
    Probabilities onTestSet(List<Weights> models) {
        return Probabilities.mean(test, models);
    }

    /** A member counts in inverse proportion to its validation loss. */
    private static double[] weights(StreamingEnsemble alone) {
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
}
