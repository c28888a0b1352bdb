package io.basin.compare;

import io.basin.report.Extras;
import io.basin.report.Statistics;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Findings on the predictions of all runs together: calibration pooled over seeds, and tests of single nets. */
final class Findings {
    private static final String BASELINE = "sgd";

    private Findings() {}

    static Extras of(List<MethodScore> results) {
        long seeds =
                results.stream().mapToLong(r -> r.score().seed()).distinct().count();
        // With several seeds methods are compared, by their paired differences; a test of single nets would add
        // nothing.
        List<Extras.Versus> tests = seeds == 1 ? tests(results) : List.of();
        return new Extras(tests, reliability(results), List.of(), List.of(), List.of(), List.of());
    }

    private static List<Extras.Versus> tests(List<MethodScore> results) {
        List<Extras.Versus> raw = new ArrayList<>();
        for (MethodScore sgd : results) {
            if (!sgd.method().equals(BASELINE) || sgd.hits().isEmpty()) continue;
            for (MethodScore r : results) {
                if (r.method().equals(BASELINE) || r.hits().isEmpty()) continue;
                int onlySgd = sgd.onlyHere(r);
                int onlyMethod = r.onlyHere(sgd);
                double p = Statistics.mcNemar(onlySgd, onlyMethod);
                raw.add(new Extras.Versus(r.method(), r.score().seed(), onlySgd, onlyMethod, p, p));
            }
        }
        double[] holm =
                Statistics.holm(raw.stream().mapToDouble(Extras.Versus::p).toArray());
        List<Extras.Versus> tests = new ArrayList<>();
        for (int i = 0; i < holm.length; i++) {
            Extras.Versus v = raw.get(i);
            tests.add(new Extras.Versus(v.method(), v.seed(), v.onlySgd(), v.onlyMethod(), v.p(), holm[i]));
        }
        return tests;
    }

    private static List<Extras.Reliability> reliability(List<MethodScore> results) {
        Map<String, Extras.Reliability> pooled = new LinkedHashMap<>();
        for (MethodScore r : results) {
            if (r.bins().isEmpty()) continue;
            pooled.merge(
                    r.method() + " " + r.combiner(),
                    r.reliability(),
                    (a, b) -> new Extras.Reliability(a.method(), a.combiner(), sum(a.bins(), b.bins())));
        }
        return List.copyOf(pooled.values());
    }

    private static List<Extras.Bin> sum(List<Extras.Bin> a, List<Extras.Bin> b) {
        List<Extras.Bin> sum = new ArrayList<>();
        for (int i = 0; i < a.size(); i++) {
            Extras.Bin x = a.get(i);
            Extras.Bin y = b.get(i);
            sum.add(new Extras.Bin(x.count() + y.count(), x.hits() + y.hits(), x.confidence() + y.confidence()));
        }
        return sum;
    }
}
