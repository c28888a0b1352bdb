package io.basin.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Point2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Values over a plane as hills seen from above and aside, for lectures: every cell of the grid is a quadrilateral, painted from the
 * farthest to the nearest. The highest tenth of the values is cut off, since a wall would make a plain of everything else.
 */
public final class Relief extends Picture {
    private static final double KEPT = 0.9;
    /** Half the base's side, and the hills' height, in pixels. */
    private static final double SIDE = 215;

    private static final double HILLS = 180;
    private static final double ANGLE = Math.toRadians(32);

    private record Mark(String label, double x, double y) {}

    private final String unit;
    private final double[] xs;
    private final double[] ys;
    private final double[][] z;
    private final Bands bands;
    private final double top;
    private final List<Mark> marks = new ArrayList<>();

    /** As for {@link Contours}, whose colours it has. */
    public Relief(String title, String unit, double[] xs, double[] ys, double[][] z, double step) {
        super(title, 760, 560);
        this.unit = unit;
        this.xs = xs.clone();
        this.ys = ys.clone();
        this.z = Arrays.stream(z).map(double[]::clone).toArray(double[][]::new);
        bands = new Bands(z, step);
        double[] all = Arrays.stream(z).flatMapToDouble(Arrays::stream).sorted().toArray();
        double kept = all[(int) (KEPT * (all.length - 1))];
        top = kept > bands.min && kept < bands.max ? kept : Math.max(bands.max, Math.nextUp(bands.min));
    }

    /** Marks a point by a pin; nothing where it lies outside. */
    public Relief mark(String label, double x, double y) {
        if (Math.abs(unit(xs, x)) <= 1 && Math.abs(unit(ys, y)) <= 1) marks.add(new Mark(label, x, y));
        return this;
    }

    /** From -1 to 1 along an axis. */
    private static double unit(double[] axis, double at) {
        return 2 * (at - axis[0]) / (axis[axis.length - 1] - axis[0]) - 1;
    }

    private double nearness(double x, double y) {
        return unit(xs, x) * Math.sin(ANGLE) - unit(ys, y) * Math.cos(ANGLE);
    }

    /** The place in the picture of a point of the plane with this value. */
    private Point2D at(double x, double y, double value) {
        double across = unit(xs, x) * Math.cos(ANGLE) + unit(ys, y) * Math.sin(ANGLE);
        double up = Double.isFinite(value) ? Math.min(1, (value - bands.min) / (top - bands.min)) : 1;
        double down = SIDE * Math.sin(ANGLE) * nearness(x, y);
        return new Point2D.Double(300 + SIDE * across, 385 + down - HILLS * up);
    }

    @Override
    void paint(Graphics2D g) {
        int across = xs.length - 1;
        IntStream.range(0, across * (ys.length - 1))
                .boxed()
                .sorted(Comparator.comparingDouble(k -> nearness(xs[k % across], ys[k / across])))
                .forEach(k -> cell(g, k / across, k % across));
        g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 13));
        g.setStroke(new BasicStroke(1.4f));
        for (Mark m : marks) {
            int i = (int) Math.round((unit(ys, m.y()) + 1) / 2 * (ys.length - 1));
            int j = (int) Math.round((unit(xs, m.x()) + 1) / 2 * (xs.length - 1));
            Point2D foot = at(m.x(), m.y(), z[i][j]);
            double head = foot.getY() - 60;
            g.draw(new Line2D.Double(foot.getX(), foot.getY(), foot.getX(), head));
            g.fill(new Ellipse2D.Double(foot.getX() - 4, head - 4, 8, 8));
            g.setColor(new Color(255, 255, 255, 205));
            g.fill(new Rectangle2D.Double(
                    foot.getX() + 5, head - 9, g.getFontMetrics().stringWidth(m.label()) + 4.0, 17));
            g.setColor(Color.BLACK);
            g.drawString(m.label(), (float) foot.getX() + 7, (float) head + 4);
        }
        bands.bar(g, width - 126.0, 60, 380, unit);
        g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 16));
        g.drawString(title, 20, 28);
    }

    /** Its colour is that of the mean of its corners. */
    private void cell(Graphics2D g, int i, int j) {
        Path2D path = new Path2D.Double();
        double sum = 0;
        for (int[] c : new int[][] {{i, j}, {i, j + 1}, {i + 1, j + 1}, {i + 1, j}}) {
            Point2D p = at(xs[c[1]], ys[c[0]], z[c[0]][c[1]]);
            if (path.getCurrentPoint() == null) path.moveTo(p.getX(), p.getY());
            else path.lineTo(p.getX(), p.getY());
            sum += z[c[0]][c[1]] / 4;
        }
        path.closePath();
        g.setColor(bands.colour(sum));
        g.fill(path);
        g.setStroke(new BasicStroke(0.4f));
        g.setColor(Color.BLACK);
        g.draw(path);
    }
}
