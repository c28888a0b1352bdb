package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** What is said of a figure along a path. */
class PathSummaryTest {
    @Test
    void theIntegralWeighsEachPieceByItsLength() {
        PathMetrics.Summary s = PathMetrics.Summary.of(new double[] {2, 4, 10}, new double[] {1, 3});
        assertEquals((3 * 1 + 7 * 3) / 4.0, s.integral(), 1e-15);
        assertEquals(16 / 3.0, s.mean(), 1e-15);
        assertEquals(2, s.first());
        assertEquals(10, s.last());
        assertEquals(2, s.min());
        assertEquals(10, s.max());
        assertNotEquals(s.mean(), s.integral());
    }

    @Test
    void anInfiniteLossShowsAndIsNotAveragedAway() {
        PathMetrics.Summary s =
                PathMetrics.Summary.of(new double[] {1, Double.POSITIVE_INFINITY, 1}, new double[] {1, 1});
        assertTrue(Double.isInfinite(s.max()) && Double.isInfinite(s.mean()) && Double.isInfinite(s.integral()));
    }
}
