package io.basin.compare;

import io.basin.methods.Budget;
import io.basin.methods.Ema;
import io.basin.methods.Fge;
import io.basin.methods.Independent;
import io.basin.methods.Lawa;
import io.basin.methods.Lookahead;
import io.basin.methods.Method;
import io.basin.methods.MethodSettings;
import io.basin.methods.PowerEma;
import io.basin.methods.Pswa;
import io.basin.methods.Snapshot;
import io.basin.methods.Swa;
import io.basin.methods.SwaCyclic;
import io.basin.methods.Swag;
import io.basin.methods.Swap;
import io.basin.methods.SwitchEma;
import io.basin.methods.Tail;
import io.basin.methods.Wsm;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/**
 * What a method says of the models that it collects or averages, from the settings alone: how many, after which steps, and at
 * which rates. The schedule that it checks is not asked.
 *
 * @param text for people
 * @param steps of one run of the method, counted from 0, rising
 * @param rates of the updates at {@code steps}; empty where none are promised
 */
record CollectionRule(String text, int[] steps, double[] rates) {
    /** Steps of one run, of its warm-up, and of what follows. */
    private record Span(Budget budget, int perEpoch, int total, int warm, int rest) {
        static Span of(Budget b, int stepsPerEpoch) {
            int total = (int) Math.round(b.epochs() * stepsPerEpoch);
            int warm = (int) Math.round(b.warmUp() * stepsPerEpoch);
            return new Span(b, stepsPerEpoch, total, warm, total - warm);
        }

        int start(double fraction) {
            return Math.max(1, (int) Math.round(fraction * rest));
        }

        /** Parts of a cycle that fill the epochs after {@code fraction}, {@code usual} where no cycle is named. */
        int cycles(double fraction, double cycle, int per, int usual) {
            double left = (1 - fraction) * (budget.epochs() - budget.warmUp());
            return cycle == 0 ? usual : (int) Math.round(per * left / cycle);
        }
    }

    /** @throws IllegalArgumentException for a method that collects and averages nothing */
    static CollectionRule of(Method.Origin origin) {
        Span span = Span.of(origin.budget(), origin.stepsPerEpoch());
        MethodSettings s = origin.settings();
        if (s instanceof Swa swa) return constant(swa, span);
        if (s instanceof Swag swag) return constant(swag.swa(), span);
        if (s instanceof SwaCyclic cyclic) return cyclic(cyclic, span);
        if (s instanceof Fge fge) return fge(fge, span);
        if (s instanceof Snapshot snapshot) return snapshot(snapshot, span);
        if (s instanceof Lawa) return lawa(span);
        if (s instanceof Tail tail)
            return every(span.warm() + span.start(tail.start()) - 1, span, " from the start on");
        if (s instanceof Ema || s instanceof SwitchEma || s instanceof Pswa) return every(0, span, "");
        if (s instanceof PowerEma power) return stored(power.snapshots(), span);
        if (s instanceof Lookahead ahead) return ahead(ahead.every(), span);
        if (s instanceof Wsm wsm) return merged(wsm, span);
        if (s instanceof Swap swap) {
            int left = span.rest() - span.start(swap.start());
            return end(left / swap.workers(), swap.low());
        }
        if (s instanceof Independent several) {
            int each = span.total() / several.runs();
            double lr = origin.budget().lr();
            return end(each, descent(each - span.warm(), each - span.warm() - 1, lr, 0.01 * lr));
        }
        throw new IllegalArgumentException(s.name() + " collects nothing");
    }

    private static CollectionRule every(int first, Span span, String from) {
        int[] steps = IntStream.range(first, span.total()).toArray();
        return new CollectionRule("every step" + from, steps, new double[0]);
    }

    private static CollectionRule stored(int snapshots, Span span) {
        int[] steps = IntStream.rangeClosed(1, snapshots)
                .map(k -> (int) Math.round((double) k * span.total() / snapshots) - 1)
                .filter(at -> at >= 0)
                .distinct()
                .toArray();
        return new CollectionRule("each after a part of the run", steps, new double[0]);
    }

    /** Counted back from the run's end. */
    private static CollectionRule ahead(int every, Span span) {
        int[] steps = IntStream.range(0, span.total())
                .filter(at -> (span.total() - 1 - at) % every == 0)
                .toArray();
        return new CollectionRule("each after " + every + " steps", steps, new double[0]);
    }

    private static CollectionRule merged(Wsm s, Span span) {
        int start = span.start(s.start());
        int[] steps = IntStream.rangeClosed(0, s.models())
                .map(k -> span.warm() + start + (int) Math.round((double) k * (span.rest() - start) / s.models()) - 1)
                .distinct()
                .toArray();
        double[] rates = new double[steps.length];
        Arrays.fill(rates, span.budget().lr());
        return new CollectionRule("at an unchanged rate to the end", steps, rates);
    }

    private static CollectionRule end(int steps, double rate) {
        return new CollectionRule("each where its run ends", new int[] {steps - 1}, new double[] {rate});
    }

    /** Where the descent to SWA's rate is so short that its last step is not yet there, the first model is made above that rate. */
    private static CollectionRule constant(Swa s, Span span) {
        int start = span.start(s.start());
        int room = span.rest() - start;
        int cycles = span.cycles(s.start(), s.cycle(), 1, 10);
        int[] steps = IntStream.rangeClosed(0, cycles)
                .map(k -> span.warm() + start + (int) Math.round((double) k * room / cycles) - 1)
                .distinct()
                .toArray();
        double[] rates = new double[steps.length];
        Arrays.fill(rates, s.lr());
        rates[0] = descent(start, start - 1, span.budget().lr(), s.lr());
        return new CollectionRule("at rate " + s.lr() + " from the start of averaging to the end", steps, rates);
    }

    private static CollectionRule cyclic(SwaCyclic s, Span span) {
        int start = span.start(s.start());
        int room = span.rest() - start;
        int cycles = Math.min(room, span.cycles(s.start(), s.cycle(), 1, 10));
        return same(
                "each where its cycle ends, at rate " + s.low(),
                cycles,
                s.low(),
                k -> span.warm() + start + (int) Math.round((k + 1.0) * room / cycles) - 1);
    }

    private static CollectionRule fge(Fge s, Span span) {
        int start = span.start(s.start());
        int room = span.rest() - start;
        int asked = span.cycles(s.start(), s.cycle(), 2, 7);
        int most = room / 2;
        int halves = asked <= most ? asked : most % 2 == 1 ? most : Math.max(1, most - 1);
        int[] steps = new int[(halves + 1) / 2];
        double[] rates = new double[steps.length];
        for (int k = 0; k < steps.length; k++) {
            int from = (int) Math.round(2.0 * k * room / halves);
            int to = (int) Math.round((2 * k + 1.0) * room / halves);
            steps[k] = span.warm() + start + to - 1;
            rates[k] = s.low() + (s.high() - s.low()) / (to - from);
        }
        return new CollectionRule("each where its rate has fallen to " + s.low(), steps, rates);
    }

    private static CollectionRule snapshot(Snapshot s, Span span) {
        int cycles = s.cycles();
        int[] steps = new int[cycles];
        double[] rates = new double[cycles];
        int begin = 0;
        for (int k = 0; k < cycles; k++) {
            int end = (int) ((k + 1L) * span.rest() / cycles);
            steps[k] = span.warm() + end - 1;
            rates[k] = s.lr() / 2 * (Math.cos(Math.PI * (end - 1 - begin) / (end - begin)) + 1);
            begin = end;
        }
        return new CollectionRule("each where its cosine ends", steps, rates);
    }

    /** The last few of the epochs' ends and the run's. */
    private static CollectionRule lawa(Span span) {
        int[] ends = IntStream.range(0, span.total())
                .filter(at -> (at + 1) % span.perEpoch() == 0 || at == span.total() - 1)
                .toArray();
        return new CollectionRule("each where an epoch or the run ends", ends, new double[0]);
    }

    private static CollectionRule same(String text, int count, double rate, IntUnaryOperator step) {
        double[] rates = new double[count];
        Arrays.fill(rates, rate);
        return new CollectionRule(text, IntStream.range(0, count).map(step).toArray(), rates);
    }

    /** The papers' descent over {@code budget} steps: flat, linear between 0.5 and 0.9 of it, flat. */
    private static double descent(int budget, int step, double high, double low) {
        double u = (double) step / budget;
        return u <= 0.5 ? high : u > 0.9 ? low : high - (high - low) * (u - 0.5) / 0.4;
    }

    /**
     * How models break the promise; empty where they keep it.
     *
     * @param collected steps after which one is, rising
     * @param device the rates that the device has
     */
    String broken(int[] collected, IntToDoubleFunction device) {
        int first = Arrays.mismatch(steps, collected);
        if (first >= 0) {
            return String.format(
                    Locale.ROOT,
                    "%d models, the %d. after step %s; promised: %d, %s, the %d. after step %s",
                    collected.length,
                    first + 1,
                    at(collected, first),
                    steps.length,
                    text,
                    first + 1,
                    at(steps, first));
        }
        for (int k = 0; k < rates.length; k++) {
            double rate = device.applyAsDouble(steps[k]);
            if (close(rate, rates[k])) continue;
            return String.format(
                    Locale.ROOT, "step %d at rate %.4g, not %.4g; promised: %s", steps[k], rate, rates[k], text);
        }
        return "";
    }

    private static String at(int[] steps, int k) {
        return k < steps.length ? Integer.toString(steps[k]) : "none";
    }

    /** The device keeps rates in float32. */
    private static boolean close(double a, double b) {
        return Math.abs(a - b) <= 1e-6 * b;
    }
}
