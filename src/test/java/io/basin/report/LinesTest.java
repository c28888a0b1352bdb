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
    /** The points of the line in a colour, in pixels; the legend's sample, level and apart, is left out. */
    private static List<double[]> line(String svg, String colour) {
        List<double[]> points = new ArrayList<>();
        Matcher m = Pattern.compile("<line style=\"fill:none;stroke:" + Pattern.quote(colour)
                        + "[^\"]*\" x1=\"([0-9.]+)\" x2=\"([0-9.]+)\" y1=\"([0-9.]+)\" y2=\"([0-9.]+)\"")
                .matcher(svg);
        while (m.find()) {
            double[] v = new double[4];
            for (int i = 0; i < 4; i++) v[i] = Double.parseDouble(m.group(i + 1));
            if (points.isEmpty()) points.add(new double[] {v[0], v[2]});
            double[] last = points.get(points.size() - 1);
            if (last[0] == v[0] && last[1] == v[2]) points.add(new double[] {v[1], v[3]});
        }
        return points;
    }

    @Test
    void pointsStandWhereTheDataPutThem() {
        double[] x = {0, 1, 4};
        String svg = new Lines("T", "x", "y")
                .line("one", x, new double[] {1, 3, 2})
                .line("two", x, new double[] {2, 2, 7})
                .svg();
        List<double[]> one = line(svg, "rgb(0,114,178)");
        List<double[]> two = line(svg, "rgb(213,94,0)");
        assertEquals(3, one.size());
        assertEquals(3, two.size());
        // One scale for both: pixels per unit from one pair of points hold for all others.
        double sx = (one.get(2)[0] - one.get(0)[0]) / 4;
        double sy = (one.get(1)[1] - one.get(0)[1]) / 2;
        assertTrue(sx > 0 && sy < 0);
        assertEquals(one.get(0)[0] + sx, one.get(1)[0], 0.1);
        assertEquals(one.get(0)[1] + sy, one.get(2)[1], 0.1);
        assertEquals(one.get(0)[1] + 6 * sy, two.get(2)[1], 0.1);
    }

    @Test
    void whatIsNotFiniteIsLeftOutAndAnEmptyLineIsNone() {
        double[] x = {0, 1, 2, 3};
        String svg = new Lines("T", "x", "y")
                .line("some", x, new double[] {1, Double.NaN, 2, Double.POSITIVE_INFINITY})
                .line("none", x, new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN})
                .svg();
        assertEquals(2, line(svg, "rgb(0,114,178)").size());
        assertTrue(line(svg, "rgb(213,94,0)").isEmpty());
        assertFalse(svg.contains("NaN"));
    }

    @Test
    void thePngHasTwiceTheSize() throws IOException {
        Lines lines = new Lines("T", "x", "y").line("one", new double[] {0, 1}, new double[] {1, 2});
        var image = ImageIO.read(new ByteArrayInputStream(lines.png()));
        assertEquals(2 * lines.width, image.getWidth());
        assertEquals(2 * lines.height, image.getHeight());
    }
}
