package io.basin.compare;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Weights;
import io.basin.methods.Method;
import io.basin.methods.Swag;
import io.basin.report.Extras;
import io.basin.train.Checkpoint;
import io.basin.train.DivergedException;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Posterior;
import io.basin.train.Splits;
import io.basin.train.Training;
import io.basin.train.WeightMean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes of a trained group what each of its methods predicts with, measures it on the test set and checks that it is what the
 * method promises.
 */
final class TestEvaluation implements AutoCloseable {
    /** What came of a group of methods. */
    record Outcome(List<MethodScore> results, Extras evidence) {}

    private final Device device;
    private final Splits material;
    private final Options options;
    private final Monitor monitor;
    private final Training session;
    private final Judge judge;
    private final SelfCheck checks;
    private final RobustnessEval probes;
    private final Map<String, String> header;
    private final Path folder;
    private final long seed;
    private final Model model;
    private final List<Weights> made = new ArrayList<>();
    private final List<MethodScore> results = new ArrayList<>();
    private Extras evidence = Extras.NONE;

    /**
     * @param session of the last run, whose storage all models share
     * @param header of weights files, but for the method
     */
    TestEvaluation(GroupRun.Place place, Training session, Judge judge, SelfCheck checks, Map<String, String> header) {
        material = place.material();
        device = material.device();
        options = place.options();
        monitor = place.monitor();
        folder = place.folder();
        seed = place.seed();
        this.session = session;
        this.judge = judge;
        this.checks = checks;
        this.header = header;
        probes = new RobustnessEval(judge, material, options, monitor.progress());
        model = session.model();
    }

    /** Planned when a model first needs statistics. */
    private Evaluator onTrain() {
        return model.evaluator(
                material.train(), options.update().plain() ? material.plainBatch() : material.augmentedBatch());
    }

    /** @param members collected models, the oldest first, those of all runs */
    Outcome judge(List<Method> recipes, List<Weights> members) {
        boolean averaged = recipes.stream().anyMatch(r -> r.product() == Method.Product.AVERAGE);
        for (Method recipe : recipes) {
            try {
                // A file to evaluate and predict with: of its own where SWA's average is not beside it.
                if (recipe.product() == Method.Product.SAMPLES && !averaged) averaged(recipe, mean(members));
                judge(recipe, models(recipe, members));
            } catch (DivergedException e) {
                throw new DivergedException(recipe.name() + ", seed " + seed + ": " + e.getMessage()
                        + ", the run diverged: try a smaller `lr` or a `warmUp`");
            }
        }
        return new Outcome(results, evidence);
    }

    private void judge(Method recipe, List<Weights> models) {
        List<Judge.Verdict> verdicts = switch (recipe.product()) {
            case MEMBERS -> judge.ensemble(models);
            case SAMPLES -> List.of(judge.mean(models));
            default -> List.of(judge.single(models.get(0)));
        };
        double epochs = (double) recipe.totalSteps() / material.stepsPerEpoch();
        for (Judge.Verdict v : verdicts) results.add(MethodScore.of(recipe.name(), epochs, seed, v));
        evidence = evidence.and(probes.of(recipe.name(), seed, models)).and(checks.schedule(recipe, session));
    }

    private List<Weights> models(Method recipe, List<Weights> members) {
        return switch (recipe.product()) {
            case LAST -> List.of(saved(recipe, model.weights()));
            case AVERAGE -> List.of(averaged(recipe, model.store().averaged()));
            case MEMBERS -> members;
            case MEAN -> List.of(averaged(recipe, mean(members)));
            case SAMPLES -> samples(recipe, members);
        };
    }

    private Weights mean(List<Weights> members) {
        Weights mean = copy();
        WeightMean.into(mean, members, device, model.store());
        return mean;
    }

    /** Memory for a model that is made here, with the trained statistics until its own are measured. */
    private Weights copy() {
        made.add(model.store().copy(device, model.weights()));
        return made.get(made.size() - 1);
    }

    private Weights averaged(Method recipe, Weights average) {
        refresh(recipe.name(), average, 1);
        evidence = evidence.and(checks.statistics(recipe.name(), average, onTrain(), options));
        saved(recipe, average);
        evidence = evidence.and(checks.average(recipe, file(recipe)));
        return average;
    }

    private List<Weights> samples(Method recipe, List<Weights> members) {
        Swag f = recipe.swag();
        Posterior posterior = new Posterior(device, model.store(), members, f.rank(), f.scale());
        List<Weights> samples = new ArrayList<>();
        for (int i = 0; i < f.samples(); i++) {
            Weights sample = copy();
            posterior.sample(sample, seed, i);
            refresh(recipe.name() + " " + (i + 1) + "/" + f.samples(), sample, f.samples());
            if (options.keepsSamples()) save(folder.resolve("sample-" + i + ".safetensors"), recipe, sample);
            samples.add(sample);
        }
        return samples;
    }

    private Path file(Method recipe) {
        return folder.resolve(recipe.name() + ".safetensors");
    }

    private Weights saved(Method recipe, Weights weights) {
        save(file(recipe), recipe, weights);
        return weights;
    }

    private void save(Path file, Method recipe, Weights weights) {
        header.put("method", recipe.name());
        Checkpoint.saveModel(file, model, weights, header);
    }

    /** @param models how many of them one result needs */
    private void refresh(String what, Weights average, int models) {
        Evaluator evaluator = onTrain();
        Evaluator.Refresh how = options.update().of(evaluator, models);
        long batches = (long) evaluator.refreshPasses(how) * evaluator.batches();
        if (batches == 0) return;
        String task = what + ", seed " + seed + ": batch-norm statistics";
        try (Progress.Counter counter = monitor.progress().start(task, batches, "batches")) {
            evaluator.refresh(average, how, pass -> counter.step(1));
        }
    }

    @Override
    public void close() {
        made.forEach(Weights::close);
    }
}
