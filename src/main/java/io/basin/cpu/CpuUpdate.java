package io.basin.cpu;

import io.basin.Nullable;
import io.basin.device.AdamW;
import io.basin.device.ForeignStep.Role;
import io.basin.device.Optimizer;
import io.basin.device.Sgd;
import io.basin.device.SgdW;
import io.basin.device.UpdateRule;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * One step of an optimizer over arrays, shared out among the crew: 20 bytes a weight of SGD, 28 of AdamW, 8 more where it averages.
 *
 * <pre>
 *   g = f g                      clips the gradients; f = 1: not
 *   w, m, v by the rule
 *   a = a + alpha (w - a)        only where alpha != 0, and where s is there
 *   s = (1 - alpha) s + alpha / (1 - alpha) (w - a)^2, alpha = 1: s = 0
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

    /** More make up for a thread that starts late; fewer are faster, as memory is fastest in long runs from one thread. */
    private static final int PIECES_PER_THREAD = 8;

    /** How many elements of {@code length} a thread claims at a time. */
    static int piece(long length, int threads) {
        return (int) Math.max(LEAST_PIECE, length / PIECES_PER_THREAD / threads / TILE * TILE);
    }

    /** Beside the arrays of every {@link Role}: of a curve, whose control point is W, the point on it that has the gradients. */
    static final int AT = Role.values().length;

    /**
     * Arrays of one length.
     *
     * @param floats by {@link Role}, and {@link #AT}; null for what is absent
     * @param addresses of the same; 0 for what is absent or lies on the Java heap
     * @param split elements before it are subject to weight decay
     */
    record Strip(int length, int split, @Nullable FloatBuffer[] floats, long[] addresses) {
        private boolean outsideHeap() {
            for (int k = 0; k < floats.length; k++) if (floats[k] != null && addresses[k] == 0) return false;
            return true;
        }

        private long at(Role role, int i) {
            return at(role.ordinal(), i);
        }

        private long at(int role, int i) {
            return addresses[role] == 0 ? 0 : addresses[role] + 4L * i;
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
    private final ThreadLocal<float[][]> tiles = ThreadLocal.withInitial(() -> new float[AT + 1][TILE]);
    private static final float[] NONE = {};

    // A step sets these before it runs.
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
        boolean ours = kernel && (rule instanceof Sgd || rule instanceof SgdW || rule instanceof AdamW);
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
        if (!inC) {
            for (int at = i; at < i + n; at += TILE) tile(s, at, Math.min(TILE, i + n - at), decayed);
        } else if (rule instanceof AdamW a) {
            adamw(a, s, i, n, decayed ? lr * (float) a.weightDecay() : 0);
        } else if (rule instanceof SgdW w) {
            sgd(s, i, n, w.momentum(), decayed ? w.weightDecay() : 0, w.nesterov(), 1);
        } else {
            Sgd sgd = (Sgd) rule;
            sgd(s, i, n, sgd.momentum(), decayed ? sgd.weightDecay() : 0, sgd.nesterov(), 0);
        }
    }

    private void sgd(Strip s, int i, int n, double mu, double wd, boolean nesterov, int decoupled) {
        long w = s.at(Role.W, i);
        long at = s.floats[AT] == null ? w : s.at(AT, i);
        long m = s.at(Role.M, i);
        long g = s.at(Role.G, i);
        long a = s.at(Role.A, i);
        long spread = s.at(Role.S, i);
        float c = coefficient;
        int ahead = nesterov ? 1 : 0;
        StepKernel.basin_step(
                w, m, at, g, a, spread, n, c, (float) mu, (float) wd, lr, alpha, pull, factor, ahead, decoupled);
    }

    private void adamw(AdamW rule, Strip s, int i, int n, float decay) {
        long w = s.at(Role.W, i);
        long g = s.at(Role.G, i);
        long m = s.at(Role.M, i);
        long v = s.at(Role.V, i);
        long a = s.at(Role.A, i);
        long spread = s.at(Role.S, i);
        float b1 = (float) rule.beta1();
        float r1 = (float) (1 - rule.beta1());
        float b2 = (float) rule.beta2();
        float r2 = (float) (1 - rule.beta2());
        float e = (float) rule.eps();
        float rate = lr * scalars[0];
        StepKernel.basin_adamw(
                w, g, m, v, a, spread, n, b1, r1, b2, r2, e, decay, rate, scalars[1], alpha, pull, factor);
    }

    private void tile(Strip s, int i, int n, boolean decayed) {
        float[][] t = tiles.get();
        for (int k = 0; k < t.length; k++) {
            FloatBuffer from = s.floats[k];
            if (from != null && isTouched(k, pull)) from.get(i, t[k], 0, n);
        }
        float[] w = t[Role.W.ordinal()];
        float[] a = t[Role.A.ordinal()];
        if (factor != 1) scale(t[Role.G.ordinal()], n, factor);
        move(t, s.floats[AT] == null ? w : t[AT], n, decayed);
        if (alpha != 0) toward(a, w, n, alpha);
        if (alpha != 0 && s.floats[Role.S.ordinal()] != null) moment(t[Role.S.ordinal()], w, a, n, alpha);
        if (pull == 1) System.arraycopy(a, 0, w, 0, n);
        else if (pull != 0) toward(w, a, n, pull);
        for (Role role : WRITTEN) {
            FloatBuffer to = s.floats[role.ordinal()];
            if (to != null && isTouched(role.ordinal(), 0)) to.put(i, t[role.ordinal()], 0, n);
        }
    }

    private static final Role[] WRITTEN = {Role.W, Role.M, Role.V, Role.A, Role.S};

    /** The average and its spread are where a step averages; the average alone where it pulls. */
    private boolean isTouched(int role, float pull) {
        if (role == Role.S.ordinal()) return alpha != 0;
        return role != Role.A.ordinal() || alpha != 0 || pull != 0;
    }

    private void move(float[][] t, float[] at, int n, boolean decayed) {
        float[] w = t[Role.W.ordinal()];
        float[] g = t[Role.G.ordinal()];
        float[] m = t[Role.M.ordinal()];
        if (rule instanceof Sgd sgd) {
            float wd = decayed ? (float) sgd.weightDecay() : 0;
            float mu = (float) sgd.momentum();
            if (sgd.nesterov()) nesterov(at, g, m, w, n, coefficient, mu, wd, lr);
            else heavyBall(at, g, m, w, n, coefficient, mu, wd, lr);
        } else {
            UpdateRule own = (UpdateRule) rule;
            float wd = decayed ? (float) own.weightDecay() : 0;
            int moments = own.moments();
            float[] v = moments > 1 ? t[Role.V.ordinal()] : NONE;
            own.update(n, w, g, moments > 0 ? m : NONE, v, lr, wd, scalars);
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

    private static void moment(float[] s, float[] w, float[] a, int n, float alpha) {
        float keep = 1 - alpha;
        float gain = alpha / keep;
        for (int i = 0; i < n; i++) {
            float d = w[i] - a[i];
            s[i] = keep == 0 ? 0 : keep * s[i] + gain * (d * d);
        }
    }
}
