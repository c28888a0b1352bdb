package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How long a task will take, by a clock that the test turns. */
class EstimateTest {
    private final long[] now = {0};
    private final List<String> said = new ArrayList<>();
    private long counted;

    private Estimate of(long total) {
        return new Estimate("points", total, "points", () -> now[0], said::add, units -> counted += units);
    }

    private void steps(Estimate estimate, int count, double seconds) {
        for (int i = 0; i < count; i++) {
            now[0] += (long) (seconds * 1e9);
            estimate.step(1);
        }
    }

    @Test
    void longUnitsAreTimedByTheSecond() {
        Estimate estimate = of(124);
        steps(estimate, 1, 5);
        assertEquals(List.of(), said, "the first one warms up");
        steps(estimate, 122, 2);
        assertEquals(List.of("points: about 4:04 for 122 more points"), said, "once");
        assertEquals(123, counted);
    }

    @Test
    void shortUnitsAreTimedForASecondAndKnownOnesNotAtAll() {
        Estimate estimate = of(10_000);
        steps(estimate, 4_000, 0);
        steps(estimate, 1, 0.5);
        steps(estimate, 200, 0.01);
        assertEquals(List.of("points: about 59 s for 5899 more points"), said);
    }

    @Test
    void whatIsSoonDoneIsNotAnnounced() {
        steps(of(8), 8, 1.5);
        steps(of(-1), 8, 100);
        assertEquals(List.of(), said);
    }
}
