package io.basin.report;

import io.basin.text.Format;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.geom.Line2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * A forest plot: one row a method, its difference to a baseline as a mark in the method's own colour and shape, its interval as a
 * line, and the line of no difference. Rows of one group stand together under the group's name.
 */
public final class Forest extends Picture {
    /** The title of differences of accuracy to SGD. */
    static final String POINTS = "test accuracy, points more than SGD's";

    private static final int WIDTH = 860;
    private static final int LEFT = 150;
    private static final int RIGHT = 170;
    private static final int TOP = 44;
    private static final int BOTTOM = 52;
    private static final int LINE = 24;
    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 15);
    private static final Font GROUP = new Font(Font.SANS_SERIF, Font.BOLD, 12);
    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    private static final Color GRID = new Color(0xDDDDDD);

    /**
     * One method beside the baseline.
     *
     * @param group that the row belongs to, such as a regime; empty where there is but one
     * @param low and high: of the interval; both NaN where there is none
     */
    public record Row(String group, String method, double difference, double low, double high) {
        /** The number and, where there is one, its interval; a signed figure each. */
        String text() {
            String interval = Double.isNaN(low) ? ", no interval" : Format.of(" [%+.2f, %+.2f]", low, high);
            return Format.of("%+.2f", difference) + interval;
        }
    }

    private final String axis;
    private final List<Row> rows;
    private final List<Hint> hints = new ArrayList<>();
    private final double least;
    private final double most;

    /**
     * @param axis what the differences are, such as {@code accuracy, points more than SGD's}
     * @param rows in their order; those of a group one after the other
     */
    public Forest(String title, String axis, List<Row> rows) {
        super(title, WIDTH, TOP + BOTTOM + LINE * (rows.size() + headings(rows)));
        this.axis = axis;
        this.rows = List.copyOf(rows);
        double[] all = rows.stream()
                .flatMapToDouble(r -> DoubleStream.of(r.difference(), r.low(), r.high()))
                .filter(Double::isFinite)
                .toArray();
        double low = Math.min(0, DoubleStream.of(all).min().orElse(-1));
        double high = Math.max(0, DoubleStream.of(all).max().orElse(1));
        double margin = high > low ? 0.06 * (high - low) : 1;
        least = low - margin;
        most = high + margin;
    }

    @Override
    List<Hint> hints() {
        return hints;
    }

    private static int headings(List<Row> rows) {
        return (int) rows.stream()
                .map(Row::group)
                .filter(g -> !g.isEmpty())
                .distinct()
                .count();
    }

    private double x(double difference) {
        return LEFT + (difference - least) / (most - least) * (WIDTH - LEFT - RIGHT);
    }

    @Override
    void paint(Graphics2D g) {
        g.setColor(Color.BLACK);
        g.setFont(TITLE);
        g.drawString(title, 8, 22);
        axis(g);
        hints.clear();
        String group = "";
        int y = TOP;
        for (Row row : rows) {
            if (!row.group().equals(group)) {
                group = row.group();
                g.setFont(GROUP);
                // The line of no difference does not run through words.
                g.setColor(Color.WHITE);
                g.fill(new Rectangle2D.Double(8, y + 4, g.getFontMetrics().stringWidth(group) + 4, LINE - 6));
                g.setColor(Color.BLACK);
                g.drawString(group, 8, y + 17);
                y += LINE;
            }
            row(g, row, y + LINE / 2.0);
            y += LINE;
        }
    }

    private void axis(Graphics2D g) {
        double below = height - BOTTOM;
        g.setFont(PLAIN);
        for (double tick : Ticks.of(least, most)) {
            g.setStroke(new BasicStroke(1));
            g.setColor(GRID);
            g.draw(new Line2D.Double(x(tick), TOP, x(tick), below));
            g.setColor(Color.BLACK);
            centred(g, Ticks.text(tick), x(tick), below + 17);
        }
        g.setStroke(new BasicStroke(1.4f));
        g.draw(new Line2D.Double(x(0), TOP - 4, x(0), below + 4));
        centred(g, axis, (LEFT + WIDTH - RIGHT) / 2.0, below + 38);
    }

    private static void centred(Graphics2D g, String text, double x, double y) {
        g.drawString(text, (float) (x - g.getFontMetrics().stringWidth(text) / 2.0), (float) y);
    }

    private void row(Graphics2D g, Row row, double y) {
        MethodStyle style = MethodStyle.of(Math.max(0, MethodStyle.place(row.method())), false);
        if (MethodStyle.place(row.method()) < 0) style = new MethodStyle(Color.BLACK, style.stroke(), style.marker());
        g.setFont(PLAIN);
        g.setColor(Color.BLACK);
        g.drawString(row.method(), row.group().isEmpty() ? 8 : 20, (float) y + 4);
        g.drawString(row.text(), WIDTH - RIGHT + 10, (float) y + 4);
        g.setColor(style.colour());
        g.setStroke(new BasicStroke(2.2f));
        if (!Double.isNaN(row.low())) {
            g.draw(new Line2D.Double(x(row.low()), y, x(row.high()), y));
            for (double end : new double[] {row.low(), row.high()}) {
                g.draw(new Line2D.Double(x(end), y - 4, x(end), y + 4));
            }
        }
        String of = row.group().isEmpty() ? row.method() : row.group() + ", " + row.method();
        hints.add(new Hint(x(row.difference()), y, of + ": " + row.text()));
        AffineTransform at = AffineTransform.getTranslateInstance(x(row.difference()), y);
        at.scale(1.4, 1.4);
        g.fill(at.createTransformedShape(style.marker()));
    }
}
