package io.basin.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * Values over a plane as filled contours with logarithmic levels, a colour bar, and marks on top.
 *
 * <p>Colours are those of viridis, which read the same for colour-blind readers and in grey; low is light. Marks differ by shape,
 * not only by colour.
 */
public final class Contours implements Picture {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 620;
    private static final int LEFT = 74;
    private static final int TOP = 46;
    private static final int RIGHT = 150;
    private static final int BOTTOM = 96;
    private static final int BANDS = 10;
    /** Significant digits of a label. */
    private static final int FEWEST = 3;

    private static final int MOST = 8;
    private static final Font TITLE = new Font(Font.SANS_SERIF, Font.BOLD, 16);
    private static final Font LABEL = new Font(Font.SANS_SERIF, Font.BOLD, 13);
    private static final Font PLAIN = new Font(Font.SANS_SERIF, Font.PLAIN, 12);
    /** Viridis at equal distances, light first. */
    private static final int[] VIRIDIS = {
        0xFDE725, 0xB5DE2B, 0x6ECE58, 0x35B779, 0x1F9E89, 0x26828E, 0x31688E, 0x3E4989, 0x482878, 0x440154
    };

    /** What a mark stands for, which decides its shape. */
    public enum Kind {
        NET,
        AVERAGE,
        TRAJECTORY
    }

    private record Mark(Kind kind, String label, double x, double y) {}

    private final String title;
    private final String axis;
    private final String unit;
    private final double[] xs;
    private final double[] ys;
    private final double[][] z;
    private final double min;
    private final double max;
    private final double[] levels;
    private final List<Mark> marks = new ArrayList<>();

    /**
     * @param axis what x and y are, such as {@code distance in weight space}
     * @param unit of the values, such as {@code train loss, nats}
     * @param z at (row y, column x); what is not finite is drawn as higher than everything else
     */
    public Contours(String title, String axis, String unit, double[] xs, double[] ys, double[][] z) {
        this.title = title;
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
        min = Levels.min(z);
        max = Levels.max(z);
        levels = Levels.logarithmic(min, Math.max(max, Math.nextUp(min)), BANDS - 1);
    }

    /** Marks a point; trajectories are joined by a line in the order in which they are added. */
    public Contours mark(Kind kind, String label, double x, double y) {
        marks.add(new Mark(kind, label, x, y));
        return this;
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

    private double plotWidth() {
        return WIDTH - LEFT - RIGHT;
    }

    private double plotHeight() {
        return HEIGHT - TOP - BOTTOM;
    }

    private AffineTransform toPixels() {
        double sx = plotWidth() / (xs[xs.length - 1] - xs[0]);
        double sy = plotHeight() / (ys[ys.length - 1] - ys[0]);
        return new AffineTransform(sx, 0, 0, -sy, LEFT - sx * xs[0], HEIGHT - BOTTOM + sy * ys[0]);
    }

    @Override
    public void paint(Graphics2D g) {
        g.setColor(Color.WHITE);
        g.fill(new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
        fill(g);
        axes(g);
        bar(g);
        new Marks(g, toPixels(), new Rectangle2D.Double(LEFT, TOP, plotWidth(), plotHeight())).paint();
        legend(g);
        g.setColor(Color.BLACK);
        g.setFont(TITLE);
        g.drawString(title, LEFT, TOP - 18);
    }

    private static Color colour(int band) {
        return new Color(VIRIDIS[band * (VIRIDIS.length - 1) / (BANDS - 1)]);
    }

    private void fill(Graphics2D g) {
        AffineTransform pixels = toPixels();
        Marching marching = new Marching(xs, ys, z);
        g.setColor(colour(0));
        g.fill(new Rectangle2D.Double(LEFT, TOP, plotWidth(), plotHeight()));
        for (int k = 0; k < levels.length; k++) {
            g.setColor(colour(k + 1));
            g.fill(pixels.createTransformedShape(marching.region(levels[k])));
        }
        g.setStroke(new BasicStroke(0.6f));
        g.setColor(new Color(0, 0, 0, 110));
        for (double level : levels) g.draw(pixels.createTransformedShape(marching.border(level)));
    }

    private void axes(Graphics2D g) {
        g.setStroke(new BasicStroke(1));
        g.setColor(Color.BLACK);
        g.draw(new Rectangle2D.Double(LEFT, TOP, plotWidth(), plotHeight()));
        g.setFont(PLAIN);
        FontMetrics font = g.getFontMetrics();
        AffineTransform pixels = toPixels();
        for (double tick : ticks(xs[0], xs[xs.length - 1])) {
            double x = pixels.getScaleX() * tick + pixels.getTranslateX();
            g.draw(new Line2D.Double(x, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 5));
            String text = number(tick, MOST);
            g.drawString(text, (float) (x - font.stringWidth(text) / 2.0), HEIGHT - BOTTOM + 19f);
        }
        for (double tick : ticks(ys[0], ys[ys.length - 1])) {
            double y = pixels.getScaleY() * tick + pixels.getTranslateY();
            g.draw(new Line2D.Double(LEFT - 5, y, LEFT, y));
            String text = number(tick, MOST);
            g.drawString(text, LEFT - 9f - font.stringWidth(text), (float) y + 4);
        }
        float middle = (float) (LEFT + plotWidth() / 2 - font.stringWidth(axis) / 2.0);
        g.drawString(axis, middle, HEIGHT - BOTTOM + 40f);
        AffineTransform before = g.getTransform();
        g.rotate(-Math.PI / 2);
        g.drawString(axis, (float) -(TOP + plotHeight() / 2 + font.stringWidth(axis) / 2.0), 20f);
        g.setTransform(before);
    }

    /** Round values within a range, five or so. */
    static double[] ticks(double low, double high) {
        double rough = (high - low) / 6;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
        long first = (long) Math.ceil(low / step - 1e-9);
        long last = (long) Math.floor(high / step + 1e-9);
        double[] ticks = new double[(int) (last - first + 1)];
        for (int i = 0; i < ticks.length; i++) ticks[i] = (first + i) * step;
        return ticks;
    }

    private static String number(double value, int digits) {
        if (value == 0) return "0";
        if (!Double.isFinite(value)) return Double.toString(value);
        double size = Math.abs(value);
        if (size >= 1e5 || size < 1e-3) return String.format(Locale.ROOT, "%." + (digits - 1) + "e", value);
        return new BigDecimal(value)
                .round(new MathContext(digits))
                .stripTrailingZeros()
                .toPlainString();
    }

    /** With the fewest digits, three at least, that tell them apart; where nothing does, with three. */
    static List<String> labels(double... values) {
        for (int digits = FEWEST; digits <= MOST; digits++) {
            List<String> labels = labels(digits, values);
            if (new HashSet<>(labels).size() == values.length) return labels;
        }
        return labels(FEWEST, values);
    }

    private static List<String> labels(int digits, double... values) {
        return Arrays.stream(values).mapToObj(v -> number(v, digits)).toList();
    }

    private void bar(Graphics2D g) {
        double x = WIDTH - RIGHT + 24;
        double h = plotHeight() / BANDS;
        double[] edges = new double[BANDS + 1];
        for (int k = 0; k <= BANDS; k++) edges[k] = k == 0 ? min : k == BANDS ? max : levels[k - 1];
        List<String> labels = labels(edges);
        g.setFont(PLAIN);
        for (int k = 0; k < BANDS; k++) {
            double y = HEIGHT - BOTTOM - (k + 1) * h;
            g.setColor(colour(k));
            g.fill(new Rectangle2D.Double(x, y, 22, h));
            g.setColor(Color.BLACK);
            g.draw(new Line2D.Double(x + 22, y + h, x + 27, y + h));
            g.drawString(labels.get(k), (float) x + 31, (float) (y + h) + 4);
        }
        g.draw(new Rectangle2D.Double(x, TOP, 22, plotHeight()));
        g.draw(new Line2D.Double(x + 22, TOP, x + 27, TOP));
        g.drawString(labels.get(BANDS), (float) x + 31, TOP + 4f);
        g.drawString(unit, (float) x, TOP - 18f);
    }

    private void legend(Graphics2D g) {
        float x = LEFT;
        float y = HEIGHT - 22f;
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
        private final AffineTransform pixels;
        private final Rectangle2D plot;
        private final List<Rectangle2D> taken = new ArrayList<>();

        Marks(Graphics2D g, AffineTransform pixels, Rectangle2D plot) {
            this.g = g;
            this.pixels = pixels;
            this.plot = plot;
        }

        private double x(Mark m) {
            return pixels.getScaleX() * m.x() + pixels.getTranslateX();
        }

        private double y(Mark m) {
            return pixels.getScaleY() * m.y() + pixels.getTranslateY();
        }

        void paint() {
            List<Mark> shown =
                    marks.stream().filter(m -> plot.contains(x(m), y(m))).toList();
            track();
            for (Mark m : shown) {
                shape(g, m.kind(), x(m), y(m));
                taken.add(new Rectangle2D.Double(x(m) - 7, y(m) - 7, 14, 14));
            }
            g.setFont(LABEL);
            shown.stream().filter(m -> !m.label().isEmpty()).forEach(this::label);
        }

        private void track() {
            Path2D path = new Path2D.Double();
            for (Mark m : marks) {
                if (m.kind() != Kind.TRAJECTORY) continue;
                if (path.getCurrentPoint() == null) path.moveTo(x(m), y(m));
                else path.lineTo(x(m), y(m));
            }
            if (path.getCurrentPoint() == null) return;
            g.setStroke(new BasicStroke(1.4f));
            g.setColor(Color.BLACK);
            java.awt.Shape before = g.getClip();
            g.clip(plot);
            g.draw(path);
            g.setClip(before);
        }

        private void label(Mark m) {
            FontMetrics font = g.getFontMetrics();
            double w = font.stringWidth(m.label());
            double h = font.getAscent();
            Rectangle2D best = null;
            double least = Double.POSITIVE_INFINITY;
            for (int dy = 1; dy >= -1; dy--) {
                for (int dx = 1; dx >= -1; dx--) {
                    if (dx == 0 && dy == 0) continue;
                    double left = x(m) + dx * GAP - (1 - dx) * w / 2;
                    double top = y(m) - dy * GAP - (1 + dy) * h / 2;
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
                if (k == 0) path.moveTo(x + r * Math.cos(a), y + r * Math.sin(a));
                else path.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
            }
            path.closePath();
            return path;
        }
    }
}
