package io.basin.compare;

import io.basin.Nullable;
import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.device.Weights;
import io.basin.ensemble.FileEnsemble;
import io.basin.ensemble.MemberSource;
import io.basin.ensemble.Metrics;
import io.basin.ensemble.Temperature;
import io.basin.io.Notices;
import io.basin.methods.Method;
import io.basin.methods.PowerEma;
import io.basin.report.Extras;
import io.basin.report.Summary;
import io.basin.text.Format;
import io.basin.train.Checkpoint;
import io.basin.train.DivergedException;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import io.basin.train.Training;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Makes of a trained group what each of its methods predicts with, measures it on the test set, ensembles with every combiner,
 * whose weights come from validation, and checks that it is what the method promises.
 */
final class TestEvaluation implements AutoCloseable {
    /** The results of a group of methods. */
    record Outcome(List<MethodScore> results, Extras evidence) {}

    private final Place place;
    private final Splits splits;
    private final Model model;
    private final @Nullable Evaluator validation;
    private final Evaluator test;
    private final Products products;
    private final List<MethodScore> results = new ArrayList<>();
    private Extras evidence = Extras.NONE;
    /** Batches of forward passes for batch norm's statistics of the method that is measured. */
    private long statistics;
    /** Of the method's steps that have made what is measured. */
    private double share = 1;

    /** Plans both evaluators, or the one where nothing is held out. */
    TestEvaluation(Place place, Model model) {
        this.place = place;
        this.model = model;
        splits = place.splits();
        validation = place.validation(model);
        test = model.evaluator(splits.test(), splits.plainBatch());
        products = new Products(model, validation);
    }

    @Nullable
    Evaluator validation() {
        return validation;
    }

    /**
     * @param training of the last run, whose storage all models share
     * @param members collected models, the oldest first, those of all runs
     * @param header of weights files, but for the method
     */
    Outcome of(Group group, Training training, List<Weights> members, Map<String, String> header) {
        SelfCheck checks = new SelfCheck(place, group, model);
        boolean averaged = group.methods().stream().anyMatch(m -> m.product() == Method.Product.AVERAGE);
        for (Method method : group.methods()) {
            header.put("method", method.name());
            header.put("step", Integer.toString(method.path().steps() - 1));
            statistics = 0;
            try {
                // A file to evaluate and predict with: of its own where SWA's average is not beside it.
                if (method.product() == Method.Product.SAMPLES && !averaged) {
                    average(method, products.mean(members), header, checks);
                }
                List<Weights> models = method.products().isEmpty()
                        ? models(method, members, header, checks)
                        : atBudgets(method, members, header);
                score(method, models);
                share = 1;
                evidence = evidence.and(robustness(method, models)).and(checks.schedule(method, training));
            } catch (DivergedException e) {
                throw new DivergedException(method.name() + ", seed " + place.seed() + ": " + e.getMessage()
                        + ", the run diverged: try a smaller `lr` or a `warmUp`");
            }
        }
        return new Outcome(results, evidence);
    }

    private Extras robustness(Method method, List<Weights> models) {
        Dataset own = splits.testSet();
        RobustnessEval eval =
                new RobustnessEval(own, place.options(), place.monitor().progress());
        return eval.of(method.name(), place.seed(), set -> {
            if (set == own) return Probabilities.mean(test, models);
            return Probabilities.of(model, models, set, splits.plainBatch());
        });
    }

    /**
     * Scores the products at several budgets beside the method's own, which is returned: that at a single budget, or else at the
     * first.
     */
    private List<Weights> atBudgets(Method method, List<Weights> members, Map<String, String> header) {
        Map<Double, Integer> all = method.products();
        double own = all.containsKey(1.0) ? 1.0 : all.keySet().iterator().next();
        all.forEach((multiple, steps) -> {
            if (multiple == own) return;
            List<Weights> models = at(method, steps, method.name() + "-" + multiple, members, header);
            add(method, Summary.Row.at(multiple), models, Probabilities.mean(test, models), null);
        });
        return at(method, Objects.requireNonNull(all.get(own)), method.name(), members, header);
    }

    /** The model made of the members collected in the first {@code steps}. */
    private List<Weights> at(Method method, int steps, String name, List<Weights> members, Map<String, String> header) {
        int count = (int) Arrays.stream(method.schedule().collections())
                .filter(s -> s < steps)
                .count();
        List<Weights> some = members.subList(0, count);
        share = (double) steps / method.totalSteps();
        statistics = 0;
        if (method.product() != Method.Product.AVERAGE) {
            int samples =
                    method.product() == Method.Product.SAMPLES ? method.swag().samples() : 1;
            return products.of(method, some, place.seed(), (weights, i) -> refresh(name, weights, samples));
        }
        Weights mean = products.mean(some);
        refresh(name, mean, 1);
        Map<String, String> own = new LinkedHashMap<>(header);
        own.put("method", name);
        own.put("step", Integer.toString(steps - 1));
        save(place.folder().resolve(name + ".safetensors"), mean, own);
        return List.of(mean);
    }

    private List<Weights> models(Method method, List<Weights> members, Map<String, String> header, SelfCheck checks) {
        if (method.product() == Method.Product.LAST) save(file(method), model.weights(), header);
        return products.of(method, members, place.seed(), (weights, i) -> {
            if (method.product() == Method.Product.SAMPLES) sample(method, i, weights, header);
            else if (i > 0) refresh(method.name() + ", a width", weights, PowerEma.WIDTHS.size());
            else average(method, weights, header, checks);
        });
    }

    private void average(Method method, Weights average, Map<String, String> header, SelfCheck checks) {
        refresh(method.name(), average, 1);
        evidence = evidence.and(checks.statistics(method.name(), average, onTrain(), place.options()));
        save(file(method), average, header);
        Products.Chosen chosen = method.product() == Method.Product.POWER ? products.chosen() : null;
        if (chosen != null) say(method, chosen);
        evidence = evidence.and(checks.average(method, file(method), chosen));
    }

    private void say(Method method, Products.Chosen chosen) {
        String why = validation == null ? "for nothing is held out to choose by" : "whose validation loss is least";
        Notices.note(Format.of(
                "%s, seed %d: the average of width %.2f, %s; error bound of its fit %.1e",
                method.name(), place.seed(), chosen.width(), why, chosen.fit().bound()));
    }

    private void sample(Method method, int i, Weights sample, Map<String, String> header) {
        int all = method.swag().samples();
        refresh(method.name() + " " + (i + 1) + "/" + all, sample, all);
        if (!place.options().keepsSamples()) return;
        save(place.folder().resolve("sample-" + i + ".safetensors"), sample, header);
    }

    private Path file(Method method) {
        return place.folder().resolve(method.name() + ".safetensors");
    }

    private void save(Path file, Weights weights, Map<String, String> header) {
        Checkpoint.saveModel(file, model, weights, header);
    }

    /** Planned when a model first needs statistics. */
    private Evaluator onTrain() {
        boolean plain = place.options().update().plain();
        return model.evaluator(splits.train(), plain ? splits.plainBatch() : splits.augmentedBatch());
    }

    /** @param models how many of them one result needs */
    private void refresh(String what, Weights average, int models) {
        Evaluator evaluator = onTrain();
        Evaluator.Refresh how = place.options().update().of(evaluator, models);
        long batches = (long) evaluator.refreshPasses(how) * evaluator.batches();
        if (batches == 0) return;
        statistics += batches;
        String task = what + ", seed " + place.seed() + ": batch-norm statistics";
        try (Progress.Counter counter = place.monitor().progress().start(task, batches, "batches")) {
            evaluator.refresh(average, how, pass -> counter.step(1));
        }
    }

    /** Adds a line of results for each way in which the models may be combined, and those that the others are held against. */
    private void score(Method method, List<Weights> models) {
        int[] labels = splits.testSet().labels();
        Probabilities p = Probabilities.mean(test, models);
        switch (method.product()) {
            case MEMBERS -> ensemble(method, models, p);
            // A Bayesian average, as they are samples of a posterior.
            case SAMPLES -> add(method, "mean", models, p, null);
            default -> add(method, "", models, p, p.hits(labels));
        }
        if (method.product() == Method.Product.LAST) anew(method, models);
    }

    /** The last weights with statistics measured as an average's are, so that these give the average no advantage. */
    private void anew(Method method, List<Weights> models) {
        if (onTrain().refreshPasses(Evaluator.Refresh.SINGLE) == 0) return;
        Weights copy = products.copyOf(models.get(0));
        refresh(method.name() + " anew", copy, 1);
        List<Weights> one = List.of(copy);
        add(method, Summary.Row.ANEW, one, Probabilities.mean(test, one), null);
    }

    /** @param p of the models together on the test set */
    private void add(Method method, String combiner, List<Weights> models, Probabilities p, @Nullable BitSet hits) {
        int[] labels = splits.testSet().labels();
        double[] scaled = validation == null
                ? Temperature.crossFitted(p.p(), p.classes(), labels)
                : Temperature.fit(
                                Probabilities.mean(validation, models).p(),
                                p.classes(),
                                splits.validationSet().labels())
                        .apply(p.p(), p.classes());
        double calibrated = new Probabilities(scaled, p.choices(), p.classes())
                .metrics(labels)
                .nll();
        add(method, combiner, models.size(), 1, p.metrics(labels), calibrated, hits);
    }

    private void add(
            Method method,
            String combiner,
            int models,
            double part,
            Metrics metrics,
            @Nullable Double calibrated,
            @Nullable BitSet hits) {
        double epochs = part * share * method.totalSteps() / splits.stepsPerEpoch();
        double passes = (double) statistics
                * splits.plainBatch().batch()
                / splits.trainSet().count();
        Summary.Row row = new Summary.Row(method.name(), combiner, epochs, passes, models, List.of());
        results.add(MethodScore.of(row, place.seed(), metrics, calibrated, hits));
    }

    /** Mean of probabilities, weighted mean, vote and ridge stacking; of independent nets also what one alone says. */
    private void ensemble(Method method, List<Weights> models, Probabilities p) {
        int last = models.size() - 1;
        MemberSource tested = predictions(test, models, splits.testSet());
        FileEnsemble.Outcome all = validation == null
                ? FileEnsemble.unfitted(tested)
                : FileEnsemble.Fitted.on(predictions(validation, models, splits.validationSet()))
                        .measure(tested);
        add(method, "mean", models, p, null);
        if (all.ridge() != null)
            add(method, "weighted", last + 1, 1, all.weighted().get(last), null, null);
        add(method, "vote", last + 1, 1, all.vote().get(last), null, null);
        if (all.ridge() != null) add(method, "ridge", last + 1, 1, all.ridge(), null, null);
        List<Double> grown = all.mean().stream().map(Metrics::accuracy).toList();
        evidence = evidence.and(Extras.of(new Extras.Growth(method.name(), place.seed(), grown)));
        double part = 1.0 / method.parts();
        if (method.parts() > 1 && method.trunk() == null)
            add(method, Summary.Row.ALONE, 1, part, all.mean().get(0), null, null);
    }

    private static MemberSource predictions(Evaluator evaluator, List<Weights> models, Dataset set) {
        return new MemberSource() {
            @Override
            public int members() {
                return models.size();
            }

            @Override
            public int classes() {
                return evaluator.classes();
            }

            @Override
            public int[] labels() {
                return set.labels();
            }

            @Override
            public void stream(Consumer<double[]> sink) {
                for (Weights w : models)
                    sink.accept(Probabilities.mean(evaluator, List.of(w)).p());
            }
        };
    }

    @Override
    public void close() {
        products.close();
    }
}
