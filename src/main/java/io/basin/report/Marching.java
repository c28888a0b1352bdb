package io.basin.report;

import io.basin.Nullable;
import java.awt.geom.Path2D;
import java.util.Arrays;

/**
 * Marching squares over a grid of values: the region at or above a level, and its border.
 *
 * <p>All cells of a region go into one path, so no seams show between them. A cell whose two opposite corners are above is
 * decided by the mean of its corners.
 */
final class Marching {
    private final double[] xs;
    private final double[] ys;
    private final double[][] z;

    /** @param z values at (row y, column x), finite or above every level */
    Marching(double[] xs, double[] ys, double[][] z) {
        this.xs = xs;
        this.ys = ys;
        this.z = z;
    }

    /** The area in which values are at least {@code level}. */
    Path2D region(double level) {
        Path2D path = new Path2D.Double(Path2D.WIND_NON_ZERO);
        cells(level, path, null);
        return path;
    }

    /** The border between below and above {@code level}, inside the grid. */
    Path2D border(double level) {
        Path2D path = new Path2D.Double();
        cells(level, null, path);
        return path;
    }

    private void cells(double level, @Nullable Path2D fill, @Nullable Path2D line) {
        for (int i = 0; i + 1 < ys.length; i++) for (int j = 0; j + 1 < xs.length; j++) cell(i, j, level, fill, line);
    }

    /** Walks around a cell: corners above, and a crossing on every edge whose ends differ. */
    private void cell(int i, int j, double level, @Nullable Path2D fill, @Nullable Path2D line) {
        double[] x = {xs[j], xs[j + 1], xs[j + 1], xs[j]};
        double[] y = {ys[i], ys[i], ys[i + 1], ys[i + 1]};
        double[] v = {z[i][j], z[i][j + 1], z[i + 1][j + 1], z[i + 1][j]};
        int mask = 0;
        for (int k = 0; k < 4; k++) if (v[k] >= level) mask |= 1 << k;
        if (mask == 0) return;
        boolean saddle = mask == 5 || mask == 10;
        boolean joined = !saddle || (v[0] + v[1] + v[2] + v[3]) / 4 >= level;
        double[][] points = new double[8][];
        boolean[] crossing = new boolean[8];
        int n = 0;
        int start = Integer.numberOfTrailingZeros(mask);
        for (int s = 0; s < 4; s++) {
            int k = (start + s) % 4;
            int next = (k + 1) % 4;
            if (v[k] >= level) points[n++] = new double[] {x[k], y[k]};
            if (v[k] >= level == v[next] >= level) continue;
            double t = share(v[k], v[next], level);
            crossing[n] = true;
            points[n++] = new double[] {x[k] + t * (x[next] - x[k]), y[k] + t * (y[next] - y[k])};
        }
        if (joined) whole(points, crossing, n, fill, line);
        else corners(points, fill, line);
    }

    private static double share(double a, double b, double level) {
        if (!Double.isFinite(a)) return 1;
        if (!Double.isFinite(b)) return 0;
        return (level - a) / (b - a);
    }

    /** One polygon; the border runs between neighbouring crossings. */
    private static void whole(double[][] p, boolean[] crossing, int n, @Nullable Path2D fill, @Nullable Path2D line) {
        if (fill != null) polygon(fill, Arrays.copyOf(p, n));
        if (line == null) return;
        for (int k = 0; k < n; k++) {
            int next = (k + 1) % n;
            if (crossing[k] && crossing[next]) segment(line, p[k], p[next]);
        }
    }

    /** A saddle that is low in the middle: corner, crossing, crossing, corner, crossing, crossing. */
    private static void corners(double[][] p, @Nullable Path2D fill, @Nullable Path2D line) {
        double[][][] triangles = {{p[0], p[1], p[5]}, {p[3], p[4], p[2]}};
        for (double[][] t : triangles) {
            if (fill != null) polygon(fill, t);
            if (line != null) segment(line, t[1], t[2]);
        }
    }

    private static void polygon(Path2D path, double[]... p) {
        path.moveTo(p[0][0], p[0][1]);
        for (int k = 1; k < p.length; k++) path.lineTo(p[k][0], p[k][1]);
        path.closePath();
    }

    private static void segment(Path2D path, double[] a, double[] b) {
        path.moveTo(a[0], a[1]);
        path.lineTo(b[0], b[1]);
    }
}
