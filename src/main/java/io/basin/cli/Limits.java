package io.basin.cli;

import io.basin.Nullable;
import io.basin.data.OwnData;
import io.basin.device.DeviceProvider;
import io.basin.text.Printable;
import io.basin.text.Reason;
import io.basin.text.Require;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.TypeConversionException;

/**
 * The range of every flag that takes a number, in one place. Values outside are mistakes: they are not numbers, or their work would
 * fill the memory or never end. A run's steps have a limit of their own, {@link io.basin.methods.Schedule#MOST_STEPS}.
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

        /** The demand on a value that it does not hold. */
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
        above(0, EPOCHS, "--epochs", "--from-epochs", "--swa-cycle", "--fge-cycle", "--pswa-period");
        from(0, EPOCHS, "--warmup");
        above(0, FLOAT, "--eps", "--lr", "--swa-lr", "--swa-low", "--snapshot-lr", "--fge-lr-high", "--fge-lr-low");
        from(0, FLOAT, "--wd", "--swag-scale", "--distance");
        above(0, FLOAT, "--relative", "--rise");
        from(-FLOAT, FLOAT, "--axis-from", "--axis-to");
        share(true, "--momentum", "--beta1", "--beta2", "--label-smoothing", "--label-noise", "--ema-decay");
        share(false, "--swa-start", "--fge-start", "--wsm-start");
        above(0, 1, "--lookahead-rate");
        from(1, EPOCHS, "--batch-size", "--lawa-epochs", "--snapshot-cycles", "--top");
        from(1, OwnData.MOST_CLASSES, "--num-classes");
        from(0, SAMPLES, "--validation", "--train-samples", "--samples", "--dataset-samples", "--bn-samples");
        from(1, OwnData.MOST_SIZE, "--image-size");
        from(0, OwnData.MOST_SIZE, "--cutout");
        from(0, 1, "--color-jitter");
        from(0, 100, "--mixup");
        from(0, SAMPLES, "--checkpoint-every");
        from(1, EPOCHS, "--lookahead-every");
        from(1, NETS, "--wsm-models", "--posthoc-ema-snapshots");
        from(1, NETS, "--seeds", "--swag-samples", "--directions", "--bends");
        // Below 3 the command says more: it counts the ends.
        from(0, NETS + 2, "--num-bends");
        from(2, NETS, "--independent-runs", "--swap-workers");
        from(0, NETS, "--swag-rank");
        from(2, 501, "--grid");
        from(1, 10_000, "--points");
        from(1, NETS, "--checkpoints", "--workers", "--slots");
        from(1, EPOCHS, "--inner-steps");
        above(0, 1000, "--outer-lr");
        share(true, "--outer-momentum", "--switch-ema-decay");
        share(false, "--switch-at");
        from(0, 1e5, "--memory", "--data-memory");
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
    static @Nullable Range of(OptionSpec option) {
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

    /** Has numbers and paths of the command line read here, and refused in words of ours. */
    static void register(CommandLine line) {
        line.registerConverter(int.class, Limits::whole);
        line.registerConverter(Integer.class, Limits::whole);
        line.registerConverter(long.class, Limits::large);
        line.registerConverter(Long.class, Limits::large);
        line.registerConverter(double.class, Limits::number);
        line.registerConverter(Double.class, Limits::number);
        line.registerConverter(Path.class, Limits::path);
    }

    private static int whole(String word) {
        return (int) whole(word, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static long large(String word) {
        return whole(word, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    private static long whole(String word, long low, long high) {
        if (!word.matches("[+-]?[0-9]+")) {
            throw new TypeConversionException("'" + Printable.of(word) + "' is not a whole number such as 10");
        }
        try {
            long value = Long.parseLong(word);
            if (value >= low && value <= high) return value;
        } catch (NumberFormatException e) {
            // More digits than any of ours has.
        }
        throw new TypeConversionException("'" + Printable.of(word) + "' has too many digits");
    }

    private static double number(String word) {
        try {
            double value = Double.parseDouble(Require.decimal(word));
            if (!Double.isNaN(value)) return value;
        } catch (NumberFormatException e) {
            // As for the word NaN.
        }
        throw new TypeConversionException(
                "'" + Printable.of(word) + "' is not a number such as 1.5 (with a point, not a comma)");
    }

    private static Path path(String word) {
        if (word.isBlank()) throw new TypeConversionException("the name is empty; name a file or folder");
        try {
            return Path.of(word);
        } catch (InvalidPathException e) {
            throw new TypeConversionException(Reason.of(e));
        }
    }
}
