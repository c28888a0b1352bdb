package io.basin.compare;

import io.basin.train.Settings;
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
record Promise(String text, int[] steps, double[] rates) {
    static final String WHAT = "models are collected at the promised rate and phase";

    /** Steps of one run, of its warm-up, and of what follows. */
    private record Span(int total, int warm, int rest) {
        static Span of(Settings s, int stepsPerEpoch) {
            int total = (int) Math.round(s.epochs() * stepsPerEpoch);
            int warm = (int) Math.round(s.warmUp() * stepsPerEpoch);
            return new Span(total, warm, total - warm);
        }

        int start(double fraction) {
            return Math.max(1, (int) Math.round(fraction * rest));
        }
    }

    /** @throws IllegalArgumentException for a method that collects and averages nothing */
    static Promise of(String method, Settings s, int stepsPerEpoch) {
        Span span = Span.of(s, stepsPerEpoch);
        return switch (method) {
            case "swa", "swag" -> constant(s, span);
            case "swa-cyclic" -> cyclic(s, span);
            case "fge" -> fge(s, span);
            case "snapshot" -> snapshot(s, span);
            case "lawa" -> lawa(span, stepsPerEpoch);
            case "tail" -> {
                int first = span.warm() + span.start(s.swaStart()) - 1;
                yield new Promise(
                        "every step from --swa-start on",
                        IntStream.range(first, span.total()).toArray(),
                        new double[0]);
            }
            case "ema" ->
                new Promise("every step", IntStream.range(0, span.total()).toArray(), new double[0]);
            case "swap" -> {
                int left = span.rest() - span.start(s.swaStart());
                yield end(left / s.family().workers(), s.swaLow());
            }
            case "independent" -> {
                int each = span.total() / s.runs();
                yield end(each, descent(each - span.warm(), each - span.warm() - 1, s.lr(), 0.01 * s.lr()));
            }
            default -> throw new IllegalArgumentException(method + " collects nothing");
        };
    }

    private static Promise end(int steps, double rate) {
        return new Promise("each where its run ends", new int[] {steps - 1}, new double[] {rate});
    }

    /** Where the descent to --swa-lr is so short that its last step is not yet there, the first model is made above that rate. */
    private static Promise constant(Settings s, Span span) {
        int start = span.start(s.swaStart());
        int room = span.rest() - start;
        int cycles = (int) Math.round((1 - s.swaStart()) * (s.epochs() - s.warmUp()) / s.swaCycle());
        int[] steps = IntStream.rangeClosed(0, cycles)
                .map(k -> span.warm() + start + (int) Math.round((double) k * room / cycles) - 1)
                .distinct()
                .toArray();
        double[] rates = new double[steps.length];
        Arrays.fill(rates, s.swaLr());
        rates[0] = descent(start, start - 1, s.lr(), s.swaLr());
        return new Promise("at rate " + s.swaLr() + " from --swa-start to the end", steps, rates);
    }

    private static Promise cyclic(Settings s, Span span) {
        int start = span.start(s.swaStart());
        int room = span.rest() - start;
        int cycles = Math.min(room, (int) Math.round((1 - s.swaStart()) * (s.epochs() - s.warmUp()) / s.swaCycle()));
        return same(
                "each where its cycle ends, at rate " + s.swaLow(),
                cycles,
                s.swaLow(),
                k -> span.warm() + start + (int) Math.round((k + 1.0) * room / cycles) - 1);
    }

    private static Promise fge(Settings s, Span span) {
        int start = span.start(s.fgeStart());
        int room = span.rest() - start;
        int asked = (int) Math.round(2 * (1 - s.fgeStart()) * (s.epochs() - s.warmUp()) / s.fgeCycle());
        int most = room / 2;
        int halves = asked <= most ? asked : most % 2 == 1 ? most : Math.max(1, most - 1);
        int[] steps = new int[(halves + 1) / 2];
        double[] rates = new double[steps.length];
        for (int k = 0; k < steps.length; k++) {
            int from = (int) Math.round(2.0 * k * room / halves);
            int to = (int) Math.round((2 * k + 1.0) * room / halves);
            steps[k] = span.warm() + start + to - 1;
            rates[k] = s.fgeLow() + (s.fgeHigh() - s.fgeLow()) / (to - from);
        }
        return new Promise("each where its rate has fallen to " + s.fgeLow(), steps, rates);
    }

    private static Promise snapshot(Settings s, Span span) {
        int cycles = s.snapshots();
        int[] steps = new int[cycles];
        double[] rates = new double[cycles];
        int begin = 0;
        for (int k = 0; k < cycles; k++) {
            int end = (int) ((k + 1L) * span.rest() / cycles);
            steps[k] = span.warm() + end - 1;
            rates[k] = s.snapshotLr() / 2 * (Math.cos(Math.PI * (end - 1 - begin) / (end - begin)) + 1);
            begin = end;
        }
        return new Promise("each where its cosine ends", steps, rates);
    }

    /** The last {@code --lawa} of the epochs' ends and the run's. */
    private static Promise lawa(Span span, int stepsPerEpoch) {
        int[] ends = IntStream.range(0, span.total())
                .filter(at -> (at + 1) % stepsPerEpoch == 0 || at == span.total() - 1)
                .toArray();
        return new Promise("each where an epoch or the run ends", ends, new double[0]);
    }

    private static Promise same(String text, int count, double rate, IntUnaryOperator step) {
        double[] rates = new double[count];
        Arrays.fill(rates, rate);
        return new Promise(text, IntStream.range(0, count).map(step).toArray(), rates);
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
