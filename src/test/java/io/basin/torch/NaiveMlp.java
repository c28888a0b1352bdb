package io.basin.torch;

/** Two linear layers with a ReLU between, trained by SGD in plain double loops: an oracle of the oracle. */
final class NaiveMlp {
    final double[][] weights;
    private final double[][] momenta;
    private final int in;
    private final int hidden;
    private final int classes;

    /** @param weights fc1.weight, fc1.bias, fc2.weight, fc2.bias, row-major [out][in] */
    NaiveMlp(double[][] weights, int in, int hidden, int classes) {
        this.weights = weights;
        this.in = in;
        this.hidden = hidden;
        this.classes = classes;
        momenta = new double[weights.length][];
        for (int i = 0; i < weights.length; i++) {
            momenta[i] = new double[weights[i].length];
        }
    }

    /** One step on [N][in] images; returns the mean cross-entropy before it. */
    double step(float[] images, long[] labels, double lr, double momentum, double decay, boolean nesterov) {
        double[][] gradients = new double[weights.length][];
        for (int i = 0; i < weights.length; i++) {
            gradients[i] = new double[weights[i].length];
        }
        double loss = 0;
        for (int n = 0; n < labels.length; n++) {
            loss += example(images, n * in, (int) labels[n], 1.0 / labels.length, gradients);
        }
        for (int i = 0; i < weights.length; i++) {
            for (int j = 0; j < weights[i].length; j++) {
                double g = gradients[i][j] + decay * weights[i][j];
                momenta[i][j] = momentum * momenta[i][j] + g;
                weights[i][j] -= lr * (nesterov ? g + momentum * momenta[i][j] : momenta[i][j]);
            }
        }
        return loss;
    }

    private double example(float[] images, int offset, int label, double share, double[][] gradients) {
        double[] x = new double[in];
        for (int i = 0; i < in; i++) {
            x[i] = images[offset + i];
        }
        double[] h = affine(weights[0], weights[1], x, hidden);
        for (int i = 0; i < hidden; i++) {
            h[i] = Math.max(0, h[i]);
        }
        double[] logits = affine(weights[2], weights[3], h, classes);
        double sum = 0;
        for (double logit : logits) {
            sum += Math.exp(logit);
        }
        double[] dLogits = new double[classes];
        for (int c = 0; c < classes; c++) {
            dLogits[c] = share * (Math.exp(logits[c]) / sum - (c == label ? 1 : 0));
        }
        double[] dHidden = affineBackward(weights[2], h, dLogits, gradients[2], gradients[3]);
        for (int i = 0; i < hidden; i++) {
            dHidden[i] = h[i] > 0 ? dHidden[i] : 0;
        }
        affineBackward(weights[0], x, dHidden, gradients[0], gradients[1]);
        return share * (Math.log(sum) - logits[label]);
    }

    private static double[] affine(double[] weight, double[] bias, double[] x, int out) {
        double[] y = bias.clone();
        for (int o = 0; o < out; o++) {
            for (int i = 0; i < x.length; i++) {
                y[o] += weight[o * x.length + i] * x[i];
            }
        }
        return y;
    }

    private static double[] affineBackward(double[] weight, double[] x, double[] dy, double[] dWeight, double[] dBias) {
        double[] dx = new double[x.length];
        for (int o = 0; o < dy.length; o++) {
            dBias[o] += dy[o];
            for (int i = 0; i < x.length; i++) {
                dWeight[o * x.length + i] += dy[o] * x[i];
                dx[i] += dy[o] * weight[o * x.length + i];
            }
        }
        return dx;
    }
}
