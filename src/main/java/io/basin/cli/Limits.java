package io.basin.cli;

import io.basin.device.DeviceProvider;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The range of every flag that takes a number, in one place. What lies outside cannot be meant: it is no number, or its work would
 * fill the memory or never end. A run's steps have a limit of their own, {@link io.basin.train.Schedule#MOST_STEPS}.
 */
final class Limits {
    /** The device computes with these in float32, which holds a little more. */
    private static final double FLOAT = 3.4e38;
    /** Whole numbers that every reader of our JSON holds exactly. */
    private static final double EXACT = 1L << 53;

    private static final double SAMPLES = 1e9;
    private static final double EPOCHS = 1e6;
    private static final double NETS = 1000;

    /** From {@code low} to {@code high}, the ends included or not. */
    record Range(double low, boolean lowHolds, double high, boolean highHolds) {
        boolean holds(double value) {
            return (lowHolds ? value >= low : value > low) && (highHolds ? value <= high : value < high);
        }

        /** What a value that it does not hold should be. */
        String demand(double value) {
            if (!highHolds)
                return "must lie " + (lowHolds ? "from " : "between ") + plain(low)
                        + (lowHolds ? " to below " : " and ") + plain(high);
            if (value > high) return "must be at most " + plain(high);
            if (low == 0) return lowHolds ? "must not be negative" : "must be positive";
            return "must be at least " + plain(low);
        }
    }

    private static final Map<String, Range> RANGES = new HashMap<>();

    static {
        above(0, EPOCHS, "--epochs", "--swa-cycle", "--cycle");
        from(0, EPOCHS, "--warmup");
        above(0, FLOAT, "--lr", "--swa-lr", "--swa-low", "--snapshot-lr", "--lr-1", "--lr-2");
        from(0, FLOAT, "--wd", "--swag-scale", "--distance");
        above(0, FLOAT, "--relative", "--rise");
        from(-FLOAT, FLOAT, "--from", "--to");
        share(true, "--momentum", "--label-smoothing", "--ema-decay");
        share(false, "--swa-start", "--fge-start");
        from(1, EPOCHS, "--batch-size", "--lawa", "--cycles", "--top");
        from(1, SAMPLES, "--validation");
        from(0, SAMPLES, "--train-samples", "--samples", "--bn-samples", "--checkpoint-every");
        from(1, NETS, "--seeds", "--swag-samples", "--directions", "--bends");
        // Below 3 the command says more: it counts the ends.
        from(0, NETS + 2, "--num-bends");
        from(2, NETS, "--runs", "--swap-workers", "--swag-rank");
        from(2, 501, "--grid");
        from(1, 10_000, "--points");
        from(0, 1e5, "--memory");
        from(0, DeviceProvider.MOST_THREADS, "--threads");
        from(-EXACT, EXACT, "--seed");
    }

    private Limits() {}

    private static void from(double low, double high, String... flags) {
        for (String flag : flags) RANGES.put(flag, new Range(low, true, high, true));
    }

    private static void above(double low, double high, String... flags) {
        for (String flag : flags) RANGES.put(flag, new Range(low, false, high, true));
    }

    /** From 0, included or not, to below 1. */
    private static void share(boolean zero, String... flags) {
        for (String flag : flags) RANGES.put(flag, new Range(0, zero, 1, false));
    }

    /** Of a flag that takes a number; null where there is none yet, which a test forbids. */
    static Range of(OptionSpec option) {
        return Arrays.stream(option.names())
                .map(RANGES::get)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /** @throws CommandLine.ParameterException naming the first flag whose number lies outside its range */
    static void check(CommandLine.ParseResult parsed) {
        for (OptionSpec option : parsed.matchedOptions()) {
            Object value = option.getValue();
            Range range = of(option);
            if (range == null || !(value instanceof Number number) || range.holds(number.doubleValue())) continue;
            CommandLine line = parsed.commandSpec().commandLine();
            String given = parsed.matchedOption(option.longestName())
                    .originalStringValues()
                    .get(0);
            throw new CommandLine.ParameterException(
                    line, option.longestName() + " " + range.demand(number.doubleValue()) + ", got " + given);
        }
        if (parsed.hasSubcommand()) check(parsed.subcommand());
    }

    /** Without an exponent where few digits do. */
    private static String plain(double value) {
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1e17;
        return whole ? Long.toString((long) value) : Double.toString(value).replace('E', 'e');
    }
}
