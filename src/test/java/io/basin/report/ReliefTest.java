package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Hills by the numbers in their SVG. */
class ReliefTest {
    private static final double[] AXIS = {0, 1, 2, 3};

    private static String hills(double[][] z) {
        return new Relief("T", "u", AXIS, AXIS, z, 0)
                .mark("A", 3, 3)
                .mark("outside", 5, 5)
                .svg();
    }

    /** The four corners of each cell, in the order in which cells are painted. */
    private static List<double[][]> cells(String svg) {
        List<double[][]> cells = new ArrayList<>();
        Matcher m = Pattern.compile("<path d=\"M([^\"]*) Z\" style=\"fill:rgb").matcher(svg);
        while (m.find()) {
            String[] points = m.group(1).split(" L");
            if (points.length < 4) continue;
            double[][] cell = new double[4][];
            for (int i = 0; i < 4; i++) {
                String[] xy = points[i].split(",");
                cell[i] = new double[] {Double.parseDouble(xy[0]), Double.parseDouble(xy[1])};
            }
            cells.add(cell);
        }
        return cells;
    }

    @Test
    void highValuesStandHigherThanTheSamePlainAndFarCellsArePaintedFirst() {
        List<double[][]> plain = cells(hills(new double[][] {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 9}}));
        double[][] peak = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 4, 4, 4}, {0, 4, 4, 4}};
        List<double[][]> hill = cells(hills(peak));
        assertEquals(9, hill.size());
        double[] middles = new double[9];
        for (int k = 0; k < 9; k++) for (double[] p : plain.get(k)) middles[k] += p[1] / 4;
        for (int k = 1; k < 9; k++) assertTrue(middles[k] >= middles[0] - 1e-9, "the first cell is the farthest");
        // Both have the same cells; the highest corners of the hills are lifted by their whole height.
        double lift = 0;
        for (int k = 0; k < 9; k++) {
            for (int i = 0; i < 4; i++) lift = Math.max(lift, plain.get(k)[i][1] - hill.get(k)[i][1]);
        }
        assertEquals(180, lift, 0.2);
    }

    @Test
    void infiniteValuesAreCutOffAndMarksOutsideLeftOut() {
        String svg = hills(
                new double[][] {{0, 1, 2, Double.POSITIVE_INFINITY}, {0, 1, 2, Double.NaN}, {0, 1, 2, 3}, {0, 1, 2, 3}
                });
        assertFalse(svg.contains("NaN") || svg.contains("Infinity"));
        assertTrue(svg.contains(">A<") && !svg.contains(">outside<"));
    }
}
