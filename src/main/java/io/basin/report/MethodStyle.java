package io.basin.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Polygon;
import java.awt.Shape;
import java.awt.Stroke;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Rectangle2D;
import java.util.List;

/**
 * How a method looks in every figure: one colour, dash and marker of its own, which colour-blind readers and readers of grey prints
 * tell apart too.
 */
record MethodStyle(Color colour, Stroke stroke, Shape marker) {
    /** Okabe and Ito's. */
    static final List<Color> PALETTE = List.of(
            new Color(0x0072B2),
            new Color(0xD55E00),
            new Color(0x009E73),
            new Color(0xCC79A7),
            new Color(0x000000),
            new Color(0x56B4E9),
            new Color(0xE69F00),
            new Color(0x999999));

    /** In the order of their colours: those that stand beside each other most often differ most. */
    private static final List<String> METHODS = List.of(("sgd swa fge snapshot ema independent swag swap swa-cyclic "
                    + "lawa tail switch-ema pswa lookahead wsm posthoc-ema")
            .split(" "));

    private static final float[][] DASHES = {{10, 4}, {3, 3}, {10, 3, 3, 3}, {6, 2}};
    private static final Shape[] MARKERS = {
        new Ellipse2D.Double(-3.5, -3.5, 7, 7),
        new Rectangle2D.Double(-3, -3, 6, 6),
        new Polygon(new int[] {-4, 4, 0}, new int[] {3, 3, -4}, 3),
        new Polygon(new int[] {-4, 0, 4, 0}, new int[] {0, 4, 0, -4}, 4)
    };

    /** The place of the method that {@code name} begins with, such as {@code swa, 3 nets} or {@code sgd+ema}; -1 for none. */
    static int place(String name) {
        return METHODS.indexOf(name.split("[ ,+]")[0]);
    }

    /** The style of a place; no two of the first 32 are equal. A fine one is for a method's second line. */
    static MethodStyle of(int place, boolean fine) {
        int round = place / PALETTE.size();
        // The first is drawn first and whole: a dashed line shows upon it where two lines coincide.
        float[] dash = place == 0 ? new float[0] : DASHES[(place - 1 + round) % DASHES.length];
        return new MethodStyle(
                PALETTE.get(place % PALETTE.size()),
                stroke(fine ? 1 : 2.2f, dash),
                MARKERS[(place + place / MARKERS.length) % MARKERS.length]);
    }

    static Stroke stroke(float width, float... dash) {
        float[] pattern = dash.length == 0 ? null : dash;
        return new BasicStroke(width, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, pattern, 0);
    }
}
