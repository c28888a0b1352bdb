package io.basin.report;

import io.basin.Nullable;
import io.basin.text.Format;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Shape;
import java.awt.Stroke;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.text.NumberFormat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.ChartRenderingInfo;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.annotations.XYPolygonAnnotation;
import org.jfree.chart.axis.LogarithmicAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnitSource;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.SeriesRenderingOrder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.text.TextUtils;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * A chart of lines over one axis, each with an optional band. Methods look alike in every figure ({@link MethodStyle}),
 * a method's second line is a fine one; other lines take styles in their order.
 */
public final class Lines extends Picture {
    private static final MethodStyle GREY = new MethodStyle(Color.GRAY, MethodStyle.stroke(1), new Ellipse2D.Double());
    private static final Stroke EDGE = MethodStyle.stroke(0.8f, 2, 3);
    private static final int HINTS = 40;
    private static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 15);

    static {
        // Else text that stands upright is drawn as outlines, which cannot be searched or read aloud.
        TextUtils.setUseDrawRotatedStringWorkaround(false);
    }

    private final XYSeriesCollection series = new XYSeriesCollection();
    private final XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, false);
    private final JFreeChart chart;
    /** How many lines of each method there are. */
    private final Map<Integer, Integer> drawn = new HashMap<>();

    private final List<Hint> hints = new ArrayList<>();
    private int lines;
    private MethodStyle style = MethodStyle.of(0, false);

    public Lines(String title, String x, String y) {
        super(title, 860, 400);
        chart = ChartFactory.createXYLineChart(title, x, y, series);
        chart.setBackgroundPaint(Color.WHITE);
        chart.getTitle().setFont(TITLE);
        chart.setPadding(new RectangleInsets(4, 4, 4, 8));
        chart.getLegend().setPosition(RectangleEdge.RIGHT);
        chart.getLegend().setItemFont(SMALL);
        chart.getLegend().setFrame(BlockBorder.NONE);
        XYPlot plot = chart.getXYPlot();
        plot.setRenderer(renderer);
        plot.setBackgroundPaint(Color.WHITE);
        plot.setOutlineVisible(false);
        plot.setSeriesRenderingOrder(SeriesRenderingOrder.FORWARD);
        plot.setDomainGridlinePaint(new Color(0xDDDDDD));
        plot.setRangeGridlinePaint(new Color(0xDDDDDD));
        axes(plot);
        // Room for a marker, and none for what no epoch is before.
        plot.getDomainAxis().setLowerMargin(0.01);
        plot.getDomainAxis().setUpperMargin(0.01);
        // About a single point: ticks that can be told apart.
        plot.getDomainAxis().setAutoRangeMinimumSize(0.01);
        renderer.setDrawSeriesLineAsPath(true);
    }

    private static void axes(XYPlot plot) {
        for (NumberAxis axis : List.of((NumberAxis) plot.getDomainAxis(), (NumberAxis) plot.getRangeAxis())) {
            axis.setAutoRangeIncludesZero(false);
            axis.setAutoRangeStickyZero(false);
            axis.setStandardTickUnits(new NumberTickUnitSource(false, digits()));
            axis.setLabelFont(SMALL);
            axis.setTickLabelFont(SMALL);
        }
    }

    /** The same digits whatever language the program's user reads. */
    private static NumberFormat digits() {
        NumberFormat digits = NumberFormat.getInstance(Locale.ROOT);
        digits.setGroupingUsed(false);
        digits.setMaximumFractionDigits(7);
        return digits;
    }

    /** A line. Points that are not finite are left out. */
    public Lines line(String name, double[] x, double[] y) {
        return add(name, x, y, false);
    }

    /** A line with its points marked. */
    public Lines dotted(String name, double[] x, double[] y) {
        return add(name, x, y, true);
    }

    private Lines add(String name, double[] x, double[] y, boolean marked) {
        XYSeries points = points(name, x, y);
        if (points.isEmpty()) return this;
        int method = MethodStyle.place(name);
        int before = method < 0 ? 0 : drawn.merge(method, 1, Integer::sum) - 1;
        style = MethodStyle.of(method < 0 ? lines : method, before > 0);
        lines++;
        // Of a single point a line shows nothing.
        put(points, style.stroke(), marked || points.getItemCount() == 1 ? style.marker() : null);
        return this;
    }

    /** In the colour of the line added last. */
    private int put(XYSeries points, Stroke stroke, @Nullable Shape marker) {
        int i = series.getSeriesCount();
        series.addSeries(points);
        renderer.setSeriesPaint(i, style.colour());
        renderer.setSeriesStroke(i, stroke);
        renderer.setSeriesShapesVisible(i, marker != null);
        if (marker != null) renderer.setSeriesShape(i, marker);
        return i;
    }

    /** Fine lines around the line added last; the legend has no room for them. */
    public Lines band(double[] x, double[] low, double[] high) {
        for (double[] edge : new double[][] {low, high}) {
            XYSeries points = points("edge " + series.getSeriesCount(), x, edge);
            if (!points.isEmpty()) renderer.setSeriesVisibleInLegend(put(points, EDGE, null), false);
        }
        return this;
    }

    /** A pale area between two edges, in the colour of the line added last: the error of its figures. */
    public Lines shade(double[] x, double[] low, double[] high) {
        double[] polygon = new double[4 * x.length];
        for (int i = 0; i < x.length; i++) {
            if (!Double.isFinite(low[i]) || !Double.isFinite(high[i])) return this;
            polygon[2 * i] = x[i];
            polygon[2 * i + 1] = low[i];
            polygon[polygon.length - 2 * i - 2] = x[i];
            polygon[polygon.length - 2 * i - 1] = high[i];
        }
        Color paint = new Color(
                style.colour().getRed(),
                style.colour().getGreen(),
                style.colour().getBlue(),
                40);
        chart.getXYPlot().addAnnotation(new XYPolygonAnnotation(polygon, null, null, paint), false);
        // Not drawn, but in the axis' range.
        for (double[] edge : new double[][] {low, high}) {
            int i = put(points("shade " + series.getSeriesCount(), x, edge), EDGE, null);
            renderer.setSeriesLinesVisible(i, false);
            renderer.setSeriesVisibleInLegend(i, false);
        }
        return this;
    }

    /** A pale grey area that no line belongs to. */
    public Lines zone(double[] x, double[] low, double[] high) {
        style = GREY;
        return shade(x, low, high);
    }

    /** Points without a line, in the colour of the line added last. */
    Lines dots(double[] x, double[] y) {
        int i = put(points("dots " + series.getSeriesCount(), x, y), EDGE, style.marker());
        renderer.setSeriesLinesVisible(i, false);
        renderer.setSeriesVisibleInLegend(i, false);
        return this;
    }

    /** Null where no line has a point. */
    @Nullable
    Lines orNull() {
        return lines == 0 ? null : this;
    }

    public Lines logarithmic() {
        LogarithmicAxis axis =
                new LogarithmicAxis(chart.getXYPlot().getRangeAxis().getLabel());
        axis.setLabelFont(SMALL);
        axis.setTickLabelFont(SMALL);
        axis.setStrictValuesFlag(false);
        axis.setAutoRangeNextLogFlag(true);
        axis.setNumberFormatOverride(digits());
        chart.getXYPlot().setRangeAxis(axis);
        return this;
    }

    private static XYSeries points(String name, double[] x, double[] y) {
        XYSeries points = new XYSeries(name, false);
        for (int i = 0; i < x.length; i++) if (Double.isFinite(y[i])) points.add(x[i], y[i], false);
        return points;
    }

    @Override
    void paint(Graphics2D g) {
        ChartRenderingInfo info = new ChartRenderingInfo(null);
        chart.draw(g, new Rectangle2D.Double(0, 0, width, height), info);
        Rectangle2D area = info.getPlotInfo().getDataArea();
        hints.clear();
        for (int i = 0; i < series.getSeriesCount(); i++) {
            if (!Boolean.FALSE.equals(renderer.isSeriesVisibleInLegend(i))) hint(series.getSeries(i), area);
        }
    }

    /** The points of a line, or as many of them as a pointer can tell apart. */
    private void hint(XYSeries line, Rectangle2D area) {
        XYPlot plot = chart.getXYPlot();
        int every = (line.getItemCount() + HINTS - 1) / HINTS;
        for (int i = line.getItemCount() - 1; i >= 0; i -= every) {
            double x = line.getX(i).doubleValue();
            double y = line.getY(i).doubleValue();
            String text = Format.of("%s: %.6g at %s", line.getKey(), y, digits().format(x));
            hints.add(new Hint(
                    plot.getDomainAxis().valueToJava2D(x, area, plot.getDomainAxisEdge()),
                    plot.getRangeAxis().valueToJava2D(y, area, plot.getRangeAxisEdge()),
                    text));
        }
    }

    @Override
    List<Hint> hints() {
        return hints;
    }
}
