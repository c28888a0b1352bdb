package io.basin.ensemble;

import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A greedy soup (Wortsman et al. 2022, arXiv 2203.05482, recipe 1): models are tried from the best on held-out data down, and one
 * joins the mean only if held-out accuracy does not drop. The test set takes no part.
 *
 * @param model of the files' net
 * @param update how batch-norm statistics are measured anew for every mean; null: they are averaged like the weights
 */
public record GreedySoup(
        Model model, Splits splits, @Nullable BatchNormUpdate update, Progress progress) {
    /**
     * One trial.
     *
     * @param accuracy held-out accuracy of the mean with this model, in [0, 1]
     * @param kept whether it stayed
     */
    public record Trial(ModelFile model, double alone, double accuracy, boolean kept) {}

    /** The models that stayed, the best first, and every trial in order. */
    public record MethodScore(List<ModelFile> members, double accuracy, List<Trial> trials) {}

    private record Ranked(ModelFile model, double accuracy) {}

    /** Chooses, and leaves the chosen mean in the model. */
    public MethodScore choose(List<ModelFile> models) {
        List<Ranked> ranked = new ArrayList<>();
        for (ModelFile m : models) ranked.add(new Ranked(m, heldOut(m)));
        // A stable sort: of equals the one named first is tried first.
        ranked.sort(Comparator.comparingDouble((Ranked r) -> -r.accuracy()));
        List<ModelFile> kept = new ArrayList<>();
        List<Trial> trials = new ArrayList<>();
        FileMean soup = null;
        double best = Double.NEGATIVE_INFINITY;
        for (Ranked r : ranked) {
            FileMean trial = soup == null
                    ? FileMean.of(List.of(r.model().file()))
                    : soup.and(r.model().file());
            double accuracy = soup == null ? r.accuracy() : heldOut(trial);
            boolean better = accuracy >= best;
            trials.add(new Trial(r.model(), r.accuracy(), accuracy, better));
            if (!better) continue;
            soup = trial;
            best = accuracy;
            kept.add(r.model());
        }
        if (soup == null || kept.size() == 1) kept.get(0).into(model);
        else heldOut(soup);
        return new MethodScore(kept, best, trials);
    }

    private double heldOut(FileMean mean) {
        mean.into(model);
        String task = "soup of " + mean.count() + ": batch-norm statistics";
        if (update != null) model.refresh(splits, update, task, progress);
        return accuracy();
    }

    private double heldOut(ModelFile file) {
        model.on(splits, Splits.Part.VALIDATION);
        file.into(model);
        return accuracy();
    }

    private double accuracy() {
        return model.evaluate(splits, Splits.Part.VALIDATION).accuracy();
    }
}
