package io.basin.ensemble;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/** What least squares needs to know of a set of samples: G = X'X (upper triangle), B = X'Y for one-hot Y, and their number. */
final class Gram {
    private final DMatrixRMaj g; // (width, width), only j >= i
    private final DMatrixRMaj b; // (width, classes)
    private long samples;

    Gram(int width, int classes) {
        g = new DMatrixRMaj(width, width);
        b = new DMatrixRMaj(width, classes);
    }

    private Gram(DMatrixRMaj g, DMatrixRMaj b, long samples) {
        this.g = g;
        this.b = b;
        this.samples = samples;
    }

    void add(double[] x, int offset, int label) {
        int width = g.numRows;
        for (int i = 0; i < width; i++) {
            double xi = x[offset + i];
            int row = i * width;
            for (int j = i; j < width; j++) {
                g.data[row + j] += xi * x[offset + j];
            }
            b.data[i * b.numCols + label] += xi;
        }
        samples++;
    }

    static Gram sum(Gram[] parts) {
        Gram total = new Gram(parts[0].g.numRows, parts[0].b.numCols);
        for (Gram part : parts) {
            CommonOps_DDRM.addEquals(total.g, part.g);
            CommonOps_DDRM.addEquals(total.b, part.b);
            total.samples += part.samples;
        }
        return total;
    }

    Gram without(Gram part) {
        return new Gram(
                CommonOps_DDRM.subtract(g, part.g, null),
                CommonOps_DDRM.subtract(b, part.b, null),
                samples - part.samples);
    }

    /** W of {@code (G/n + lambda I) W = B/n}, (width, classes). */
    DMatrixRMaj solve(double lambda) {
        int width = g.numRows;
        DMatrixRMaj a = new DMatrixRMaj(width, width);
        for (int i = 0; i < width; i++) {
            for (int j = i; j < width; j++) {
                double value = g.data[i * width + j] / samples;
                a.data[i * width + j] = value;
                a.data[j * width + i] = value;
            }
            a.data[i * width + i] += lambda;
        }
        DMatrixRMaj right = b.copy();
        CommonOps_DDRM.divide(right, (double) samples);
        LinearSolverDense<DMatrixRMaj> cholesky = LinearSolverFactory_DDRM.symmPosDef(width);
        if (!cholesky.setA(a)) {
            throw new IllegalArgumentException("ridge: the members are so alike that lambda " + lambda
                    + " cannot tell them apart; use a larger one");
        }
        DMatrixRMaj w = new DMatrixRMaj(width, b.numCols);
        cholesky.solve(right, w);
        return w;
    }

    /** {@code |X W - Y|^2 = tr(W'GW) - 2 tr(W'B) + n}: one-hot rows have norm 1. */
    double squaredError(DMatrixRMaj w) {
        int width = g.numRows;
        int classes = b.numCols;
        double error = samples;
        for (int i = 0; i < width; i++) {
            for (int j = i; j < width; j++) {
                double dot = 0;
                for (int c = 0; c < classes; c++) {
                    dot += w.data[i * classes + c] * w.data[j * classes + c];
                }
                error += (i == j ? 1 : 2) * g.data[i * width + j] * dot;
            }
        }
        for (int i = 0; i < b.data.length; i++) {
            error -= 2 * w.data[i] * b.data[i];
        }
        return error;
    }
}
