package io.basin.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.util.Arrays;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A chart of lines over one axis, each with an optional band, in colours and dashes that colour-blind readers tell apart. */
public final class Lines implements Picture {
    private static final int WIDTH = 860;
    private static final int HEIGHT = 400;
    private static final BasicStroke SOLID = new BasicStroke(2.2f);
    private static final BasicStroke DASHED =
            new BasicStroke(2.2f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {7, 5}, 0);
    private static final BasicStroke EDGE =
            new BasicStroke(0.8f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {2, 3}, 0);

    private final String title;
    private final XYChart chart;
    private int lines;
    private int edges;

    public Lines(String title, String x, String y) {
        this.title = title;
        chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
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
        XYSeries series = chart.addSeries(name, finite[0], finite[1]);
        Color colour = Charts.PALETTE[lines++ % Charts.PALETTE.length];
        series.setLineColor(colour).setLineStyle(stroke);
        series.setMarker(marker).setMarkerColor(colour);
        return this;
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

    /** Fine lines around the line added last. */
    public Lines band(double[] x, double[] low, double[] high) {
        Color colour = Charts.PALETTE[(lines - 1) % Charts.PALETTE.length];
        for (double[] edge : new double[][] {low, high}) {
            double[][] finite = finite(x, edge);
            if (finite[0].length == 0) continue;
            XYSeries series = chart.addSeries("edge " + edges++, finite[0], finite[1]);
            series.setLineColor(colour).setLineStyle(EDGE);
            series.setMarker(SeriesMarkers.NONE);
            series.setShowInLegend(false);
        }
        return this;
    }

    public Lines logarithmic() {
        chart.getStyler().setYAxisLogarithmic(true);
        return this;
    }

    private static double[][] finite(double[] x, double[] y) {
        int[] kept = java.util.stream.IntStream.range(0, x.length)
                .filter(i -> Double.isFinite(y[i]))
                .toArray();
        double[][] out = new double[2][kept.length];
        for (int i = 0; i < kept.length; i++) {
            out[0][i] = x[kept[i]];
            out[1][i] = y[kept[i]];
        }
        return out;
    }

    @Override
    public String title() {
        return title;
    }

    @Override
    public int width() {
        return WIDTH;
    }

    @Override
    public int height() {
        return HEIGHT;
    }

    @Override
    public void paint(Graphics2D g) {
        chart.paint(g, WIDTH, HEIGHT);
    }
}
