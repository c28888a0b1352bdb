package io.basin.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkerPoolTest {
    private static final int ROUNDS = 400_000;
    private static final int MOST = 9;

    /** Of 2 pieces and of many in turn, so that a helper still in a short round meets the next one's larger number. */
    @Test
    void everyPieceOfEveryRoundIsDoneOnceHoweverLateTheHelpersWake() {
        AtomicIntegerArray times = new AtomicIntegerArray(MOST);
        int[] expected = new int[MOST];
        IntConsumer count = times::incrementAndGet;
        try (WorkerPool crew = new WorkerPool(4)) {
            for (int round = 0; round < ROUNDS; round++) {
                int pieces = round % 2 == 0 ? 2 : 3 + round % (MOST - 2);
                crew.run(pieces, count);
                for (int i = 0; i < pieces; i++) {
                    assertEquals(++expected[i], times.get(i), "piece " + i + " of " + pieces + ", round " + round);
                }
            }
        }
        for (int i = 0; i < MOST; i++) assertEquals(expected[i], times.get(i), "piece " + i + " in the end");
    }

    @Test
    void aPieceThatFailsIsReportedWhenAllAreDoneAndTheNextRoundIsWhole() {
        AtomicIntegerArray times = new AtomicIntegerArray(MOST);
        try (WorkerPool crew = new WorkerPool(3)) {
            assertThrows(
                    IllegalStateException.class,
                    () -> crew.run(MOST, i -> {
                        times.incrementAndGet(i);
                        if (i == 4) throw new ArithmeticException("no value");
                    }));
            crew.run(MOST, times::incrementAndGet);
        }
        for (int i = 0; i < MOST; i++) assertEquals(2, times.get(i), "piece " + i);
    }
}
