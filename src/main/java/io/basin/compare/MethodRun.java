package io.basin.compare;

import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.graph.Graph;
import io.basin.train.Evaluator;
import io.basin.train.Posterior;
import io.basin.train.Recipe;
import io.basin.train.Session;
import io.basin.train.Settings;
import io.basin.train.WeightMean;
import java.util.ArrayList;
import java.util.List;

/** A method with a net of the caller's own, in memory: trained in all its parts, and measured by what it ends with. */
record MethodRun(Device device, Material material, Graph net, Recipe recipe) {
    /** Trains every part from seed {@code 1000 seed + part}, as a comparison does. */
    Control.Totals run(long seed) {
        List<Weights> members = new ArrayList<>();
        Session trunk = null;
        try {
            int last = recipe.parts() - 1;
            for (int part = 0; part < last; part++) {
                Session session = trained(part, seed, trunk);
                session.takeMembers().forEach(m -> members.add(m.weights()));
                if (recipe.isTrunk(part)) trunk = session;
                else session.close();
            }
            try (Session session = trained(last, seed, trunk)) {
                session.takeMembers().forEach(m -> members.add(m.weights()));
                return test(session, members, seed);
            }
        } finally {
            members.forEach(Weights::close);
            if (trunk != null) trunk.close();
        }
    }

    private Session trained(int part, long seed, Session trunk) {
        Session session = material.session(net, recipe, part, 1000 * seed + part);
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
     * @param members all that the method's parts collected, the oldest first
     * @param seed of samples of a posterior
     */
    Control.Totals test(Session session, List<Weights> members, long seed) {
        Storage storage = session.storage();
        return switch (recipe.product()) {
            case LAST -> measured(storage, List.of(storage.live()));
            case AVERAGE -> {
                refresh(storage, List.of(storage.averaged()));
                yield measured(storage, List.of(storage.averaged()));
            }
            case MEMBERS -> measured(storage, members);
            case MEAN -> made(storage, 1, (i, to) -> WeightMean.into(to, members, device, storage));
            case SAMPLES -> {
                Settings.Family f = material.settings().family();
                Posterior posterior = new Posterior(device, storage, members, f.rank(), f.scale());
                yield made(storage, f.samples(), (i, to) -> posterior.sample(to, seed, i));
            }
        };
    }

    private interface Maker {
        void make(int i, Weights to);
    }

    private Control.Totals made(Storage storage, int count, Maker maker) {
        List<Weights> models = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                models.add(storage.copy(device, storage.live()));
                maker.make(i, models.get(i));
            }
            refresh(storage, models);
            return measured(storage, models);
        } finally {
            models.forEach(Weights::close);
        }
    }

    /** Weights that were never run forward have no batch-norm statistics yet. */
    private void refresh(Storage storage, List<Weights> models) {
        try (Evaluator onTrain = evaluator(storage, material.train(), material.augmentedBatch())) {
            for (Weights model : models) onTrain.refresh(model, Evaluator.Refresh.EXACT, pass -> {});
        }
    }

    /** Of the mean of the models' probabilities. */
    private Control.Totals measured(Storage storage, List<Weights> models) {
        try (Evaluator onTest = evaluator(storage, material.test(), material.plainBatch())) {
            if (models.size() == 1) return onTest.evaluate(models.get(0));
            Metrics m = Probabilities.mean(onTest, models)
                    .metrics(material.testSet().labels());
            return new Control.Totals(0, m.nll() * m.count(), Math.round(m.accuracy() * m.count()), m.count(), -1);
        }
    }

    private Evaluator evaluator(Storage storage, Images images, Spec.Batch batch) {
        return new Evaluator(
                device, net, storage, images, batch, material.settings().precision());
    }
}
