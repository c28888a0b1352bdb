package io.basin.bench;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class RoundsTableTest {
    @Test
    void differencesAreOfTheSameSeedsAndTheIntervalIsStudents() {
        String table = RoundsTable.table(List.of(
                "method,workers,inner_steps,seed,accuracy,nll,sequential_steps,megabytes",
                "sgd,1,0,1,0.80,0.5,,0",
                "sgd,1,0,2,0.90,0.3,,0",
                "local-sgd,4,10,1,0.81,0.4,100,12.4",
                "local-sgd,4,10,2,0.93,0.3,100,12.4",
                "local-sgd,4,10,3,0.10,9.0,100,12.4"));
        // +1 and +3 points: mean 2, deviation sqrt(2), t(0.975, 1) = 12.706, half an interval 12.706.
        assertTrue(
                table.contains(
                        "| local-sgd | 4 | 10 | 2 | 87.00 | +2.00 ±12.71 | 0.3500 | -0.0500 ±0.6353 | 100 | 12 |"),
                table);
        assertTrue(table.contains("| sgd | 1 |  | 2 | 85.00 |  | 0.4000 |  |  |  |"), table);
    }
}
