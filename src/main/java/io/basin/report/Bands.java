package io.basin.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;

/**
 * Colours values by the band between two levels in which they lie. Colours are those of viridis, which read the same for colour-blind
 * readers and in grey; as usual, low is dark.
 */
final class Bands {
    private static final int MOST = 10;
    /** First step of the levels over the whole range. */
    private static final double FINEST = 1.0 / 256;

    private static final int BAR = 22;
    private static final double LINE = 14;
    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    /** Viridis at equal distances. */
    private static final int[] VIRIDIS = {
        0x440154, 0x482878, 0x3E4989, 0x31688E, 0x26828E, 0x1F9E89, 0x35B779, 0x6ECE58, 0xB5DE2B, 0xFDE725
    };

    final double min;
    final double max;
    private final double[] levels;

    /**
     * @param z values; those that are not finite are above every level
     * @param step by which levels differ at least: the error of the values
     */
    Bands(double[][] z, double step) {
        DoubleSummaryStatistics finite = Arrays.stream(z)
                .flatMapToDouble(Arrays::stream)
                .filter(Double::isFinite)
                .summaryStatistics();
        min = finite.getCount() == 0 ? 0 : finite.getMin();
        max = finite.getCount() == 0 ? 0 : finite.getMax();
        levels = levels(min, max, MOST - 1, step);
    }

    /**
     * Lower edges of all bands but the lowest one, which reaches down to {@code min}. They grow from the lowest value on, as in the
     * published code of Garipov et al. 2018: low + (high - low) r^(k - count), so that the basin's floor, where everything
     * interesting happens, is not a single colour beside walls a thousand times as high. One that lies less than {@code step} above
     * the one before is left out.
     */
    static double[] levels(double min, double max, int count, double step) {
        double[] kept = new double[count];
        int n = 0;
        for (int k = 0; k < count; k++) {
            double level = min + (max - min) * Math.pow(FINEST, (double) (count - k) / count);
            if (level - (n == 0 ? min : kept[n - 1]) >= step && level > min) kept[n++] = level;
        }
        return Arrays.copyOf(kept, n);
    }

    double[] levels() {
        return levels.clone();
    }

    /** @param band 0 for the lowest */
    Color colour(int band) {
        return new Color(VIRIDIS[band * (VIRIDIS.length - 1) / Math.max(1, levels.length)]);
    }

    Color colour(double value) {
        int band = 0;
        while (band < levels.length && !(value < levels[band])) band++;
        return colour(band);
    }

    /** The colour bar, to scale; edges are labelled beside it, each label led to its edge where the edges lie close. */
    void bar(Graphics2D g, double x, double top, double height, String unit) {
        double[] edges = new double[levels.length + 2];
        System.arraycopy(levels, 0, edges, 1, levels.length);
        edges[0] = min;
        edges[edges.length - 1] = max;
        double[] y = new double[edges.length];
        Arrays.setAll(y, k -> top + height - (max > min ? (edges[k] - min) / (max - min) * height : 0));
        y[y.length - 1] = top;
        double[] text = y.clone();
        for (int k = 1; k < text.length; k++) text[k] = Math.min(text[k], text[k - 1] - LINE);
        text[text.length - 1] = Math.max(text[text.length - 1], top);
        for (int k = text.length - 2; k >= 0; k--) text[k] = Math.max(text[k], text[k + 1] + LINE);
        List<String> labels = Ticks.labels(edges);
        g.setFont(PLAIN);
        g.setStroke(new BasicStroke(1));
        for (int k = 0; k < edges.length; k++) {
            if (k + 1 < edges.length) {
                g.setColor(colour(k));
                g.fill(new Rectangle2D.Double(x, y[k + 1], BAR, y[k] - y[k + 1]));
            }
            g.setColor(Color.BLACK);
            g.draw(new Line2D.Double(x + BAR, y[k], x + BAR + 10, text[k]));
            g.drawString(labels.get(k), (float) x + BAR + 14, (float) text[k] + 4);
        }
        g.draw(new Rectangle2D.Double(x, top, BAR, height));
        g.drawString(unit, (float) x, (float) top - 18);
        g.drawString("lower is better", (float) x, (float) (top + height) + 19);
    }
}
