package io.basin.report;

import io.basin.Api;
import io.basin.text.Format;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.commons.statistics.distribution.TDistribution;
import org.apache.commons.statistics.inference.BinomialTest;
import org.apache.commons.statistics.inference.MannWhitneyUTest;
import org.apache.commons.statistics.inference.TTest;

/**
 * The few statistics that a comparison of training runs needs.
 *
 * <p>Pure functions of arrays. Figures that the data cannot give are {@link Interval#ABSENT} or NaN, never 0; {@link #format} prints it as
 * {@code n/a}. NaN in the data is an error: a run that failed must be left out knowingly.
 */
@Api
public final class Statistics {
    private static final double UPPER = 0.975;
    private static final int RESAMPLES = 10_000;
    private static final int FEWEST_PAIRS = 10;

    private Statistics() {}

    public static double mean(double... x) {
        check(x);
        double sum = 0;
        for (double value : x) sum += value;
        return sum / x.length;
    }

    /** Sample standard deviation, divisor n - 1; NaN for one value. */
    public static double std(double... x) {
        double mean = mean(x);
        double squares = 0;
        for (double value : x) squares += (value - mean) * (value - mean);
        return x.length == 1 ? Double.NaN : Math.sqrt(squares / (x.length - 1));
    }

    /** 95 % interval of the mean, {@code mean +- t(0.975, n-1) s / sqrt(n)} (Student); absent for one value. */
    public static Interval tInterval(double... x) {
        double mean = mean(x);
        if (x.length == 1) return Interval.ABSENT;
        double t = TDistribution.of(x.length - 1.0).inverseCumulativeProbability(UPPER);
        double half = t * std(x) / Math.sqrt(x.length);
        return new Interval(mean - half, mean + half);
    }

    /**
     * Paired t test of {@code first - second}, pair by pair: seeds, splits and initialisations that both share cancel.
     *
     * <p>Where all differences are equal the test is not defined (its spread is 0): interval, t and p are absent.
     */
    public static PairedComparison paired(double[] first, double[] second) {
        double[] difference = differences(first, second);
        int n = difference.length;
        double mean = mean(difference);
        // Rounding makes equal differences differ in the last bits: not a spread to divide by.
        double scale = Math.max(largest(first), largest(second));
        if (n == 1 || std(difference) <= 1e-14 * scale) {
            return new PairedComparison(n, mean, Interval.ABSENT, Double.NaN, Double.NaN);
        }
        TTest.Result result = TTest.withDefaults().test(difference);
        return new PairedComparison(n, mean, tInterval(difference), result.getStatistic(), result.getPValue());
    }

    /**
     * {@link #bootstrap} of the mean of {@code first - second}, pair by pair; the same data give the same interval. Absent for
     * fewer than ten pairs, of which it would cover about 84 %, not 95 %.
     */
    public static Interval pairedBootstrap(double[] first, double[] second) {
        double[] difference = differences(first, second);
        return difference.length < FEWEST_PAIRS ? Interval.ABSENT : bootstrap(difference, RESAMPLES, 1);
    }

    private static double[] differences(double[] first, double[] second) {
        check(first);
        check(second);
        if (first.length != second.length) {
            throw new IllegalArgumentException(
                    "pairs need equal numbers, got " + first.length + " and " + second.length);
        }
        double[] difference = new double[first.length];
        Arrays.setAll(difference, i -> first[i] - second[i]);
        return difference;
    }

    /**
     * 95 % percentile bootstrap interval of the mean (Efron 1979): {@code resamples} means of n values drawn with replacement,
     * quantiles by linear interpolation. The same seed gives the same interval. Absent for one value.
     *
     * @param resamples at least 100; 10000 give about two digits
     */
    public static Interval bootstrap(double[] x, int resamples, long seed) {
        check(x);
        if (resamples < 100) throw new IllegalArgumentException("`resamples` must be at least 100, got " + resamples);
        if (x.length == 1) return Interval.ABSENT;
        SplittableRandom random = new SplittableRandom(seed);
        double[] means = new double[resamples];
        for (int r = 0; r < resamples; r++) {
            double sum = 0;
            for (int i = 0; i < x.length; i++) sum += x[random.nextInt(x.length)];
            means[r] = sum / x.length;
        }
        Arrays.sort(means);
        return new Interval(quantile(means, 1 - UPPER), quantile(means, UPPER));
    }

    /**
     * Holm's step-down adjustment (Holm 1979): the k-th smallest of m values times m - k + 1, made monotone, at most 1; in the
     * order given. A NaN, a test that could not be made, stays NaN and is not counted.
     */
    public static double[] holm(double... p) {
        for (double value : Require.given("p", p)) {
            if (value < 0 || value > 1)
                throw new IllegalArgumentException("a p value must lie in [0, 1], got " + value);
        }
        int[] order = IntStream.range(0, p.length)
                .filter(i -> !Double.isNaN(p[i]))
                .boxed()
                .sorted(Comparator.comparingDouble(i -> p[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] adjusted = p.clone();
        double floor = 0;
        for (int k = 0; k < order.length; k++) {
            floor = Math.max(floor, Math.min(1, (order.length - k) * p[order[k]]));
            adjusted[order[k]] = floor;
        }
        return adjusted;
    }

    /**
     * McNemar's test that two classifiers err equally often, from the samples on which they disagree (McNemar 1947); exact
     * two-sided binomial p value, so it also holds for few disagreements. 1 if they never disagree.
     *
     * @param onlyFirst samples that only the first classifies correctly
     * @param onlySecond samples that only the second classifies correctly
     */
    public static double mcNemar(int onlyFirst, int onlySecond) {
        if (onlyFirst < 0 || onlySecond < 0) {
            throw new IllegalArgumentException("counts must not be negative, got " + onlyFirst + " and " + onlySecond);
        }
        int n = Math.addExact(onlyFirst, onlySecond);
        return n == 0 ? 1 : BinomialTest.withDefaults().test(n, onlyFirst, 0.5).getPValue();
    }

    /**
     * Area under the ROC curve: the chance that one of {@code high} exceeds one of {@code low}, equals counting half (Mann and
     * Whitney 1947).
     */
    public static double auroc(double[] high, double[] low) {
        check(high);
        check(low);
        return MannWhitneyUTest.withDefaults().statistic(high, low) / high.length / low.length;
    }

    /** The number with {@code decimals} digits, {@code n/a} for NaN. */
    public static String format(double value, int decimals) {
        return Double.isNaN(value) ? "n/a" : Format.of("%." + decimals + "f", value);
    }

    /**
     * The mean and, of several values, its 95 % t-interval: {@code mean ±half}, or {@code mean [low, high]} where it would leave
     * the values from {@code least} to {@code most} that are possible.
     */
    public static String meanAndInterval(double[] x, int decimals, double least, double most) {
        return format(mean(x), decimals) + interval(tInterval(x), decimals, least, most);
    }

    /** The text after a mean: {@code " ±half"}, {@code " [low, high]"} cut to what is possible, or nothing if absent. */
    static String interval(Interval t, int decimals, double least, double most) {
        if (!t.present()) return "";
        if (t.low() >= least && t.high() <= most) return " ±" + format(t.halfWidth(), decimals);
        return " " + new Interval(Math.max(least, t.low()), Math.min(most, t.high())).format(decimals);
    }

    /** Linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). */
    private static double quantile(double[] sorted, double q) {
        double at = q * (sorted.length - 1);
        int low = (int) at;
        int high = Math.min(low + 1, sorted.length - 1);
        return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
    }

    private static double largest(double[] x) {
        return Arrays.stream(x).map(Math::abs).max().orElse(0);
    }

    private static void check(double[] x) {
        if (Require.given("x", x).length == 0) throw new IllegalArgumentException("no values");
        for (double value : x) {
            if (!Double.isFinite(value)) {
                throw new IllegalArgumentException("a value is " + value + ": leave failed runs out and say so");
            }
        }
    }
}
