package io.basin.report;

import io.basin.text.Format;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;

/** Round numbers along axes, and how they read. */
final class Ticks {
    /** Significant digits of a label. */
    private static final int FEWEST = 3;

    private static final int MOST = 8;

    private Ticks() {}

    /** Round values within a range, five or so. */
    static double[] of(double low, double high) {
        double rough = (high - low) / 6;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
        long first = (long) Math.ceil(low / step - 1e-9);
        long last = (long) Math.floor(high / step + 1e-9);
        double[] ticks = new double[(int) (last - first + 1)];
        for (int i = 0; i < ticks.length; i++) ticks[i] = (first + i) * step;
        return ticks;
    }

    /** A round value, without the digits that its computation left behind. */
    static String text(double value) {
        return text(value, MOST);
    }

    private static String text(double value, int digits) {
        if (value == 0) return "0";
        if (!Double.isFinite(value)) return Double.toString(value);
        double size = Math.abs(value);
        if (size >= 1e5 || size < 1e-3) return Format.of("%." + (digits - 1) + "e", value);
        return new BigDecimal(value)
                .round(new MathContext(digits))
                .stripTrailingZeros()
                .toPlainString();
    }

    /** With the fewest digits, three at least, that tell them apart; where nothing does, with three. */
    static List<String> labels(double... values) {
        for (int digits = FEWEST; digits <= MOST; digits++) {
            List<String> labels = labels(digits, values);
            if (new HashSet<>(labels).size() == values.length) return labels;
        }
        return labels(FEWEST, values);
    }

    private static List<String> labels(int digits, double... values) {
        return Arrays.stream(values).mapToObj(v -> text(v, digits)).toList();
    }
}
