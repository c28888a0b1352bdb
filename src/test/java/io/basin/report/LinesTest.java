package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** Charts of lines by the numbers in their SVG. */
class LinesTest {
    /** The points of the line in a colour, in pixels, after the legend's sample of it. */
    private static List<double[]> line(String svg, String colour) {
        Matcher m = Pattern.compile("<path d=\"M([^\"]*)\" style=\"fill:none;stroke:" + Pattern.quote(colour))
                .matcher(svg);
        List<double[]> points = new ArrayList<>();
        while (m.find()) {
            points.clear();
            for (String point : m.group(1).split(" L")) {
                String[] xy = point.split(",");
                points.add(new double[] {Double.parseDouble(xy[0]), Double.parseDouble(xy[1])});
            }
        }
        return points;
    }

    @Test
    void aMethodHasOneColourWhateverStandsBesideIt() {
        double[] x = {0, 1};
        double[] y = {1, 2};
        String alone = new Lines("T", "x", "y").line("swa", x, y).svg();
        String third = new Lines("T", "x", "y")
                .line("fge", x, y)
                .line("own", x, y)
                .line("swa, the average", x, y)
                .svg();
        for (String svg : List.of(alone, third))
            assertEquals(2, line(svg, "rgb(213,94,0)").size());
        assertTrue(line(alone, "rgb(0,114,178)").isEmpty());
    }

    @Test
    void textStaysTextAndThePictureHasAName() {
        String svg = new Lines("Loss <of> it", "epochs", "y")
                .line("swa", new double[] {0, 1}, new double[] {1, 2})
                .svg();
        assertTrue(svg.contains(">epochs</text>") && svg.contains(">swa</text>"), svg);
        assertTrue(svg.contains("role=\"img\" aria-labelledby=\"picture-title\""), svg);
        assertTrue(svg.contains("<title id=\"picture-title\">Loss &lt;of&gt; it</title>"), svg);
    }

    @Test
    void pointsStandWhereTheDataPutThem() {
        double[] x = {0, 1, 4};
        String svg = new Lines("T", "x", "y")
                .line("one", x, new double[] {1, 3, 2})
                .line("swa", x, new double[] {2, 2, 7})
                .svg();
        List<double[]> one = line(svg, "rgb(0,114,178)");
        List<double[]> two = line(svg, "rgb(213,94,0)");
        assertEquals(3, one.size());
        assertEquals(3, two.size());
        // One scale for both: pixels per unit from one pair of points hold for all others.
        double sx = (one.get(2)[0] - one.get(0)[0]) / 4;
        double sy = (one.get(1)[1] - one.get(0)[1]) / 2;
        assertTrue(sx > 0 && sy < 0);
        assertEquals(one.get(0)[0] + sx, one.get(1)[0], 0.5);
        assertEquals(one.get(0)[1] + sy, one.get(2)[1], 0.5);
        assertEquals(one.get(0)[1] + 6 * sy, two.get(2)[1], 0.5);
    }

    /** Hover: each value stands where its point is drawn, those of bands and shades aside. */
    @Test
    void aPointerFindsTheValues() {
        double[] x = {0, 1, 4};
        String svg = new Lines("T", "x", "y")
                .line("a<b", x, new double[] {1, 3, 2.25})
                .shade(x, new double[] {0, 2, 1}, new double[] {2, 4, 3})
                .svg();
        Matcher m = Pattern.compile("<circle cx=\"(\\d+)\" cy=\"(\\d+)\"[^>]*><title>([^<]*)</title></circle>")
                .matcher(svg);
        List<double[]> drawn = line(svg, "rgb(0,114,178)");
        List<String> texts = new ArrayList<>();
        while (m.find()) {
            double[] at = drawn.get(2 - texts.size());
            assertEquals(at[0], Double.parseDouble(m.group(1)), 1);
            assertEquals(at[1], Double.parseDouble(m.group(2)), 1);
            texts.add(m.group(3));
        }
        assertEquals(List.of("a&lt;b: 2.25000 at 4", "a&lt;b: 3.00000 at 1", "a&lt;b: 1.00000 at 0"), texts);
        assertTrue(svg.trim().endsWith("</svg>"));
    }

    @Test
    void whatIsNotFiniteIsLeftOutAndAnEmptyLineIsNone() {
        double[] x = {0, 1, 2, 3};
        String svg = new Lines("T", "x", "y")
                .line("some", x, new double[] {1, Double.NaN, 2, Double.POSITIVE_INFINITY})
                .line("none", x, new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN})
                .svg();
        assertEquals(2, line(svg, "rgb(0,114,178)").size());
        assertFalse(svg.contains(">none<"));
        assertFalse(svg.contains("NaN"));
    }

    /** Of one point there is no line: a marker shows it, in the legend too, and ticks around it differ. */
    @Test
    void aSinglePointIsMarked() {
        double[] one = {1};
        String svg = new Lines("T", "x", "y").line("swa", one, new double[] {2}).svg();
        assertEquals(3, svg.split("fill:rgb\\(213,94,0\\)", -1).length);
        assertEquals(1, svg.split(">1<", -1).length - 1, svg);
        double[] two = {1, 2};
        assertFalse(new Lines("T", "x", "y").line("swa", two, two).svg().contains("fill:rgb(213,94,0)"));
    }

    @Test
    void thePngHasTwiceTheSize() throws IOException {
        Lines lines = new Lines("T", "x", "y").line("one", new double[] {0, 1}, new double[] {1, 2});
        var image = ImageIO.read(new ByteArrayInputStream(lines.png()));
        assertEquals(2 * lines.width, image.getWidth());
        assertEquals(2 * lines.height, image.getHeight());
    }
}
