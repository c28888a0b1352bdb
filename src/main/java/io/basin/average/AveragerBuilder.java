package io.basin.average;

import io.basin.Api;
import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import io.basin.methods.Averaging;
import io.basin.methods.PostHocEma;
import io.basin.text.Format;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.List;

/** The arrays that an {@link Averager} is to average, by name, of float32 or 16 bits with a float32 average, and then the rule. */
@Api
public final class AveragerBuilder extends ArraysBuilder<AveragerBuilder> {
    private static final int MOST_ARENAS = 1 << 16;
    private static final double MOST_BYTES = 1L << 44;

    AveragerBuilder(boolean host, long stream) {
        super(host, stream);
    }

    @Override
    AveragerBuilder self() {
        return this;
    }

    @Override
    void require(String name, Dtype type) {
        if (arrays.stream().anyMatch(a -> a.name().equals(name))) throw bad(name, "is added twice");
    }

    /**
     * Equal weights (SWA, Izmailov et al. 2018): each {@link Averager#step} takes in the weights as they are, by 1/(n+1). In float32:
     * up to some 100,000 times the mean is right to about 1e-5 of itself, after a million steps of a drift no longer to a thousandth;
     * a longer run takes in every k-th step.
     */
    public Averager swa() {
        return build(new Averager.Rule("swa", (step, n) -> 1.0 / (n + 1), 0, false));
    }

    /** Tail averaging: SWA over all steps but the first {@code start}; in float32 as {@link #swa}. */
    public Averager tail(long start) {
        if (start < 0) throw new IllegalArgumentException("`start` must not be negative, got " + start);
        return build(new Averager.Rule("tail from " + start, (step, n) -> step < start ? 0 : 1.0 / (n + 1), 0, false));
    }

    /**
     * Exponential moving average: the first step copies, step k (from 0) takes {@code 1 - d}; with {@code warmUp}
     * {@code 1 - min(d, (1 + k) / (10 + k))}.
     *
     * @param decay d, in [0, 1)
     */
    public Averager ema(double decay, boolean warmUp) {
        Require.belowOne("decay", decay);
        return build(new Averager.Rule(
                "ema " + decay + (warmUp ? " with warm-up" : ""),
                (step, k) -> k == 0 ? 1 : 1 - (warmUp ? Math.min(decay, (1.0 + k) / (10.0 + k)) : decay),
                0,
                false));
    }

    /** An average whose width grows with the run, weights (i/t)^gamma: keep copies now and then for {@link PostHocEma}, which has the formula. */
    public Averager power(double gamma) {
        Require.positive("gamma", gamma);
        return build(new Averager.Rule(
                "power " + gamma, (step, k) -> 1 - Math.pow(1 - 1 / (k + 1.0), gamma + 1), 0, false));
    }

    /** LAWA (Kaddour 2022): the equal mean of the last {@code k} steps' weights, all of which are kept. */
    public Averager lawa(int k) {
        Require.atLeast("k", k, 1);
        return build(new Averager.Rule("lawa " + k, null, k, false));
    }

    /**
     * SWAG (Maddox et al. 2019): SWA with the variance of what is collected and the {@code rank} newest deviations, each from the
     * average up to and including it.
     */
    public Averager swag(int rank) {
        Require.atLeast("rank", rank, 0);
        return build(new Averager.Rule("swag " + rank, (step, n) -> 1.0 / (n + 1), rank, true));
    }

    /** Each {@link Averager#step} takes in by the table's next alpha; past its end nothing changes. */
    public Averager along(Averaging table) {
        Require.given("table", table);
        String name =
                "table " + Integer.toHexString(Arrays.hashCode(table.alpha())) + " of " + table.steps() + " steps";
        return build(
                new Averager.Rule(name, (step, n) -> step < table.steps() ? table.alpha((int) step) : 0, 0, false));
    }

    private void requireRoom(long arenas) {
        double bytes = 4.0
                * arenas
                * arrays.stream().mapToLong(ForeignArrays.Array::count).sum();
        if (arenas > 0 && arenas <= MOST_ARENAS && bytes < MOST_BYTES) return;
        throw new IllegalArgumentException(Format.of(
                "%d copies of these arrays, %.1f GiB, are more than can be kept: name fewer",
                arenas, bytes / (1 << 30)));
    }

    private Averager build(Averager.Rule rule) {
        if (arrays.isEmpty()) throw new IllegalArgumentException("no array was added: there is nothing to average");
        boolean wide = arrays.stream().allMatch(a -> a.type() == Dtype.F32);
        requireRoom((long) rule.firstSlot() + rule.window() + (wide ? 0 : 1));
        int kept = rule.firstSlot() + rule.window();
        int spare = wide ? 0 : kept;
        int arenas = wide ? kept : kept + 1;
        List<ForeignArrays.Array> all = List.copyOf(arrays);
        return new Averager(all, rule, provider().foreignArrays(stream, all, arenas), spare);
    }
}
