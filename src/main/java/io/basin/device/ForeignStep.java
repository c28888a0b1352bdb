package io.basin.device;

import io.basin.Api;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** An optimizer's step over arrays that others own: the basis of {@code io.basin.average.FusedStep}. Every device has the same bits. */
@Api
public interface ForeignStep extends AutoCloseable {
    /** Weights, gradients, the optimizer's two moments, the average, and the variance of what was averaged. */
    enum Role {
        W,
        G,
        M,
        V,
        A,
        S
    }

    /**
     * Float32 arrays of one length.
     *
     * @param decayed elements before it are subject to weight decay
     */
    record Strip(Map<Role, ForeignArrays.Array> arrays, int decayed) {
        /** Elements whose squares are summed by themselves: all devices agree on the order. */
        private static final int PIECE = 1 << 14;

        public int count() {
            return arrays.values().iterator().next().count();
        }

        /** Some neighbouring elements, all decayed or all not. */
        public record Piece(int from, int count, boolean isDecayed) {}

        public List<Piece> pieces() {
            List<Piece> pieces = new ArrayList<>();
            for (int at = 0; at < count(); ) {
                int end = at < decayed ? decayed : count();
                pieces.add(new Piece(at, Math.min(PIECE, end - at), at < decayed));
                at += pieces.get(pieces.size() - 1).count();
            }
            return pieces;
        }
    }

    /**
     * Everything that a step reads; the tables have an entry for each step, and past their end nothing changes.
     *
     * @param clip the largest norm of all gradients together; 0 for any
     * @param first the step to begin with
     */
    record Plan(
            List<Strip> strips, Optimizer rule, double[] lr, double[] alpha, double[] pull, double clip, int first) {}

    /** Does the next step; on a GPU it is enqueued. */
    void run();

    /** The arrays stay their owner's. */
    @Override
    void close();
}
