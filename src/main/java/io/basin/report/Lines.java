package io.basin.report;

import io.basin.Nullable;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.Polygon;
import java.awt.Shape;
import java.awt.Stroke;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.text.NumberFormat;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jfree.chart.ChartFactory;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.LogarithmicAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.axis.NumberTickUnitSource;
import org.jfree.chart.block.BlockBorder;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.chart.ui.RectangleEdge;
import org.jfree.chart.ui.RectangleInsets;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;

/**
 * A chart of lines over one axis, each with an optional band. A method has one colour, dash and marker in every figure, which
 * colour-blind readers tell apart too; other lines take those that are left.
 */
public final class Lines extends Picture {
    /** Okabe and Ito's. */
    private static final Color[] PALETTE = {
        new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7),
        new Color(0xE69F00), new Color(0x56B4E9), new Color(0x000000), new Color(0x999999)
    };

    /** In the order of their colours: those that stand beside each other most often differ most. */
    private static final List<String> METHODS = List.of(
            "sgd", "swa", "fge", "snapshot", "ema", "independent", "swag", "swap", "swa-cyclic", "lawa", "tail");

    private static final float[][] DASHES = {{}, {7, 4}, {2, 3}, {9, 3, 2, 3}};
    private static final Shape[] MARKERS = {
        new Ellipse2D.Double(-3.5, -3.5, 7, 7),
        new Rectangle2D.Double(-3, -3, 6, 6),
        new Polygon(new int[] {-4, 4, 0}, new int[] {3, 3, -4}, 3),
        new Polygon(new int[] {-4, 0, 4, 0}, new int[] {0, 4, 0, -4}, 4)
    };
    private static final Stroke EDGE = stroke(0.8f, new float[] {2, 3});
    private static final Font SMALL = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 15);

    private final XYSeriesCollection series = new XYSeriesCollection();
    private final XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, false);
    private final JFreeChart chart;
    /** How many lines of each method, or of none, there are. */
    private final Map<Integer, Integer> drawn = new HashMap<>();

    private int lines;
    private Color colour = PALETTE[0];

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
        plot.setDomainGridlinePaint(new Color(0xDDDDDD));
        plot.setRangeGridlinePaint(new Color(0xDDDDDD));
        axes(plot);
        // Room for a marker, and none for what no epoch is before.
        plot.getDomainAxis().setLowerMargin(0.01);
        plot.getDomainAxis().setUpperMargin(0.01);
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
        int method = METHODS.indexOf(name.split("[ ,+]")[0]);
        int before = drawn.merge(method, 1, Integer::sum) - 1;
        int style = method >= 0 ? method : lines;
        lines++;
        colour = PALETTE[style % PALETTE.length];
        // A method's second line is dashed; so are methods and lines whose colour is another's too, and every second
        // line of no method.
        int dash = style / PALETTE.length + (method >= 0 ? before : lines - 1);
        put(points, stroke(2.2f, DASHES[dash % DASHES.length]), marked ? MARKERS[style % MARKERS.length] : null);
        return this;
    }

    private static Stroke stroke(float width, float[] dash) {
        float[] pattern = dash.length == 0 ? null : dash;
        return new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, pattern, 0);
    }

    /** In the colour of the line added last. */
    private int put(XYSeries points, Stroke stroke, @Nullable Shape marker) {
        int i = series.getSeriesCount();
        series.addSeries(points);
        renderer.setSeriesPaint(i, colour);
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

    /** Points without a line, in the colour of the line added last. */
    Lines dots(double[] x, double[] y) {
        int i = put(points("dots " + series.getSeriesCount(), x, y), EDGE, MARKERS[0]);
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
        chart.draw(g, new Rectangle2D.Double(0, 0, width, height));
    }
}
