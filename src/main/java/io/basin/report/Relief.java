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

/**
 * Values over a plane as hills seen from above and aside, for lectures: every cell of the grid is a quadrilateral, painted from the
 * farthest to the nearest. The highest tenth of the values is cut off, since a wall would make a plain of everything else.
 */
public final class Relief extends Picture {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 560;
    private static final double KEPT = 0.9;
    /** Of half the base's side and of the hills, in pixels. */
    private static final double SIDE = 215;

    private static final double HILLS = 200;
    private static final double TURN = Math.toRadians(32);
    private static final double TILT = Math.sin(Math.toRadians(32));
    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 16);
    private static final Font LABEL = new Font(Font.SANS_SERIF, Font.BOLD, 13);

    private record Mark(String label, double x, double y) {}

    private record Cell(Path2D shape, Color colour, double nearness) {}

    private final String unit;
    private final double[] xs;
    private final double[] ys;
    private final double[][] z;
    private final Bands bands;
    private final double top;
    private final List<Mark> marks = new ArrayList<>();

    /** As for {@link Contours}, whose colours it has. */
    public Relief(String title, String unit, double[] xs, double[] ys, double[][] z, double step) {
        super(title, WIDTH, HEIGHT);
        this.unit = unit;
        this.xs = xs.clone();
        this.ys = ys.clone();
        this.z = Arrays.stream(z).map(double[]::clone).toArray(double[][]::new);
        bands = new Bands(z, step);
        double[] sorted = Arrays.stream(z)
                .flatMapToDouble(Arrays::stream)
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        top = sorted.length == 0 ? 1 : Math.max(sorted[(int) (KEPT * (sorted.length - 1))], Math.nextUp(bands.min));
    }

    /** Up to where values are shown. */
    public double top() {
        return top;
    }

    public Relief mark(String label, double x, double y) {
        marks.add(new Mark(label, x, y));
        return this;
    }

    /** From -1 to 1 along an axis. */
    private static double unit(double[] axis, double at) {
        return 2 * (at - axis[0]) / (axis[axis.length - 1] - axis[0]) - 1;
    }

    private static double nearness(double u, double v) {
        return u * Math.sin(TURN) - v * Math.cos(TURN);
    }

    /** @param h from 0, the lowest value, to 1, the highest that is kept */
    private static Point2D at(double u, double v, double h) {
        double across = u * Math.cos(TURN) + v * Math.sin(TURN);
        return new Point2D.Double(300 + SIDE * across, 345 + SIDE * TILT * nearness(u, v) - HILLS * h);
    }

    private double height(double value) {
        return Double.isFinite(value) ? Math.min(1, (value - bands.min) / (top - bands.min)) : 1;
    }

    @Override
    void paint(Graphics2D g) {
        g.setColor(Color.WHITE);
        g.fill(new Rectangle2D.Double(0, 0, width, height));
        g.setStroke(new BasicStroke(0.4f));
        for (Cell cell : cells()) {
            g.setColor(cell.colour());
            g.fill(cell.shape());
            g.setColor(new Color(0, 0, 0, 110));
            g.draw(cell.shape());
        }
        g.setFont(LABEL);
        for (Mark m : marks) mark(g, m);
        bands.bar(g, WIDTH - 126, 60, 380, unit);
        g.setFont(TITLE);
        g.drawString(title, 20, 28);
    }

    private List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        for (int i = 0; i + 1 < ys.length; i++) {
            for (int j = 0; j + 1 < xs.length; j++) {
                Path2D path = new Path2D.Double();
                double sum = 0;
                for (int[] c : new int[][] {{i, j}, {i, j + 1}, {i + 1, j + 1}, {i + 1, j}}) {
                    Point2D p = at(unit(xs, xs[c[1]]), unit(ys, ys[c[0]]), height(z[c[0]][c[1]]));
                    if (path.getCurrentPoint() == null) path.moveTo(p.getX(), p.getY());
                    else path.lineTo(p.getX(), p.getY());
                    sum += z[c[0]][c[1]] / 4;
                }
                path.closePath();
                cells.add(new Cell(path, bands.colour(sum), nearness(unit(xs, xs[j]), unit(ys, ys[i]))));
            }
        }
        cells.sort(Comparator.comparingDouble(Cell::nearness));
        return cells;
    }

    /** A pin at the nearest cell's height. */
    private void mark(Graphics2D g, Mark m) {
        double u = unit(xs, m.x());
        double v = unit(ys, m.y());
        if (Math.abs(u) > 1 || Math.abs(v) > 1) return;
        int j = (int) Math.round((u + 1) / 2 * (xs.length - 1));
        int i = (int) Math.round((v + 1) / 2 * (ys.length - 1));
        Point2D foot = at(u, v, height(z[i][j]));
        double head = foot.getY() - 60;
        g.setColor(Color.BLACK);
        g.setStroke(new BasicStroke(1.4f));
        g.draw(new Line2D.Double(foot.getX(), foot.getY(), foot.getX(), head));
        g.fill(new Ellipse2D.Double(foot.getX() - 4, head - 4, 8, 8));
        g.drawString(m.label(), (float) foot.getX() + 7, (float) head + 4);
    }
}
