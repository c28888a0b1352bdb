package io.basin.report;

import java.awt.Color;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Line charts as SVG, in Okabe and Ito's colours, which colour-blind readers tell apart. */
public final class Charts {
    static final Color[] PALETTE = {
        new Color(0x0072B2), new Color(0xD55E00), new Color(0x009E73), new Color(0xCC79A7),
        new Color(0xE69F00), new Color(0x56B4E9), new Color(0x000000), new Color(0x999999)
    };
    private static final int POINTS = 400;

    private Charts() {}

    /** The rate over epochs, one line a method, collections as dots; empty where the machine cannot draw. */
    public static String learningRates(List<Summary.Plotted> methods) {
        Picture chart = new Picture("Learning rate", "epochs", "learning rate");
        for (Summary.Plotted m : methods) {
            chart.add(m.method(), thinned(m.lr(), m.stepsPerEpoch()));
            if (m.collections().length > 0 && m.collections().length <= POINTS) collected(chart, m);
        }
        return svg(chart);
    }

    private static void collected(Picture chart, Summary.Plotted m) {
        double[][] dots = new double[2][m.collections().length];
        for (int i = 0; i < dots[0].length; i++) {
            dots[0][i] = (m.collections()[i] + 1.0) / m.stepsPerEpoch();
            dots[1][i] = m.lr()[m.collections()[i]];
        }
        XYSeries series = chart.chart.addSeries(m.method() + " collects", dots[0], dots[1]);
        series.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        series.setMarker(SeriesMarkers.CIRCLE).setMarkerColor(chart.colour());
        // In the method's own colour; the legend would not fit with twice the entries.
        series.setShowInLegend(false);
    }

    /** The averaging weight over epochs where it is not zero; empty where no method averages. */
    public static String averagingWeights(List<Summary.Plotted> methods) {
        Picture chart = new Picture("Averaging weight", "epochs", "alpha");
        for (Summary.Plotted m : methods) {
            List<Integer> steps = new ArrayList<>();
            for (int i = 0; i < m.alpha().length; i++) if (m.alpha()[i] != 0) steps.add(i);
            if (steps.isEmpty()) continue;
            int stride = Math.max(1, steps.size() / POINTS);
            double[][] line = new double[2][(steps.size() + stride - 1) / stride];
            for (int i = 0; i < line[0].length; i++) {
                line[0][i] = (steps.get(i * stride) + 1.0) / m.stepsPerEpoch();
                line[1][i] = m.alpha()[steps.get(i * stride)];
            }
            chart.add(m.method(), line);
        }
        if (chart.lines == 0) return "";
        chart.chart.getStyler().setYAxisLogarithmic(true);
        return svg(chart);
    }

    /** A figure of the runs over epochs, mean over seeds; empty where nothing was trained. */
    public static String curves(Summary summary, String title, ToDoubleFunction<Summary.Point> figure) {
        Map<String, TreeMap<Double, double[]>> lines = new LinkedHashMap<>();
        for (Summary.Curve curve : summary.curves()) {
            TreeMap<Double, double[]> line = lines.computeIfAbsent(curve.run(), k -> new TreeMap<>());
            for (Summary.Point p : curve.points()) {
                double[] sum = line.computeIfAbsent(p.epoch(), k -> new double[2]);
                sum[0] += figure.applyAsDouble(p);
                sum[1]++;
            }
        }
        Picture chart = new Picture(title, "epochs", title);
        lines.forEach((run, line) -> {
            if (line.isEmpty()) return;
            double[] x = line.keySet().stream().mapToDouble(d -> d).toArray();
            double[] y = line.values().stream().mapToDouble(s -> s[0] / s[1]).toArray();
            chart.add(run, new double[][] {x, y});
        });
        return chart.lines == 0 ? "" : svg(chart);
    }

    /** A chart and how many lines it has, which decides the next one's colour. */
    private static final class Picture {
        private final XYChart chart;
        private int lines;

        Picture(String title, String x, String y) {
            chart = new XYChartBuilder()
                    .width(860)
                    .height(380)
                    .title(title)
                    .xAxisTitle(x)
                    .yAxisTitle(y)
                    .build();
            chart.getStyler().setLocale(Locale.ROOT);
            chart.getStyler().setChartBackgroundColor(Color.WHITE);
            chart.getStyler().setPlotGridLinesColor(new Color(0xDDDDDD));
            chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
            chart.getStyler().setLegendBorderColor(Color.WHITE);
        }

        void add(String name, double[][] line) {
            lines++;
            XYSeries series = chart.addSeries(name, line[0], line[1]);
            series.setMarker(SeriesMarkers.NONE);
            series.setLineColor(colour());
        }

        /** Of the line added last. */
        Color colour() {
            return PALETTE[(lines - 1) % PALETTE.length];
        }
    }

    /** Corners stay: a point is left out only where it lies on the line of its neighbours, or between many. */
    static double[][] thinned(double[] y, int stepsPerEpoch) {
        List<Integer> kept = new ArrayList<>();
        int stride = Math.max(1, y.length / POINTS);
        for (int i = 0; i < y.length; i++) {
            boolean end = i == 0 || i == y.length - 1;
            boolean corner = !end
                    && Math.abs(y[i + 1] - 2 * y[i] + y[i - 1])
                            > 0.05 * Math.max(Math.abs(y[i + 1]), Math.abs(y[i - 1]));
            if (end || corner || i % stride == 0) kept.add(i);
        }
        double[][] line = new double[2][kept.size()];
        for (int i = 0; i < kept.size(); i++) {
            line[0][i] = (double) kept.get(i) / stepsPerEpoch;
            line[1][i] = y[kept.get(i)];
        }
        return line;
    }

    private static String svg(Picture picture) {
        return Fonts.drawn(picture.chart.getTitle(), () -> drawn(picture)).orElse("");
    }

    // XChart marks its encoder as deprecated and offers no other way to write SVG to a stream.
    @SuppressWarnings("deprecation")
    private static String drawn(Picture picture) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            VectorGraphicsEncoder.saveVectorGraphic(picture.chart, out, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String text = out.toString(StandardCharsets.UTF_8);
        return text.substring(text.indexOf("<svg"));
    }
}
