package io.basin.ensemble;

/** Collects a batch's predictions side by side: one row (members x classes) for each sample. */
abstract class Features implements MemberSink {
    final Batch batch;
    /** Length of a row. */
    final int width;

    private double[] rows = new double[0]; // (count, members, classes)
    /** Sum of the samples' hashes and their number: two sets of equal samples, in any order, agree. */
    private long fingerprint;

    private long samples;

    Features(int members, int classes) {
        batch = new Batch(members, classes);
        width = Math.multiplyExact(members, classes);
    }

    /** One whole sample: {@code rows[offset .. offset + width)}. */
    abstract void sample(double[] all, int offset, int label);

    final long fingerprint() {
        return fingerprint * 31 + samples;
    }

    final long samples() {
        return samples;
    }

    @Override
    public final void begin(int[] labels, int count) {
        batch.begin(labels, count);
        int size = Math.multiplyExact(count, width);
        if (rows.length < size) {
            rows = new double[size];
        }
    }

    @Override
    public final void member(double[] probabilities) {
        int k = batch.member(probabilities);
        int classes = batch.classes;
        for (int i = 0; i < batch.count; i++) {
            System.arraycopy(probabilities, i * classes, rows, i * width + k * classes, classes);
        }
    }

    @Override
    public final void end() {
        int count = batch.count;
        batch.end();
        for (int i = 0; i < count; i++) {
            sample(rows, i * width, batch.labels[i]);
            fingerprint += hash(rows, i * width, batch.labels[i]);
            samples++;
        }
    }

    /** Mixing as in SplitMix64, over all bits of the row. */
    private long hash(double[] all, int offset, int label) {
        long h = label;
        for (int j = 0; j < width; j++) {
            h = (h ^ Double.doubleToLongBits(all[offset + j])) * 0xbf58476d1ce4e5b9L;
            h ^= h >>> 31;
        }
        return h;
    }
}
