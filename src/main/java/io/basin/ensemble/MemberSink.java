package io.basin.ensemble;

/** Takes the members' predictions of a data set, batch by batch: {@code begin}, {@code member} once for each member, {@code end}. */
public interface MemberSink {
    /**
     * Starts a batch.
     *
     * @param labels the true classes, the first {@code count} entries
     * @param count samples in the batch, at least 1; may differ between batches
     * @throws IllegalArgumentException if a label is no class
     * @throws IllegalStateException if the last batch has not ended
     */
    void begin(int[] labels, int count);

    /**
     * The next member's predictions for the batch. Not kept: the caller may reuse the array.
     *
     * @param probabilities (count, classes), row-major, at least that long
     * @throws IllegalArgumentException naming the member and the sample, if a row is not finite, leaves [0, 1] or does not sum to
     *     1; nothing was changed then
     * @throws IllegalStateException outside a batch or after the last member
     */
    void member(double[] probabilities);

    /**
     * Ends the batch.
     *
     * @throws IllegalStateException if members are missing
     */
    void end();

    /** A sink that passes all it gets to each of {@code sinks} in turn. */
    static MemberSink all(MemberSink... sinks) {
        MemberSink[] copy = sinks.clone();
        return new MemberSink() {
            @Override
            public void begin(int[] labels, int count) {
                for (MemberSink sink : copy) {
                    sink.begin(labels, count);
                }
            }

            @Override
            public void member(double[] probabilities) {
                for (MemberSink sink : copy) {
                    sink.member(probabilities);
                }
            }

            @Override
            public void end() {
                for (MemberSink sink : copy) {
                    sink.end();
                }
            }
        };
    }
}
