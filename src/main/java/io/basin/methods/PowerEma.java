package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Post-hoc EMA (Karras et al. 2024, arXiv 2312.02696, section 3): of the {@link Baseline}'s weights two power-function averages, both
 * stored now and then, and from these any width's average afterwards ({@link PostHocEma}). The result is that whose loss on held-out data
 * is least, or the wider one of the two where nothing is held out.
 *
 * @param snapshots of each of the two, at even distances up to the end; usually 40
 */
@Api
public record PowerEma(int snapshots) implements MethodSettings {
    /** Of the averages that are stored, the paper's: standard deviations of their weights over steps as a share of the run. */
    private static final List<Double> STORED = List.of(0.10, 0.05);

    /** Of the averages that are tried afterwards. */
    public static final List<Double> WIDTHS = List.of(0.03, 0.05, 0.07, 0.10, 0.14, 0.20);

    /** The one that is taken where nothing is held out to choose by. */
    public static final double UNCHOSEN = 0.10;

    public PowerEma {
        Require.atLeast("posthoc-ema.snapshots", snapshots, 1);
    }

    @Override
    public String name() {
        return "posthoc-ema";
    }

    @Override
    public int models(Budget budget) {
        return snapshots;
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        Schedule sgd = span.sgd();
        int steps = sgd.steps() - span.from();
        int[] at = IntStream.rangeClosed(1, snapshots)
                .map(k -> span.from() + (int) Math.round((double) k * steps / snapshots) - 1)
                .filter(s -> s >= span.from())
                .distinct()
                .toArray();
        int[] trained = IntStream.range(span.from(), sgd.steps()).toArray();
        List<Averaging> both = STORED.stream()
                .map(width -> Averaging.power(sgd.steps(), PostHocEma.gamma(width), trained))
                .toList();
        Averaging averages = both.get(0).beside(both.get(1));
        return new Method(this, budget, stepsPerEpoch, sgd.collecting(at), averages, Product.POWER);
    }

    /** The averages that a method of this kind has stored at its end: both of each step. */
    static PostHocEma stored(Method method) {
        return new PostHocEma(IntStream.of(method.schedule().collections())
                .map(s -> s - method.begin() + 1)
                .boxed()
                .flatMap(step -> STORED.stream().map(width -> new PostHocEma.Kept(PostHocEma.gamma(width), step)))
                .toList());
    }
}
