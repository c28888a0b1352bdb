package io.basin.compare;

import io.basin.data.Dataset;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.methods.Method;
import io.basin.methods.Swag;
import io.basin.nn.Graph;
import io.basin.train.Evaluator;
import io.basin.train.Posterior;
import io.basin.train.Training;
import io.basin.train.WeightMean;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** A method with a net of the caller's own, in memory: trained in all its parts, and measured by what it ends with. */
record MethodRun(Device device, Splits material, Graph net, Method recipe) {
    /** Trains every part from seed {@code 1000 seed + part}, as a comparison does. */
    EpochMetrics run(long seed) {
        List<Weights> members = new ArrayList<>();
        Training trunk = null;
        try {
            int last = recipe.parts() - 1;
            for (int part = 0; part < last; part++) {
                Training session = trained(part, seed, trunk);
                session.takeMembers().forEach(m -> members.add(m.weights()));
                if (recipe.isTrunk(part)) trunk = session;
                else session.close();
            }
            try (Training session = trained(last, seed, trunk)) {
                session.takeMembers().forEach(m -> members.add(m.weights()));
                return test(session, members, seed);
            }
        } finally {
            members.forEach(Weights::close);
            if (trunk != null) trunk.close();
        }
    }

    private Training trained(int part, long seed, Training trunk) {
        Training session = material.session(net, recipe, part, 1000 * seed + part);
        try {
            if (trunk != null) session.startFrom(trunk);
            while (session.step() < session.steps()) session.advance();
            return session;
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /**
     * Measures on the test part.
     *
     * @param members all that the method's parts collected, the oldest first
     * @param seed of samples of a posterior
     */
    EpochMetrics test(Training session, List<Weights> members, long seed) {
        return with(session, members, seed, models -> measured(session.storage(), models));
    }

    /** The mean of the models' probabilities on other images of the same classes. */
    Probabilities predict(Training session, List<Weights> members, long seed, Dataset set) {
        return with(session, members, seed, models -> {
            try (Images images = Splits.upload(device, set);
                    Evaluator onSet = evaluator(session.storage(), images, material.plainBatch())) {
                return Probabilities.mean(onSet, models);
            }
        });
    }

    /** Calls {@code use} with the models that the method predicts with. */
    private <T> T with(Training session, List<Weights> members, long seed, Function<List<Weights>, T> use) {
        ParameterStore storage = session.storage();
        return switch (recipe.product()) {
            case LAST -> use.apply(List.of(storage.live()));
            case AVERAGE -> {
                refresh(storage, List.of(storage.averaged()));
                yield use.apply(List.of(storage.averaged()));
            }
            case MEMBERS -> use.apply(members);
            case MEAN -> made(storage, 1, use, (i, to) -> WeightMean.into(to, members, device, storage));
            case SAMPLES -> {
                Swag f = recipe.swag();
                Posterior posterior = new Posterior(device, storage, members, f.rank(), f.scale());
                yield made(storage, f.samples(), use, (i, to) -> posterior.sample(to, seed, i));
            }
        };
    }

    private interface Maker {
        void make(int i, Weights to);
    }

    private <T> T made(ParameterStore storage, int count, Function<List<Weights>, T> use, Maker maker) {
        List<Weights> models = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                models.add(storage.copy(device, storage.live()));
                maker.make(i, models.get(i));
            }
            refresh(storage, models);
            return use.apply(models);
        } finally {
            models.forEach(Weights::close);
        }
    }

    /** Weights that were never run forward have no batch-norm statistics yet. */
    private void refresh(ParameterStore storage, List<Weights> models) {
        try (Evaluator onTrain = evaluator(storage, material.train(), material.augmentedBatch())) {
            for (Weights model : models) onTrain.refresh(model, Evaluator.Refresh.EXACT, pass -> {});
        }
    }

    /** Of the mean of the models' probabilities. */
    private EpochMetrics measured(ParameterStore storage, List<Weights> models) {
        try (Evaluator onTest = evaluator(storage, material.test(), material.plainBatch())) {
            if (models.size() == 1) return onTest.evaluate(models.get(0));
            Metrics m = Probabilities.mean(onTest, models)
                    .metrics(material.testSet().labels());
            return new EpochMetrics(0, m.nll() * m.count(), Math.round(m.accuracy() * m.count()), m.count(), -1);
        }
    }

    private Evaluator evaluator(ParameterStore storage, Images images, BatchReader batch) {
        return new Evaluator(
                device, net, storage, images, batch, material.settings().precision());
    }
}
