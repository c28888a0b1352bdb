package io.basin.landscape;

import io.basin.Api;

/**
 * A plane in weight space: where its points lie as shares of three arenas, and where any net falls onto it.
 *
 * <p>Coordinates are distances from the origin along two axes. A plane through three nets writes its points as shares of these
 * nets that sum to 1, so the nets themselves come out bit for bit and no axis needs memory of its own.
 */
@Api
public final class Plane {
    /** A net's nearest point on the plane, and {@code away}, its distance from it. */
    public record Spot(double x, double y, double away) {}

    private final float[] origin;
    private final float[] first;
    private final float[] second;
    /** Whether {@code first} and {@code second} are nets, not directions. */
    private final boolean throughNets;

    private final double[][] gram;
    private final double width;
    private final double height;
    private final double skew;

    private Plane(float[] origin, float[] first, float[] second, boolean throughNets) {
        this.origin = origin;
        this.first = first;
        this.second = second;
        this.throughNets = throughNets;
        double aa = throughNets ? Vectors.dot(first, first, origin) : Vectors.dot(first, first);
        double ab = throughNets ? Vectors.dot(first, second, origin) : Vectors.dot(first, second);
        double bb = throughNets ? Vectors.dot(second, second, origin) : Vectors.dot(second, second);
        gram = new double[][] {{aa, ab}, {ab, bb}};
        if (!(aa * bb - ab * ab > 1e-10 * aa * bb)) {
            throw new IllegalArgumentException(
                    "the nets lie on a line, or two of them are the same: they span no plane");
        }
        width = Math.sqrt(aa);
        skew = ab / aa;
        height = Math.sqrt(bb - ab * ab / aa);
    }

    /**
     * Gram and Schmidt: u = (w2 - w0) / |.|, v = (w1 - w0) - &lt;u, w1 - w0&gt; u, normalised.
     *
     * @throws IllegalArgumentException if the three lie on a line
     */
    public static Plane through(float[] w0, float[] w1, float[] w2) {
        return new Plane(w0, w2, w1, true);
    }

    /** w + x d1 + y d2; its axes are the directions as they are. */
    public static Plane along(float[] w, float[] d1, float[] d2) {
        return new Plane(w, d1, d2, false);
    }

    /** Extent along x: |w2 - w0|. */
    public double width() {
        return width;
    }

    /** Extent along y: the distance of w1 from the line through w0 and w2. */
    public double height() {
        return height;
    }

    /** Shares of (w0, w1, w2), or of (w, d1, d2), at the point (x, y). */
    public double[] shares(double x, double y) {
        if (!throughNets) return new double[] {1, x, y};
        double b = y / height;
        double a = x / width - b * skew;
        return new double[] {1 - b - a, b, a};
    }

    /** The plane's nearest point to {@code net}. */
    public Spot project(float[] net) {
        double p = 0;
        double q = 0;
        double square = 0;
        for (int i = 0; i < net.length; i++) {
            double d = (double) net[i] - origin[i];
            double base = throughNets ? origin[i] : 0;
            p += d * (first[i] - base);
            q += d * (second[i] - base);
            square += d * d;
        }
        double det = gram[0][0] * gram[1][1] - gram[0][1] * gram[0][1];
        double a = (p * gram[1][1] - q * gram[0][1]) / det;
        double b = (q * gram[0][0] - p * gram[0][1]) / det;
        double inside = a * p + b * q;
        double away = Math.sqrt(Math.max(0, square - inside));
        if (!throughNets) return new Spot(a, b, away);
        return new Spot((a + b * skew) * width, b * height, away);
    }
}
