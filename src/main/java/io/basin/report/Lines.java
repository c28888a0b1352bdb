package io.basin.report;

import io.basin.Nullable;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A chart of lines over one axis, each with an optional band, in colours and dashes that colour-blind readers tell apart. */
public final class Lines extends Picture {
    /** Okabe and Ito's. */
    private static final Color[] PALETTE = {
        new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7),
        new Color(0xE69F00), new Color(0x56B4E9), new Color(0x000000), new Color(0x999999)
    };

    private static final BasicStroke SOLID = new BasicStroke(2.2f);
    private static final BasicStroke DASHED =
            new BasicStroke(2.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {7, 5}, 0);
    private static final BasicStroke EDGE =
            new BasicStroke(0.8f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {2, 3}, 0);

    private final XYChart chart;
    private int lines;
    private int extras;

    public Lines(String title, String x, String y) {
        super(title, 860, 400);
        chart = new XYChartBuilder()
                .width(width)
                .height(height)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        Styler styler = chart.getStyler();
        styler.setLocale(Locale.ROOT);
        styler.setChartBackgroundColor(Color.WHITE);
        styler.setLegendPosition(Styler.LegendPosition.OutsideE);
        styler.setLegendBorderColor(Color.WHITE);
        chart.getStyler().setPlotGridLinesColor(new Color(0xDDDDDD));
    }

    /** A line; every second one is dashed. Points that are not finite are left out. */
    public Lines line(String name, double[] x, double[] y) {
        return add(name, x, y, lines % 2 == 0 ? SOLID : DASHED, SeriesMarkers.NONE);
    }

    /** A line with its points marked. */
    public Lines dotted(String name, double[] x, double[] y) {
        return add(name, x, y, lines % 2 == 0 ? SOLID : DASHED, SeriesMarkers.CIRCLE);
    }

    private Lines add(String name, double[] x, double[] y, BasicStroke stroke, Marker marker) {
        double[][] finite = finite(x, y);
        if (finite[0].length == 0) return this;
        if (lines == 0 && finite[0].length > 1) roundTicks(finite[0], finite[1][0]);
        lines++;
        series(name, finite, stroke, marker);
        return this;
    }

    /** In the colour of the line added last. */
    private XYSeries series(String name, double[][] points, BasicStroke stroke, Marker marker) {
        XYSeries series = chart.addSeries(name, points[0], points[1]);
        Color colour = PALETTE[(lines - 1) % PALETTE.length];
        series.setLineColor(colour).setLineStyle(stroke);
        series.setMarker(marker).setMarkerColor(colour);
        return series;
    }

    /** XChart puts ticks at data that are equally spaced, be they thirds; one point between them, not drawn, gives round numbers. */
    private void roundTicks(double[] x, double y) {
        if (Arrays.stream(x).allMatch(v -> v == Math.rint(v))) return;
        XYSeries apart =
                chart.addSeries("ticks at round numbers", new double[] {x[0] + 0.38 * (x[1] - x[0])}, new double[] {y});
        apart.setLineStyle(SeriesLines.NONE);
        apart.setMarker(SeriesMarkers.NONE);
        apart.setShowInLegend(false);
    }

    /** Fine lines around the line added last; the legend has no room for them. */
    public Lines band(double[] x, double[] low, double[] high) {
        for (double[] edge : new double[][] {low, high}) {
            double[][] finite = finite(x, edge);
            if (finite[0].length == 0) continue;
            series("edge " + extras++, finite, EDGE, SeriesMarkers.NONE).setShowInLegend(false);
        }
        return this;
    }

    /** Points without a line, in the colour of the line added last. */
    Lines dots(double[] x, double[] y) {
        XYSeries dots = series("dots " + extras++, new double[][] {x, y}, SOLID, SeriesMarkers.CIRCLE);
        dots.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        dots.setShowInLegend(false);
        return this;
    }

    /** Null where no line has a point. */
    @Nullable
    Lines orNull() {
        return lines == 0 ? null : this;
    }

    public Lines logarithmic() {
        chart.getStyler().setYAxisLogarithmic(true);
        return this;
    }

    private static double[][] finite(double[] x, double[] y) {
        int[] kept =
                IntStream.range(0, x.length).filter(i -> Double.isFinite(y[i])).toArray();
        double[][] out = new double[2][kept.length];
        for (int i = 0; i < kept.length; i++) {
            out[0][i] = x[kept[i]];
            out[1][i] = y[kept[i]];
        }
        return out;
    }

    @Override
    void paint(Graphics2D g) {
        chart.paint(g, width, height);
    }
}
