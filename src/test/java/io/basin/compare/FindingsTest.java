package io.basin.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.ensemble.Metrics;
import io.basin.io.Json;
import io.basin.report.Extras;
import io.basin.report.Summary;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FindingsTest {
    @TempDir
    private Path folder;

    /** Right on samples [from, to) of 40. */
    private static MethodScore result(String method, long seed, int from, int to) {
        Metrics metrics = new Metrics(2);
        BitSet hits = new BitSet();
        for (int i = 0; i < 40; i++) {
            boolean hit = i >= from && i < to;
            hits.set(i, hit);
            metrics.add(new double[] {0.7, 0.3}, hit ? 0 : 1);
        }
        return MethodScore.of(new Summary.Row(method, "", 1, 0, 1, List.of()), seed, metrics, null, hits);
    }

    @Test
    void discordantSamplesAreCountedAndTestedByTheExactBinomial() {
        Extras e = Findings.of(List.of(result("sgd", 1, 0, 30), result("swa", 1, 4, 31), result("ema", 1, 0, 30)));
        assertEquals(2, e.tests().size());
        Extras.Versus swa = e.tests().get(0);
        assertEquals(4, swa.onlySgd());
        assertEquals(1, swa.onlyMethod());
        // 2 (C(5,0) + C(5,1)) / 2^5
        assertEquals(12.0 / 32, swa.p(), 1e-12);
        assertEquals(24.0 / 32, swa.holm(), 1e-12);
        assertEquals(1, e.tests().get(1).p());
    }

    @Test
    void severalSeedsTestNoSingleNets() {
        List<MethodScore> results = List.of(
                result("sgd", 1, 0, 30), result("sgd", 2, 0, 30), result("swa", 1, 0, 40), result("swa", 2, 0, 40));
        Extras e = Findings.of(results);
        assertTrue(e.tests().isEmpty());
        assertEquals(2, e.reliability().size());
        long pooled = e.reliability().get(1).bins().stream()
                .mapToLong(Extras.Bin::count)
                .sum();
        assertEquals(80, pooled);
    }

    @Test
    void resultsSurviveTheRoundTripThroughTheirFile() {
        List<MethodScore> results = List.of(result("sgd", 1, 0, 30), result("swa", 1, 4, 31));
        Path file = folder.resolve("scores.json");
        Json.write(file, results);
        assertEquals(results, MethodScore.read(file));
    }
}
