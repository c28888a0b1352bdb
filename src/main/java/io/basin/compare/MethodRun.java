package io.basin.compare;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Dataset;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Loss;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.io.OnFailure;
import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.text.Require;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.NetMemory;
import io.basin.train.Settings;
import io.basin.train.Splits;
import io.basin.train.Stepped;
import io.basin.train.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * A method with a net of the caller's own, in memory: trained in all its parts, and measured by what it ends with: the last
 * weights, the average, an average of the width that does best on the validation part (post-hoc EMA), the mean of members' weights
 * (SWAP), or the mean of the probabilities of members (snapshots, FGE,
 * independent nets) or samples (SWAG). Nothing is written to disk.
 */
@Api
public record MethodRun(Splits splits, Graph net, Method method, Settings settings) {
    public MethodRun {
        Require.given("splits", splits);
        Require.given("net", net);
        Require.given("method", method);
        Require.given("settings", settings);
    }

    static Model model(Device device, Graph net, Settings s) {
        return new Model(device, net, Loss.crossEntropy(s.smoothing()), s.precision(), s.decayEverything());
    }

    /** A model of the net with no weights yet; the caller closes it. */
    public Model model() {
        return model(splits.device(), net, settings);
    }

    /**
     * The model in training, step by step.
     *
     * @throws IllegalArgumentException if the method trains several nets
     */
    public Training training(Model model, long seed) {
        if (method.parts() > 1) {
            throw new IllegalArgumentException(method.name() + " trains " + method.parts()
                    + " times, and a training once: call MethodRun.run, which does all of it");
        }
        return training(model, 0, seed);
    }

    private Training training(Model model, int part, long seed) {
        method.requireEpochsOf(splits.stepsPerEpoch());
        Schedule schedule = method.isTrunk(part) ? Objects.requireNonNull(method.trunk()) : method.schedule();
        Averaging averaging = method.isTrunk(part) ? Averaging.none(schedule.steps()) : method.averaging();
        return new Training(model, splits.train(), splits.reader(seed), settings.optimizer(), schedule, averaging);
    }

    /**
     * Trains every part from seed {@code 1000 seed + part}, as a comparison does, and measures on the test part.
     *
     * @param seed as of {@code compare}: the same weights come out where the net is the same
     */
    public EpochMetrics run(long seed) {
        return ended(seed, (training, members) -> test(training, members, seed));
    }

    /** The same; returns what the method ends with predicts of images of the same classes. */
    public Probabilities predict(long seed, Dataset images) {
        return ended(seed, (training, members) -> predict(training, members, seed, images));
    }

    private <T> T ended(long seed, BiFunction<Training, List<Weights>, T> use) {
        List<Weights> members = new ArrayList<>();
        Training trunk = null;
        try {
            int last = method.parts() - 1;
            for (int part = 0; part < last; part++) {
                Training training = trained(part, seed, trunk);
                training.takeMembers().forEach(m -> members.add(m.weights()));
                if (method.isTrunk(part)) trunk = training;
                else training.close();
            }
            try (Training training = trained(last, seed, trunk)) {
                training.takeMembers().forEach(m -> members.add(m.weights()));
                return use.apply(training, members);
            }
        } finally {
            members.forEach(Weights::close);
            if (trunk != null) trunk.close();
        }
    }

    private Training trained(int part, long seed, @Nullable Training trunk) {
        Model model = model();
        Training made = OnFailure.close(model, () -> training(model, part, 1000 * seed + part));
        return OnFailure.close(made.closingModel(), training -> {
            if (trunk != null) training.startFrom(trunk);
            while (training.step() < training.steps()) training.advance();
        });
    }

    /**
     * Loss and accuracy on the test part of what the method ends with; batch-norm statistics of weights that were not trained
     * themselves are measured first.
     *
     * @param training of this method, at its end; before it, only of a method that ends with the last weights
     * @throws IllegalArgumentException if it is of another method
     * @throws IllegalStateException if the method's result is not there yet
     */
    public EpochMetrics test(Training training) {
        requireResult(training);
        return test(training, members(training), training.seed());
    }

    /** The method's result predicts images of the same classes; conditions and errors as of {@link #test}. */
    public Probabilities predict(Training training, Dataset images) {
        requireResult(training);
        return predict(training, members(training), training.seed(), images);
    }

    private Probabilities predict(Training training, List<Weights> members, long seed, Dataset images) {
        NetMemory model = training.model();
        return with(training, members, seed, models -> Probabilities.of(model, models, images, splits.plainBatch()));
    }

    private static List<Weights> members(Training training) {
        return training.members().stream().map(Stepped.Member::weights).toList();
    }

    private void requireResult(Training training) {
        if (method.parts() > 1 || !training.follows(method.schedule(), method.averaging())) {
            throw new IllegalArgumentException("this does not train what " + method.name()
                    + " does: make it with training(...) of the same method, or call run");
        }
        if (training.step() < training.steps() && method.product() != Method.Product.LAST) {
            throw new IllegalStateException(method.name() + " has a result after " + training.steps()
                    + " steps, and this training has done " + training.step());
        }
    }

    /**
     * @param members all that the method's parts collected, the oldest first
     * @param seed of samples of a posterior
     */
    private EpochMetrics test(Training training, List<Weights> members, long seed) {
        return with(training, members, seed, models -> measured(training.model(), models));
    }

    /** Calls {@code use} with the models that the method predicts with, once they have batch-norm statistics. */
    private <T> T with(Training training, List<Weights> members, long seed, Function<List<Weights>, T> use) {
        NetMemory model = training.model();
        if (!method.product().isMade()) return made(model, members, seed, use, (weights, i) -> {});
        try (Evaluator onTrain = new Evaluator(model, splits.train(), splits.augmentedBatch())) {
            return made(model, members, seed, use, (weights, i) -> {
                onTrain.refresh(weights, Evaluator.Refresh.EXACT, pass -> {});
            });
        }
    }

    private <T> T made(
            NetMemory model, List<Weights> members, long seed, Function<List<Weights>, T> use, Products.Finish finish) {
        boolean chooses = method.product() == Method.Product.POWER && splits.holdsOut();
        try (Evaluator onValidation = chooses ? new Evaluator(model, splits.validation(), splits.plainBatch()) : null;
                Products products = new Products(model, onValidation)) {
            return use.apply(products.of(method, members, seed, finish));
        }
    }

    /** Of the mean of the models' probabilities. */
    private EpochMetrics measured(NetMemory model, List<Weights> models) {
        try (Evaluator onTest = new Evaluator(model, splits.test(), splits.plainBatch())) {
            if (models.size() == 1) return onTest.evaluate(models.get(0));
            Metrics m =
                    Probabilities.mean(onTest, models).metrics(splits.testSet().labels());
            return new EpochMetrics(0, m.nll() * m.count(), Math.round(m.accuracy() * m.count()), m.count(), -1);
        }
    }
}
