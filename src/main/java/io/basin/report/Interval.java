package io.basin.report;

import io.basin.Api;
import io.basin.text.Format;

/**
 * A confidence interval, or the absence of one.
 *
 * @param low lower end, NaN if absent
 * @param high upper end, NaN if absent
 */
@Api
public record Interval(double low, double high) {
    /** No interval can be given, as for a single run. */
    public static final Interval ABSENT = new Interval(Double.NaN, Double.NaN);

    public Interval {
        if (Double.isNaN(low) != Double.isNaN(high) || low > high) {
            throw new IllegalArgumentException("no interval: " + low + " to " + high);
        }
    }

    public boolean present() {
        return !Double.isNaN(low);
    }

    public boolean contains(double value) {
        return low <= value && value <= high;
    }

    /** Half of the width: the number after "+-" for a symmetric interval; NaN if absent. */
    public double halfWidth() {
        return (high - low) / 2;
    }

    /** {@code [low, high]} with {@code decimals} digits, or {@code n/a}. */
    public String format(int decimals) {
        return present() ? Format.of("[%." + decimals + "f, %." + decimals + "f]", low, high) : "n/a";
    }

    @Override
    public String toString() {
        return format(4);
    }
}
