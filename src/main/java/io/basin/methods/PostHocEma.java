package io.basin.methods;

import io.basin.Api;
import io.basin.text.Require;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * Exponential averages of any width after training (Karras et al. 2024, arXiv 2312.02696, section 3): a combination of averages that
 * were kept now and then, of two widths or more ({@link PowerEma}, or an averager of arrays that others own), whose weights on the single steps are nearest to those of the wanted one.
 *
 * <pre>
 *   a_t = b a_(t-1) + (1 - b) w_t,  b = (1 - 1/t)^(gamma + 1),  t counted from 1
 *   so w_i weighs in a_t             p_i = (i/t)^(gamma+1) - ((i-1)/t)^(gamma+1),  i up to t, beyond it 0
 *   fit                              shares x that make sum over i of (sum_k x_k p_k,i - p_i)^2 least
 *   bound                            sum over i of |sum_k x_k p_k,i - p_i|
 * </pre>
 *
 * <p>No weight of the combination is further from the really averaged one than the bound times the largest absolute value that it had
 * in the run. Keep each average 80 times or so: between the widths kept and for later steps the bound is then about 1e-3.
 */
@Api
public final class PostHocEma {
    /** Rows of the fit; of longer runs several steps share one. The bound always counts single steps. */
    private static final int MOST_ROWS = 4096;

    /** An average as it was after {@code step} steps. */
    public record Kept(double gamma, int step) {
        public Kept {
            Require.positive("gamma", gamma);
            Require.atLeast("step", step, 1);
        }

        /** How much the steps after {@code from} up to {@code to} weigh. */
        private double weight(int from, int to) {
            return before(to) - before(from);
        }

        private double before(int i) {
            return i >= step ? 1 : StrictMath.pow((double) i / step, gamma + 1);
        }
    }

    /**
     * A combination of kept averages.
     *
     * @param shares of each kept average, in their order; about 1 together
     */
    public record Fit(double[] shares, double bound) {
        /** The combination of one array, summed in double: its values in every kept average, in their order. */
        public float[] of(List<float[]> averages) {
            if (averages.size() != shares.length) {
                throw new IllegalArgumentException(
                        "`averages` must be the " + shares.length + " that were kept, got " + averages.size());
            }
            float[] out = new float[averages.get(0).length];
            for (int i = 0; i < out.length; i++) {
                double sum = 0;
                for (int k = 0; k < shares.length; k++) sum += shares[k] * averages.get(k)[i];
                out[i] = (float) sum;
            }
            return out;
        }
    }

    private final List<Kept> kept;
    private final int steps;
    private final int rows;
    private final LinearSolverDense<DMatrixRMaj> solver;

    public PostHocEma(List<Kept> kept) {
        if (kept.isEmpty()) throw new IllegalArgumentException("`kept` is empty: there is nothing to combine");
        this.kept = List.copyOf(kept);
        steps = kept.stream().mapToInt(Kept::step).max().orElseThrow();
        rows = Math.max(kept.size(), Math.min(MOST_ROWS, steps));
        DMatrixRMaj profiles = new DMatrixRMaj(rows, kept.size());
        for (int k = 0; k < kept.size(); k++) {
            double[] column = profile(kept.get(k));
            for (int r = 0; r < rows; r++) profiles.set(r, k, column[r]);
        }
        solver = LinearSolverFactory_DDRM.leastSquaresQrPivot(true, false);
        if (!solver.setA(profiles)) throw new IllegalArgumentException("`kept` has the same average twice");
    }

    /** Of all steps of a row together; rows of many steps count as much as each of their steps. */
    private double[] profile(Kept average) {
        double[] out = new double[rows];
        for (int r = 0; r < rows; r++) {
            int from = (int) ((long) r * steps / rows);
            int to = (int) ((r + 1L) * steps / rows);
            out[r] = to == from ? 0 : average.weight(from, to) / Math.sqrt(to - from);
        }
        return out;
    }

    /**
     * The average of that width after {@code step} steps, as near as the kept averages allow.
     *
     * @param gamma of the wanted average, see {@link #gamma}
     */
    public synchronized Fit fit(double gamma, int step) {
        Kept wanted = new Kept(gamma, step);
        if (step > steps)
            throw new IllegalArgumentException("`step` must be at most the " + steps + " kept, got " + step);
        DMatrixRMaj shares = new DMatrixRMaj(kept.size(), 1);
        solver.solve(new DMatrixRMaj(rows, 1, true, profile(wanted)), shares);
        double bound = 0;
        for (int i = 1; i <= steps; i++) {
            double apart = -wanted.weight(i - 1, i);
            for (int k = 0; k < kept.size(); k++) {
                if (i <= kept.get(k).step())
                    apart += shares.get(k) * kept.get(k).weight(i - 1, i);
            }
            bound += Math.abs(apart);
        }
        return new Fit(shares.getData(), bound);
    }

    /**
     * The gamma of a width, the standard deviation of the average's weights over steps as a share of the run: the paper's sigma_rel,
     * 0.10 for 6.94. Its square is (gamma + 1) / ((gamma + 2)^2 (gamma + 3)).
     *
     * @param width above 0, below 0.2886
     */
    public static double gamma(double width) {
        if (!(width > 0 && width < 0.2886)) {
            throw new IllegalArgumentException("`width` must lie between 0 and 0.2886, got " + width);
        }
        double low = 0;
        double high = 1 / width;
        for (int k = 0; k < 100; k++) {
            double g = (low + high) / 2;
            if ((g + 1) / ((g + 2) * (g + 2) * (g + 3)) > width * width) low = g;
            else high = g;
        }
        return low;
    }
}
