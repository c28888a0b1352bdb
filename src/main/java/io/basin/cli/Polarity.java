package io.basin.cli;

import io.basin.data.Dataset;
import io.basin.report.Statistics;
import io.basin.text.Format;
import java.util.Arrays;
import java.util.Optional;

/**
 * Whether pictures are inverted: dark on light where the data set is light on dark, or the other way round. A net answers
 * such pictures as confidently as any other.
 *
 * <p>Judged by the brightness of the border, which objects seldom reach. Where the data set's own borders vary, as those of
 * photographs do, nothing is said.
 */
final class Polarity {
    /** Standard deviations of the data set's borders beyond which a border is not one of them. */
    private static final double FAR = 3;
    /** Of 255; borders that are all alike have no deviation, and a scanner's noise is not an inversion. */
    private static final double LEAST_DEVIATION = 8;

    private Polarity() {}

    /** A warning if some of the pictures look like the data set's only when inverted. */
    static Optional<String> warning(Pictures pictures, Dataset data) {
        double[] usual = borders(data);
        double mean = Statistics.mean(usual);
        double variance =
                Arrays.stream(usual).map(b -> (b - mean) * (b - mean)).average().orElse(0);
        double far = FAR * Math.max(LEAST_DEVIATION, Math.sqrt(variance));
        double[] borders = borders(pictures.set());
        int first = -1;
        int count = 0;
        for (int i = 0; i < borders.length; i++) {
            double away = Math.abs(borders[i] - mean);
            if (away <= far || Math.abs(255 - borders[i] - mean) >= away) continue;
            if (count++ == 0) first = i;
        }
        if (count == 0) return Optional.empty();
        return Optional.of(Format.of(
                "%d of %d images look inverted (%s: its border's mean is %.0f of 255, %s's is %.0f): the net knows no such"
                        + " images; invert them",
                count, borders.length, pictures.names().get(first), borders[first], data.name(), mean));
    }

    /** Mean of the outermost rows and columns of every image, over all channels: (N), 0 to 255. */
    private static double[] borders(Dataset set) {
        double[] means = new double[set.count()];
        int row = set.width() * set.channels();
        for (int i = 0; i < means.length; i++) {
            long sum = 0;
            int count = 0;
            for (int p = 0; p < set.imageBytes(); p++) {
                int y = p / row;
                int x = p % row / set.channels();
                if (y > 0 && y < set.height() - 1 && x > 0 && x < set.width() - 1) continue;
                sum += set.pixels()[i * set.imageBytes() + p] & 0xFF;
                count++;
            }
            means[i] = (double) sum / count;
        }
        return means;
    }
}
