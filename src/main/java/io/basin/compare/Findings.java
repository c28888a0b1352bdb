package io.basin.compare;

import io.basin.report.Evidence;
import io.basin.report.Statistics;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the predictions of all runs show together: calibration pooled over seeds, and tests of single nets. */
final class Findings {
    private static final String BASELINE = "sgd";

    private Findings() {}

    static Evidence of(List<Result> results) {
        long seeds =
                results.stream().mapToLong(r -> r.score().seed()).distinct().count();
        // With several seeds methods are compared, by their paired differences; a test of single nets would add
        // nothing.
        List<Evidence.Versus> tests = seeds == 1 ? tests(results) : List.of();
        return new Evidence(tests, reliability(results), List.of(), List.of(), List.of());
    }

    private static List<Evidence.Versus> tests(List<Result> results) {
        List<Evidence.Versus> raw = new ArrayList<>();
        for (Result sgd : results) {
            if (!sgd.method().equals(BASELINE)) continue;
            for (Result r : results) {
                if (r.method().equals(BASELINE) || r.hits().isEmpty()) continue;
                int onlySgd = onlyIn(sgd.hitSet(), r.hitSet());
                int onlyMethod = onlyIn(r.hitSet(), sgd.hitSet());
                double p = Statistics.mcNemar(onlySgd, onlyMethod);
                raw.add(new Evidence.Versus(r.method(), r.score().seed(), onlySgd, onlyMethod, p, p));
            }
        }
        double[] holm =
                Statistics.holm(raw.stream().mapToDouble(Evidence.Versus::p).toArray());
        List<Evidence.Versus> tests = new ArrayList<>();
        for (int i = 0; i < holm.length; i++) {
            Evidence.Versus v = raw.get(i);
            tests.add(new Evidence.Versus(v.method(), v.seed(), v.onlySgd(), v.onlyMethod(), v.p(), holm[i]));
        }
        return tests;
    }

    private static int onlyIn(BitSet a, BitSet b) {
        BitSet only = (BitSet) a.clone();
        only.andNot(b);
        return only.cardinality();
    }

    private static List<Evidence.Reliability> reliability(List<Result> results) {
        Map<String, Evidence.Reliability> pooled = new LinkedHashMap<>();
        for (Result r : results) {
            if (r.bins().isEmpty()) continue;
            pooled.merge(
                    r.method() + " " + r.combiner(),
                    new Evidence.Reliability(r.method(), r.combiner(), r.bins()),
                    (a, b) -> new Evidence.Reliability(a.method(), a.combiner(), sum(a.bins(), b.bins())));
        }
        return List.copyOf(pooled.values());
    }

    private static List<Evidence.Bin> sum(List<Evidence.Bin> a, List<Evidence.Bin> b) {
        List<Evidence.Bin> sum = new ArrayList<>();
        for (int i = 0; i < a.size(); i++) {
            Evidence.Bin x = a.get(i);
            Evidence.Bin y = b.get(i);
            sum.add(new Evidence.Bin(x.count() + y.count(), x.hits() + y.hits(), x.confidence() + y.confidence()));
        }
        return sum;
    }
}
