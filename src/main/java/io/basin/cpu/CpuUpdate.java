package io.basin.cpu;

import io.basin.Nullable;
import io.basin.device.AdamW;
import io.basin.device.Optimizer;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * One step of an optimizer over arrays, shared out among the crew: 20 bytes a weight of SGD, 28 of AdamW, 8 more where it averages.
 *
 * <pre>
 *   g = f g                      what clips the gradients; f = 1 nothing
 *   w, m, v by the rule
 *   a = a + alpha (w - a)        only where alpha != 0
 *   w = w + pull (a - w)         only where pull != 0; 1: w = a
 * </pre>
 *
 * {@code kernels/step.c} does it for the rules of ours where it is there and all arrays lie outside the Java heap, plain Java else.
 * HotSpot vectorises loops over float[] but not over direct buffers. So a tile of 256 floats of each array passes through small
 * arrays that stay in the first-level cache; with larger tiles the JVM copies through wide stores, at half the speed.
 */
final class CpuUpdate implements IntConsumer {
    private static final int TILE = 256;
    /** The least that a thread claims at a time: long enough to hide the claim. */
    private static final int LEAST_PIECE = 64 * TILE;

    /** More make up for a thread that starts late; fewer are faster, for memory likes long runs from one thread. */
    private static final int PIECES_PER_THREAD = 8;

    /** How many elements of {@code length} a thread claims at a time. */
    static int piece(long length, int threads) {
        return (int) Math.max(LEAST_PIECE, length / PIECES_PER_THREAD / threads / TILE * TILE);
    }

    /** The arrays of some weights, in this order. Of a curve, p is the control point and w the point on it; else w is absent. */
    enum Part {
        G,
        P,
        M,
        V,
        A,
        W
    }

    /**
     * Arrays of one length.
     *
     * @param floats by {@link Part}; null for what is absent
     * @param addresses of the same; 0 for what is absent or lies on the Java heap
     * @param split elements before it are subject to weight decay
     */
    record Strip(int length, int split, @Nullable FloatBuffer[] floats, long[] addresses) {
        private boolean outsideHeap() {
            for (int k = 0; k < floats.length; k++) if (floats[k] != null && addresses[k] == 0) return false;
            return true;
        }

        private long at(Part part, int i) {
            long address = addresses[part.ordinal()];
            return address == 0 ? 0 : address + 4L * i;
        }

        private boolean has(Part part) {
            return floats[part.ordinal()] != null;
        }
    }

    private final WorkerPool crew;
    private final Optimizer rule;
    private final List<Strip> strips;
    private final boolean[] c;
    /** (piece): its strip, and its first element. */
    private final int[] strip;

    private final int[] begin;
    private final int piece;
    private final ThreadLocal<float[][]> tiles = ThreadLocal.withInitial(() -> new float[Part.values().length][TILE]);
    private static final float[] NONE = {};

    // What a step sets before it runs.
    float lr;
    float alpha;
    float pull;
    float factor = 1;
    float coefficient = 1;
    float[] scalars = NONE;

    /** @param kernel whether C may do it */
    CpuUpdate(WorkerPool crew, Optimizer rule, List<Strip> strips, boolean kernel) {
        this.crew = crew;
        this.rule = rule;
        this.strips = strips;
        boolean ours = kernel && (rule instanceof Sgd || rule instanceof AdamW);
        c = new boolean[strips.size()];
        long all = 0;
        for (Strip s : strips) all += s.length;
        piece = piece(all, crew.threads());
        int pieces =
                strips.stream().mapToInt(s -> (s.length + piece - 1) / piece).sum();
        strip = new int[pieces];
        begin = new int[pieces];
        int k = 0;
        for (int s = 0; s < strips.size(); s++) {
            c[s] = ours && strips.get(s).outsideHeap();
            for (int i = 0; i < strips.get(s).length; i += piece) {
                strip[k] = s;
                begin[k++] = i;
            }
        }
    }

    void run() {
        crew.run(strip.length, this);
    }

    @Override
    public void accept(int number) {
        Strip s = strips.get(strip[number]);
        int from = begin[number];
        int end = (int) Math.min(s.length, (long) from + piece);
        int middle = Math.max(from, Math.min(end, s.split));
        if (from < middle) range(c[strip[number]], s, from, middle - from, true);
        if (middle < end) range(c[strip[number]], s, middle, end - middle, false);
    }

    private void range(boolean inC, Strip s, int i, int n, boolean decayed) {
        if (inC && rule instanceof Sgd sgd) {
            long p = s.at(Part.P, i);
            long w = s.has(Part.W) ? s.at(Part.W, i) : p;
            float wd = decayed ? (float) sgd.weightDecay() : 0;
            StepKernel.basin_step(
                    p,
                    s.at(Part.M, i),
                    w,
                    s.at(Part.G, i),
                    s.at(Part.A, i),
                    n,
                    coefficient,
                    (float) sgd.momentum(),
                    wd,
                    lr,
                    alpha,
                    pull,
                    factor,
                    sgd.nesterov() ? 1 : 0,
                    0);
        } else if (inC && rule instanceof AdamW a) {
            float decay = decayed ? lr * (float) a.weightDecay() : 0;
            StepKernel.basin_adamw(
                    s.at(Part.P, i),
                    s.at(Part.G, i),
                    s.at(Part.M, i),
                    s.at(Part.V, i),
                    s.at(Part.A, i),
                    n,
                    (float) a.beta1(),
                    (float) (1 - a.beta1()),
                    (float) a.beta2(),
                    (float) (1 - a.beta2()),
                    (float) a.eps(),
                    decay,
                    lr * scalars[0],
                    scalars[1],
                    alpha,
                    pull,
                    factor);
        } else {
            for (int at = i; at < i + n; at += TILE) tile(s, at, Math.min(TILE, i + n - at), decayed);
        }
    }

    private void tile(Strip s, int i, int n, boolean decayed) {
        float[][] t = tiles.get();
        for (int k = 0; k < t.length; k++) {
            boolean read = k != Part.A.ordinal() || alpha != 0 || pull != 0;
            FloatBuffer from = s.floats[k];
            if (from != null && read) from.get(i, t[k], 0, n);
        }
        float[] g = t[Part.G.ordinal()];
        float[] p = t[Part.P.ordinal()];
        float[] a = t[Part.A.ordinal()];
        if (factor != 1) scale(g, n, factor);
        move(s, t, g, p, n, decayed);
        if (alpha != 0) toward(a, p, n, alpha);
        if (pull == 1) System.arraycopy(a, 0, p, 0, n);
        else if (pull != 0) toward(p, a, n, pull);
        for (int k = Part.P.ordinal(); k <= Part.A.ordinal(); k++) {
            FloatBuffer to = s.floats[k];
            if (to != null && (k != Part.A.ordinal() || alpha != 0)) to.put(i, t[k], 0, n);
        }
    }

    private void move(Strip s, float[][] t, float[] g, float[] p, int n, boolean decayed) {
        float[] m = t[Part.M.ordinal()];
        if (rule instanceof Sgd sgd) {
            float wd = decayed ? (float) sgd.weightDecay() : 0;
            float mu = (float) sgd.momentum();
            float[] w = s.has(Part.W) ? t[Part.W.ordinal()] : p;
            if (sgd.nesterov()) nesterov(w, g, m, p, n, coefficient, mu, wd, lr);
            else heavyBall(w, g, m, p, n, coefficient, mu, wd, lr);
        } else {
            UpdateRule own = (UpdateRule) rule;
            float wd = decayed ? (float) own.weightDecay() : 0;
            int moments = own.moments();
            float[] v = moments > 1 ? t[Part.V.ordinal()] : NONE;
            own.update(n, p, g, moments > 0 ? m : NONE, v, lr, wd, scalars);
        }
    }

    /** d = c (g + wd w); v = mu v + d; p = p - lr v. */
    private static void heavyBall(
            float[] w, float[] g, float[] v, float[] p, int n, float c, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float x = mu * v[i] + c * (g[i] + wd * w[i]);
            v[i] = x;
            p[i] = p[i] - lr * x;
        }
    }

    /** The same with p = p - lr (d + mu v). */
    private static void nesterov(
            float[] w, float[] g, float[] v, float[] p, int n, float c, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float d = c * (g[i] + wd * w[i]);
            float x = mu * v[i] + d;
            v[i] = x;
            p[i] = p[i] - lr * (d + mu * x);
        }
    }

    private static void toward(float[] a, float[] w, int n, float alpha) {
        for (int i = 0; i < n; i++) a[i] = a[i] + alpha * (w[i] - a[i]);
    }

    private static void scale(float[] g, int n, float factor) {
        for (int i = 0; i < n; i++) g[i] = factor * g[i];
    }
}
