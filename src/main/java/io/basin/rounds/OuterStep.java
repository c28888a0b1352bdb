package io.basin.rounds;

import io.basin.Nullable;
import io.basin.rounds.RoundPlan.Outer;
import io.basin.train.DivergedException;
import java.util.List;

/** Combines what the workers of a round hand over: sums in float64, in the order of the shares, each result rounded to float32
 * once. Batch-norm statistics are the mean whatever the outer step: they are measured anew before anything is predicted. */
final class OuterStep {
    private OuterStep() {}

    /**
     * @param weights that the round began with
     * @param velocity v of the rounds before; null at first
     * @param shares weights of each share, in their order
     * @return the next round's weights, and v
     */
    static Combined combine(Outer outer, ModelState weights, @Nullable ModelState velocity, List<ModelState> shares) {
        ModelState next = new ModelState();
        ModelState v = new ModelState();
        weights.tensors().forEach((name, begin) -> {
            List<float[]> all = shares.stream().map(s -> s.values(name)).toList();
            float[] w = begin.values();
            float[] old = velocity == null ? null : velocity.values(name);
            float[] made = new float[w.length];
            float[] moved = new float[w.length];
            for (int i = 0; i < w.length; i++) {
                double mean = 0;
                for (float[] share : all) mean += share[i];
                mean /= all.size();
                if (outer.equals(Outer.MEAN) || ModelState.isStatistic(name)) {
                    made[i] = (float) mean;
                    continue;
                }
                double difference = mean - w[i];
                moved[i] = (float) (outer.momentum() * (old == null ? 0 : old[i]) + difference);
                made[i] = (float) (w[i] + outer.lr() * (difference + outer.momentum() * moved[i]));
            }
            if (!ModelState.isFinite(made)) {
                throw new DivergedException("the step from round to round makes tensor '" + name
                        + "' no longer finite: choose a smaller `outerLr`");
            }
            next.put(name, new ModelState.Tensor(begin.shape(), made));
            v.put(name, new ModelState.Tensor(begin.shape(), moved));
        });
        return new Combined(next, outer.momentum() == 0 ? null : v);
    }

    /** @param velocity null where there is no outer momentum */
    record Combined(ModelState weights, @Nullable ModelState velocity) {}
}
