package io.basin.report;

import io.basin.text.Format;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Point2D;
import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;

/**
 * Values over a plane as filled contours with logarithmic levels, a colour bar, and marks on top, which differ by shape and not only
 * by colour.
 */
public final class Contours extends Picture {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 620;
    private static final int LEFT = 74;
    private static final int TOP = 46;
    private static final int RIGHT = 150;
    private static final int BOTTOM = 96;
    /** Axes of one unit are drawn to one scale unless the picture would become a strip longer than this. */
    private static final double LONGEST = 2.5;

    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 16);
    private static final Font LABEL = new Font(Font.SANS_SERIF, Font.BOLD, 13);
    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    /** The kind of a mark, which decides its shape. */
    public enum Kind {
        NET,
        AVERAGE,
        TRAJECTORY
    }

    private record Mark(Kind kind, String label, double x, double y) {}

    private final String axis;
    private final String unit;
    private final double[] xs;
    private final double[] ys;
    private final double[][] z;
    private final Bands bands;
    private final List<Mark> marks = new ArrayList<>();
    private final List<Path2D> lines = new ArrayList<>();
    private final Rectangle2D plot;
    private final AffineTransform pixels;

    /**
     * @param axis what x and y are, such as {@code distance in weight space}
     * @param unit of the values, such as {@code train loss, nats}
     * @param z at (row y, column x); values that are not finite are drawn as higher than all others
     * @param step by which levels differ at least, which is what the values may be off by
     */
    public Contours(String title, String axis, String unit, double[] xs, double[] ys, double[][] z, double step) {
        super(title, WIDTH, (int) Math.ceil(TOP + BOTTOM + plot(xs, ys).getHeight()));
        this.axis = axis;
        this.unit = unit;
        this.xs = xs.clone();
        this.ys = ys.clone();
        this.z = new double[z.length][];
        for (int i = 0; i < z.length; i++) {
            this.z[i] = z[i].clone();
            for (int j = 0; j < z[i].length; j++) {
                if (!Double.isFinite(z[i][j])) this.z[i][j] = Double.POSITIVE_INFINITY;
            }
        }
        bands = new Bands(this.z, step);
        plot = plot(xs, ys);
        double sx = plot.getWidth() / range(xs);
        double sy = plot.getHeight() / range(ys);
        pixels = new AffineTransform(sx, 0, 0, -sy, LEFT - sx * xs[0], plot.getMaxY() + sy * ys[0]);
    }

    private static double range(double[] axis) {
        return axis[axis.length - 1] - axis[0];
    }

    /** The area of the values: to one scale along both axes unless that makes a strip. */
    private static Rectangle2D plot(double[] xs, double[] ys) {
        double w = WIDTH - LEFT - RIGHT;
        double h = HEIGHT - TOP - BOTTOM;
        double ratio = range(xs) / range(ys);
        if (ratio <= LONGEST && ratio >= 1 / LONGEST) {
            double scale = Math.min(w / range(xs), h / range(ys));
            w = scale * range(xs);
            h = scale * range(ys);
        }
        return new Rectangle2D.Double(LEFT, TOP, w, h);
    }

    /** How many times as long as one of x a unit of y is drawn; 1 where the axes have one scale. */
    public double stretch() {
        double ratio = plot.getHeight() / range(ys) * range(xs) / plot.getWidth();
        return Math.abs(ratio - 1) < 1e-9 ? 1 : ratio;
    }

    /** Marks a point; trajectories are joined by a line in the order in which they are added. */
    public Contours mark(Kind kind, String label, double x, double y) {
        marks.add(new Mark(kind, label, x, y));
        return this;
    }

    /** Draws a path from point to point. */
    public Contours line(double[] x, double[] y) {
        Path2D path = new Path2D.Double();
        for (int i = 0; i < x.length; i++) Marks.to(path, x[i], y[i]);
        lines.add(path);
        return this;
    }

    private Point2D at(double x, double y) {
        return pixels.transform(new Point2D.Double(x, y), null);
    }

    @Override
    void paint(Graphics2D g) {
        fill(g);
        axes(g);
        bands.bar(g, plot.getMaxX() + 24, TOP, plot.getHeight(), unit);
        new Marks(g).paint();
        legend(g);
        g.setColor(Color.BLACK);
        g.setFont(TITLE);
        g.drawString(title, LEFT, TOP - 18);
    }

    private void fill(Graphics2D g) {
        Marching marching = new Marching(xs, ys, z);
        double[] levels = bands.levels();
        g.setColor(bands.colour(0));
        g.fill(plot);
        for (int k = 0; k < levels.length; k++) {
            g.setColor(bands.colour(k + 1));
            g.fill(pixels.createTransformedShape(marching.region(levels[k])));
        }
        g.setStroke(new BasicStroke(0.6f));
        g.setColor(new Color(0, 0, 0, 110));
        for (double level : levels) g.draw(pixels.createTransformedShape(marching.border(level)));
    }

    private void axes(Graphics2D g) {
        g.setStroke(new BasicStroke(1));
        g.setColor(Color.BLACK);
        g.draw(plot);
        g.setFont(PLAIN);
        FontMetrics font = g.getFontMetrics();
        float below = (float) plot.getMaxY();
        for (double tick : Ticks.of(xs[0], xs[xs.length - 1])) {
            double x = at(tick, 0).getX();
            g.draw(new Line2D.Double(x, below, x, below + 5));
            String text = Ticks.text(tick);
            g.drawString(text, (float) (x - font.stringWidth(text) / 2.0), below + 19);
        }
        for (double tick : Ticks.of(ys[0], ys[ys.length - 1])) {
            double y = at(0, tick).getY();
            g.draw(new Line2D.Double(LEFT - 5, y, LEFT, y));
            String text = Ticks.text(tick);
            g.drawString(text, LEFT - 9f - font.stringWidth(text), (float) y + 4);
        }
        double half = font.stringWidth(axis) / 2.0;
        g.drawString(axis, (float) (plot.getCenterX() - half), below + 40);
        String vertical = stretch() == 1 ? axis : axis + stretched(stretch());
        AffineTransform before = g.getTransform();
        g.rotate(-Math.PI / 2);
        half = font.stringWidth(vertical) / 2.0;
        g.drawString(vertical, (float) -(plot.getCenterY() + half), 20f);
        g.setTransform(before);
    }

    private static String stretched(double by) {
        return by > 1 ? Format.of(", drawn %.3g times as long", by) : Format.of(", drawn %.3g times as short", 1 / by);
    }

    private void legend(Graphics2D g) {
        float x = LEFT;
        float y = height - 22f;
        g.setFont(PLAIN);
        for (Kind kind : Kind.values()) {
            long count = marks.stream().filter(m -> m.kind() == kind).count();
            if (count == 0) continue;
            Marks.shape(g, kind, x + 8, y - 4);
            String text = switch (kind) {
                case NET -> count == 1 ? "net" : "nets";
                case AVERAGE -> "average";
                case TRAJECTORY -> "trajectory, " + count + " checkpoints, projected";
            };
            g.setColor(Color.BLACK);
            g.drawString(text, x + 20, y);
            x += 20 + g.getFontMetrics().stringWidth(text) + 28;
        }
    }

    /** Marks and their labels, each label where it covers neither a mark nor another label. */
    private final class Marks {
        private static final int GAP = 9;
        private final Graphics2D g;
        private final List<Rectangle2D> taken = new ArrayList<>();

        Marks(Graphics2D g) {
            this.g = g;
        }

        void paint() {
            List<Mark> shown =
                    marks.stream().filter(m -> plot.contains(at(m.x(), m.y()))).toList();
            g.setStroke(new BasicStroke(3.6f));
            lines.forEach(line -> draw(line, Color.WHITE));
            g.setStroke(new BasicStroke(2f));
            lines.forEach(line -> draw(line, Color.BLACK));
            track();
            for (Mark m : shown) {
                Point2D at = at(m.x(), m.y());
                shape(g, m.kind(), at.getX(), at.getY());
                taken.add(new Rectangle2D.Double(at.getX() - 7, at.getY() - 7, 14, 14));
            }
            g.setFont(LABEL);
            shown.stream().filter(m -> !m.label().isEmpty()).forEach(this::label);
        }

        private void track() {
            Path2D path = new Path2D.Double();
            for (Mark m : marks) if (m.kind() == Kind.TRAJECTORY) to(path, m.x(), m.y());
            if (path.getCurrentPoint() == null) return;
            g.setStroke(new BasicStroke(1.4f));
            draw(path, Color.BLACK);
        }

        private void draw(Path2D path, Color colour) {
            g.setColor(colour);
            java.awt.Shape before = g.getClip();
            g.clip(plot);
            g.draw(pixels.createTransformedShape(path));
            g.setClip(before);
        }

        private static void to(Path2D path, double x, double y) {
            if (path.getCurrentPoint() == null) path.moveTo(x, y);
            else path.lineTo(x, y);
        }

        private void label(Mark m) {
            FontMetrics font = g.getFontMetrics();
            double w = font.stringWidth(m.label());
            double h = font.getAscent();
            Point2D at = at(m.x(), m.y());
            Rectangle2D best = new Rectangle2D.Double();
            double least = Double.POSITIVE_INFINITY;
            for (int dy = 1; dy >= -1; dy--) {
                for (int dx = 1; dx >= -1; dx--) {
                    if (dx == 0 && dy == 0) continue;
                    double left = at.getX() + dx * GAP - (1 - dx) * w / 2;
                    double top = at.getY() - dy * GAP - (1 + dy) * h / 2;
                    Rectangle2D box = new Rectangle2D.Double(left - 2, top - 2, w + 4, h + 4);
                    double cost = cost(box);
                    if (cost >= least) continue;
                    least = cost;
                    best = box;
                }
            }
            taken.add(best);
            g.setColor(new Color(255, 255, 255, 205));
            g.fill(best);
            g.setColor(Color.BLACK);
            g.drawString(m.label(), (float) best.getX() + 2, (float) (best.getY() + h));
        }

        private double cost(Rectangle2D box) {
            double cost = plot.contains(box) ? 0 : 1e6;
            for (Rectangle2D other : taken) {
                Rectangle2D both = box.createIntersection(other);
                if (!both.isEmpty()) cost += both.getWidth() * both.getHeight();
            }
            return cost;
        }

        static void shape(Graphics2D g, Kind kind, double x, double y) {
            java.awt.Shape shape = switch (kind) {
                case NET -> new Ellipse2D.Double(x - 6, y - 6, 12, 12);
                case AVERAGE -> star(x, y);
                case TRAJECTORY -> new Ellipse2D.Double(x - 3, y - 3, 6, 6);
            };
            g.setStroke(new BasicStroke(1.4f));
            g.setColor(kind == Kind.AVERAGE ? new Color(0xD55E00) : Color.WHITE);
            g.fill(shape);
            g.setColor(Color.BLACK);
            g.draw(shape);
        }

        private static Path2D star(double x, double y) {
            Path2D path = new Path2D.Double();
            for (int k = 0; k < 10; k++) {
                double r = k % 2 == 0 ? 10 : 4.2;
                double a = Math.PI * (k / 5.0 - 0.5);
                to(path, x + r * Math.cos(a), y + r * Math.sin(a));
            }
            path.closePath();
            return path;
        }
    }
}
