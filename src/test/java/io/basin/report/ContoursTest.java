package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Shape;
import java.awt.geom.PathIterator;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Marching squares against areas known in closed form, levels against their formula, and a picture by its numbers. */
class ContoursTest {
    private static double[] axis(int n) {
        double[] a = new double[n];
        for (int i = 0; i < n; i++) a[i] = i / (n - 1.0);
        return a;
    }

    private interface Field {
        double at(double x, double y);
    }

    private static double[][] grid(double[] xs, double[] ys, Field f) {
        double[][] z = new double[ys.length][xs.length];
        for (int i = 0; i < ys.length; i++) for (int j = 0; j < xs.length; j++) z[i][j] = f.at(xs[j], ys[i]);
        return z;
    }

    /** Signed area by the shoelace formula: polygons of a region must all turn the same way. */
    private static double area(Shape shape) {
        double area = 0;
        double[] p = new double[6];
        double sx = 0;
        double sy = 0;
        double x = 0;
        double y = 0;
        for (PathIterator it = shape.getPathIterator(null); !it.isDone(); it.next()) {
            int kind = it.currentSegment(p);
            double nx = kind == PathIterator.SEG_CLOSE ? sx : p[0];
            double ny = kind == PathIterator.SEG_CLOSE ? sy : p[1];
            if (kind == PathIterator.SEG_MOVETO) {
                sx = nx;
                sy = ny;
            } else {
                area += (x * ny - nx * y) / 2;
            }
            x = nx;
            y = ny;
        }
        return area;
    }

    @Test
    void aLinearFieldHasItsExactRegionAndBorder() {
        double[] xs = axis(8);
        double[] ys = axis(5);
        Marching marching = new Marching(xs, ys, grid(xs, ys, (x, y) -> x + 2 * y));
        for (double level : new double[] {0.3, 0.7, 1.5, 2.9}) {
            double below =
                    level <= 1 ? level * level / 4 : level <= 2 ? (level - 0.5) / 2 : 1 - (3 - level) * (3 - level) / 4;
            assertEquals(1 - below, area(marching.region(level)), 1e-12, "level " + level);
            double[] p = new double[6];
            for (PathIterator it = marching.border(level).getPathIterator(null); !it.isDone(); it.next()) {
                it.currentSegment(p);
                assertEquals(level, p[0] + 2 * p[1], 1e-12);
            }
        }
        assertEquals(1, area(marching.region(-1)), 1e-12);
        assertEquals(0, area(marching.region(4)), 1e-12);
    }

    @Test
    void aSaddleIsDecidedByItsMiddle() {
        double[] two = {0, 1};
        double[][] high = {{1, 0}, {0.2, 1}};
        double[][] low = {{0.6, -1}, {-1, 0.6}};
        // Joined through the middle: all but the two low corners' triangles.
        assertEquals(1 - 0.5 * 0.5 / 2 - 0.375 * 0.375 / 2, area(new Marching(two, two, high).region(0.5)), 1e-12);
        // Apart: two triangles, edges crossed at (0.6 - 0.5) / 1.6.
        assertEquals(0.0625 * 0.0625, area(new Marching(two, two, low).region(0.5)), 1e-12);
        double[][] turned = {{-1, 0.6}, {0.6, -1}};
        assertEquals(0.0625 * 0.0625, area(new Marching(two, two, turned).region(0.5)), 1e-12);
    }

    @Test
    void infiniteCellsAreAboveEveryLevel() {
        double[] two = {0, 1};
        double[][] z = {{Double.POSITIVE_INFINITY, 0}, {0, 0}};
        // Nothing tells where between an infinite and a finite corner the level is crossed: all of that edge counts as
        // above.
        assertEquals(0.5, area(new Marching(two, two, z).region(10)), 1e-12);
        double[][] all = {{Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY}, {1e300, 1e300}};
        assertEquals(1, area(new Marching(two, two, all).region(10)), 1e-12);
    }

    @Test
    void levelsGrowByAFactorFromTheLowestValue() {
        double[] levels = Bands.levels(2, 10, 8, 0);
        assertEquals(8, levels.length);
        double factor = Math.pow(256, 1.0 / 8);
        assertEquals(2 + 8 / 256.0, levels[0], 1e-12);
        for (int k = 1; k < 8; k++) assertEquals(factor, (levels[k] - 2) / (levels[k - 1] - 2), 1e-12);
        assertEquals(10, 2 + (levels[7] - 2) * factor, 1e-12);
    }

    /** One of 1,000 images is 0.1 %, the standard error 1 %: nothing finer is drawn, and nothing where all is within it. */
    @Test
    void levelsAreNoFinerThanWhatTheValuesMayBeOffBy() {
        double[] levels = Bands.levels(11.35, 90, 9, 1);
        assertTrue(levels.length > 3 && levels.length < 9, "some were left out");
        double last = 11.35;
        for (double level : levels) {
            assertTrue(level - last >= 1, level + " after " + last);
            last = level;
        }
        assertEquals(0, Bands.levels(11.35, 11.4, 9, 0.5).length);
        assertEquals(0, Bands.levels(3, 3, 9, 0).length);
    }

    private static Contours extents(double width, double height) {
        double[] xs = {0, width};
        double[] ys = {0, height};
        return new Contours("T", "d", "u", xs, ys, new double[][] {{1, 2}, {3, 4}}, 0);
    }

    @Test
    void axesHaveOneScaleOrThePictureSaysHowMuchTheyAreStretched() {
        Contours equal = extents(4, 2);
        assertEquals(1, equal.stretch());
        assertEquals(46 + 96 + 268, equal.height, "536 pixels for 4, so 268 for 2");
        assertFalse(equal.svg().contains("times as"));
        Contours stretched = extents(37, 0.75);
        assertEquals((478 / 0.75) / (536 / 37.0), stretched.stretch(), 1e-9);
        assertTrue(stretched.svg().contains(">d, drawn 44.0 times as long<"), "said on the axis");
        assertTrue(extents(0.75, 37).svg().contains(">d, drawn 55.3 times as short<"));
    }

    /** The bar's colours reach as high as their values do, and its labels do not cover each other. */
    @Test
    void theColourBarIsToScale() {
        double[] xs = {0, 1, 2, 3};
        String svg = new Contours("T", "d", "u", xs, xs, grid(xs, xs, (x, y) -> 10 * x), 0).svg();
        assertTrue(svg.contains(">lower is better<"));
        List<Double> heights = new ArrayList<>();
        Matcher m = Pattern.compile("<rect height=\"([0-9.]+)\" style=\"fill:rgb[^\"]*\" width=\"22\"")
                .matcher(svg);
        while (m.find()) heights.add(Double.parseDouble(m.group(1)));
        double[] levels = Bands.levels(0, 30, 9, 0);
        assertEquals(10, heights.size());
        for (int k = 1; k < 9; k++) assertEquals((levels[k] - levels[k - 1]) / 30 * 478, heights.get(k), 0.2);
        List<Double> labels = new ArrayList<>();
        Matcher text = Pattern.compile("<text [^>]* x=\"612\" y=\"([0-9.]+)\"").matcher(svg);
        while (text.find()) labels.add(Double.parseDouble(text.group(1)));
        assertEquals(11, labels.size());
        for (int k = 1; k < labels.size(); k++)
            assertTrue(labels.get(k - 1) - labels.get(k) >= 13.9, labels.toString());
    }

    @Test
    void ticksAreRoundAndWithinTheAxis() {
        assertArrayEquals(new double[] {0, 5, 10, 15, 20}, Ticks.of(-3.9, 23.5), 1e-9);
        assertArrayEquals(new double[] {-0.2, 0, 0.2, 0.4, 0.6}, Ticks.of(-0.25, 0.75), 1e-12);
    }

    /** A number after another in the text of a path, as moveto and lineto write them. */
    private static List<double[]> points(String path) {
        List<double[]> points = new ArrayList<>();
        Matcher m = Pattern.compile("[MLC ,]*(-?[0-9.eE-]+)[ ,]+(-?[0-9.eE-]+)").matcher(path);
        while (m.find()) points.add(new double[] {Double.parseDouble(m.group(1)), Double.parseDouble(m.group(2))});
        return points;
    }

    /** What the SVG says: where a label's tick stands tells the scale, and the star must stand where the scale puts it. */
    @Test
    void theSvgHasItsMarksLevelsAndTicksWhereTheDataPutThem() {
        double[] xs = {-1, 0, 1, 2, 3};
        double[] ys = {0, 10, 20};
        String svg = new Contours("Title", "distance", "nats", xs, ys, grid(xs, ys, (x, y) -> 1 + x * x + y), 0)
                .mark(Contours.Kind.NET, "A: sgd", 0, 5)
                .mark(Contours.Kind.AVERAGE, "the mean", 2, 15)
                .svg();
        for (String text : new String[] {"Title", "distance", "nats", "A: sgd", "the mean"}) {
            assertTrue(svg.contains(">" + text + "<"), text);
        }
        double[] levels = Bands.levels(1, 30, 9, 0);
        assertTrue(svg.contains(">30<"), "the highest value");
        assertTrue(
                svg.contains(">"
                        + new BigDecimal(levels[0]).round(new MathContext(3)).toPlainString() + "<"),
                "the first level");
        // Two stars, the mark's and below it the legend's; plot 74..610 by 46..524 for x -1..3 and y 0..20.
        Matcher m = Pattern.compile("<path d=\"([^\"]*)\" style=\"fill:rgb\\(213,94,0\\)")
                .matcher(svg);
        assertTrue(m.find());
        double[] star = middle(m.group(1));
        assertEquals(74 + (610 - 74) * (2 + 1) / 4.0, star[0], 0.5);
        assertEquals(524 - (524 - 46) * 15 / 20.0, star[1], 0.5);
        assertTrue(m.find());
        assertTrue(middle(m.group(1))[1] > 524);
        double x = 74 + (610 - 74) * (0 + 1) / 4.0;
        double y = 524 - (524 - 46) * 5 / 20.0;
        assertTrue(svg.contains("<ellipse cx=\"" + Math.round(x) + "\" cy=\"" + y + "\""), "the net's mark");
        assertTrue(svg.contains("x1=\"" + Math.round(x) + "\""), "the tick of 0");
    }

    private static double[] middle(String path) {
        List<double[]> p = points(path);
        return new double[] {
            p.stream().mapToDouble(q -> q[0]).average().orElseThrow(),
            p.stream().mapToDouble(q -> q[1]).average().orElseThrow()
        };
    }

    @Test
    void labelsHaveTheDigitsThatTellThemApart() {
        assertEquals(List.of("0.123", "1.23", "12.3", "123"), Ticks.labels(0.12345, 1.2345, 12.345, 123.45));
        assertEquals(List.of("0.10001", "0.10002", "0.10003"), Ticks.labels(0.10001, 0.10002, 0.10003));
        assertEquals(List.of("11.25", "11.3", "11.35"), Ticks.labels(11.25, 11.3, 11.35));
        assertEquals(List.of("2.00e-05", "0", "5"), Ticks.labels(2e-5, 0, 5));
        assertEquals(List.of("3", "3"), Ticks.labels(3, 3));
    }

    /** Two labels at one place do not cover each other. */
    @Test
    void labelsOfMarksAtOnePlaceAreApart() {
        double[] xs = {0, 1, 2};
        String svg = new Contours("T", "d", "u", xs, xs, grid(xs, xs, (x, y) -> x + y), 0)
                .mark(Contours.Kind.NET, "first one", 1, 1)
                .mark(Contours.Kind.AVERAGE, "second one", 1, 1)
                .svg();
        List<double[]> boxes = new ArrayList<>();
        Matcher m = Pattern.compile("<rect height=\"([0-9.]+)\" style=\"fill:rgb\\(255,255,255\\);fill-opacity[^\"]*\""
                        + " width=\"([0-9.]+)\" x=\"([0-9.]+)\" y=\"([0-9.]+)\"")
                .matcher(svg);
        while (m.find()) {
            double[] box = new double[4];
            for (int i = 0; i < 4; i++) box[i] = Double.parseDouble(m.group(new int[] {3, 4, 2, 1}[i]));
            boxes.add(box);
        }
        assertEquals(2, boxes.size());
        double[] a = boxes.get(0);
        double[] b = boxes.get(1);
        boolean apart = a[0] + a[2] <= b[0] || b[0] + b[2] <= a[0] || a[1] + a[3] <= b[1] || b[1] + b[3] <= a[1];
        assertTrue(apart);
    }
}
