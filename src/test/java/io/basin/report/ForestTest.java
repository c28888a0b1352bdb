package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.Color;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Forest plots by the numbers in their SVG. */
class ForestTest {
    private static final double NONE = Double.NaN;

    /** Ends of the lines in a colour: x1, y1, x2, y2. */
    private static List<double[]> lines(String svg, String colour) {
        List<double[]> lines = new ArrayList<>();
        Matcher m = Pattern.compile("<line style=\"[^\"]*stroke:" + Pattern.quote(colour) + "[^\"]*\" x1=\"([0-9.]+)\""
                        + " x2=\"([0-9.]+)\" y1=\"([0-9.]+)\" y2=\"([0-9.]+)\"")
                .matcher(svg);
        while (m.find()) {
            double[] line = new double[4];
            for (int i = 0; i < 4; i++) line[i] = Double.parseDouble(m.group(new int[] {1, 3, 2, 4}[i]));
            lines.add(line);
        }
        return lines;
    }

    @Test
    void intervalsStandWhereTheNumbersPutThem() {
        String svg = new Forest(
                        "T",
                        "points",
                        List.of(
                                new Forest.Row("", "swa", 0.5, -0.5, 1.5),
                                new Forest.Row("", "fge", -1, -2, 0),
                                new Forest.Row("", "ema", 0.25, NONE, NONE)))
                .svg();
        List<double[]> swa = lines(svg, "rgb(213,94,0)");
        List<double[]> fge = lines(svg, "rgb(0,158,115)");
        assertEquals(3, swa.size(), "the interval and its two ends");
        double scale = (swa.get(0)[2] - swa.get(0)[0]) / 2;
        assertEquals(swa.get(0)[0] - 1.5 * scale, fge.get(0)[0], 0.5);
        assertEquals(swa.get(0)[0] + 0.5 * scale, fge.get(0)[2], 0.5, "fge's interval ends at no difference");
        assertTrue(fge.get(0)[1] > swa.get(0)[1], "rows go down in their order");
        assertTrue(lines(svg, "rgb(230,159,0)").isEmpty(), "no interval, no line");
        for (String text : List.of("+0.50 [-0.50, +1.50]", "-1.00 [-2.00, +0.00]", "+0.25, no interval")) {
            assertTrue(svg.contains(">" + text + "<"), text);
        }
    }

    @Test
    void groupsAreNamedOnceAndMakeRoom() {
        List<Forest.Row> rows = List.of(
                new Forest.Row("clean", "swa", 0, -1, 1),
                new Forest.Row("clean", "ema", 0, -1, 1),
                new Forest.Row("noisy labels", "swa", 1, 0, 2));
        Forest forest = new Forest("T", "points", rows);
        String svg = forest.svg();
        assertEquals(2, svg.split(">clean<", -1).length);
        assertTrue(svg.contains(">noisy labels<"));
        assertEquals(
                2 * 24,
                forest.height
                        - new Forest(
                                        "T",
                                        "points",
                                        rows.stream()
                                                .map(r -> new Forest.Row("", r.method(), 0, -1, 1))
                                                .toList())
                                .height);
    }

    @Test
    void nothingToDrawIsDrawnWithoutHarm() {
        for (List<Forest.Row> rows : List.of(
                List.<Forest.Row>of(),
                List.of(new Forest.Row("", "own", 0, 0, 0)),
                List.of(new Forest.Row("", "own", 1e-9, NONE, NONE)))) {
            String svg = new Forest("T", "points", rows).svg();
            assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
        }
    }

    /** Eleven methods, eight colours: what shares a colour differs in dash and marker. */
    @Test
    void noTwoMethodsLookAlike() {
        Set<Object> seen = new HashSet<>();
        for (int i = 0; i < 16; i++) assertTrue(seen.add(MethodStyle.of(i, false)), "style " + i);
        assertEquals(1, MethodStyle.place("swa, the average"));
        assertEquals(0, MethodStyle.place("sgd+ema"));
        assertEquals(-1, MethodStyle.place("curve"));
        List<Color> usual = Stream.of("sgd", "swa", "ema", "snapshot", "fge", "independent")
                .map(m -> MethodStyle.of(MethodStyle.place(m), false).colour())
                .toList();
        for (Color a : usual) {
            for (Color b : usual) {
                double apart = Math.hypot(
                        Math.hypot(a.getRed() - b.getRed(), a.getGreen() - b.getGreen()), a.getBlue() - b.getBlue());
                assertTrue(a == b || apart > 70, a + " and " + b);
            }
        }
        assertNotEquals(MethodStyle.of(1, false), MethodStyle.of(1, true), "a second line is fine");
        assertEquals(MethodStyle.of(1, false).colour(), MethodStyle.of(1, true).colour());
    }
}
