package io.basin.ensemble;

/** The order of calls and the checks of data that every {@link MemberSink} shares. */
final class Batch {
    /** How far a row may sum from 1 and an entry leave [0, 1]: a softmax in half precision passes, logits do not. */
    static final double TOLERANCE = 1e-3;

    final int members;
    final int classes;
    int[] labels = new int[0];
    /** Samples of the running batch, 0 between batches. */
    int count;
    /** Members seen in the running batch. */
    int seen;

    Batch(int members, int classes) {
        if (members < 1) {
            throw new IllegalArgumentException("an ensemble needs at least one member, got " + members);
        }
        if (classes < 2) {
            throw new IllegalArgumentException("an ensemble needs at least two classes, got " + classes);
        }
        this.members = members;
        this.classes = classes;
    }

    void begin(int[] newLabels, int newCount) {
        if (count != 0) {
            throw new IllegalStateException("a batch began before the last one ended");
        }
        if (newCount < 1 || newCount > newLabels.length) {
            throw new IllegalArgumentException(
                    "a batch of " + newCount + " samples with " + newLabels.length + " labels");
        }
        for (int i = 0; i < newCount; i++) {
            checkLabel(newLabels[i], classes);
        }
        if (labels.length < newCount) {
            labels = new int[newCount];
        }
        System.arraycopy(newLabels, 0, labels, 0, newCount);
        count = newCount;
        seen = 0;
    }

    /** SelfCheck the next member's rows and counts it; returns its index. */
    int member(double[] probabilities) {
        if (count == 0) {
            throw new IllegalStateException("a member came outside a batch");
        }
        if (seen == members) {
            throw new IllegalStateException("more members than the " + members + " announced");
        }
        if (probabilities.length < (long) count * classes) {
            throw new IllegalArgumentException("member " + seen + ": " + probabilities.length + " probabilities for "
                    + count + " samples of " + classes + " classes");
        }
        for (int i = 0; i < count; i++) {
            checkRow(probabilities, i * classes, classes, seen, i);
        }
        return seen++;
    }

    void end() {
        if (count == 0) {
            throw new IllegalStateException("no batch to end");
        }
        if (seen != members) {
            throw new IllegalStateException("the batch ended after " + seen + " of " + members + " members");
        }
        count = 0;
    }

    static void checkLabel(int label, int classes) {
        if (label < 0 || label >= classes) {
            throw new IllegalArgumentException("label " + label + " is not one of " + classes + " classes");
        }
    }

    private static void checkRow(double[] p, int offset, int classes, int member, int sample) {
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            double x = p[offset + c];
            // Written so that NaN fails.
            if (!(x >= -TOLERANCE && x <= 1 + TOLERANCE)) {
                throw new IllegalArgumentException("member " + member + ", sample " + sample + " of the batch, class "
                        + c + ": " + x + " is not a probability");
            }
            sum += x;
        }
        if (Math.abs(sum - 1) > TOLERANCE) {
            throw new IllegalArgumentException("member " + member + ", sample " + sample
                    + " of the batch: probabilities sum to " + sum + ", are they logits?");
        }
    }

    /** The first index of the largest of {@code x[offset .. offset + length)}, less {@code offset}. */
    static int argmax(double[] x, int offset, int length) {
        int best = 0;
        for (int c = 1; c < length; c++) {
            if (x[offset + c] > x[offset + best]) {
                best = c;
            }
        }
        return best;
    }
}
