package io.basin.landscape;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/**
 * What a figure does along a path: at its ends, its lowest, highest and mean value over the points, and its mean over the
 * path's length, sum of (v_(i-1) + v_i) / 2 dl_i over the sum of dl_i.
 *
 * @param mean over the points, however far apart they lie
 * @param integral mean over the length
 */
public record PathSummary(double first, double last, double min, double max, double mean, double integral) {
    /** @param lengths of the pieces between neighbouring points, one fewer than {@code values} */
    public static PathSummary of(double[] values, double[] lengths) {
        double weighted = 0;
        double length = 0;
        for (int i = 1; i < values.length; i++) {
            weighted += (values[i - 1] + values[i]) / 2 * lengths[i - 1];
            length += lengths[i - 1];
        }
        return new PathSummary(
                values[0],
                values[values.length - 1],
                Arrays.stream(values).min().orElseThrow(),
                Arrays.stream(values).max().orElseThrow(),
                Arrays.stream(values).average().orElseThrow(),
                weighted / length);
    }

    static PathSummary of(LossAndError[] points, double[] lengths, ToDoubleFunction<LossAndError> figure) {
        return of(Arrays.stream(points).mapToDouble(figure).toArray(), lengths);
    }
}
