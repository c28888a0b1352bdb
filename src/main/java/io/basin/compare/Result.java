package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.ensemble.Metrics;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Evidence;
import io.basin.report.Summary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;

/**
 * A method's line of results before it joins those of other seeds.
 *
 * @param hits which test samples a single model has right, bit i in byte i/8, as base64; empty for several models
 */
record Result(
        String method,
        String combiner,
        double epochs,
        int passes,
        Summary.Score score,
        String hits,
        List<Evidence.Bin> bins) {
    static Result of(String method, double epochs, long seed, Judge.Verdict v) {
        Metrics m = v.metrics();
        String hits = v.hits() == null
                ? ""
                : Base64.getEncoder().encodeToString(v.hits().toByteArray());
        return new Result(
                method,
                v.combiner(),
                epochs,
                v.passes(),
                new Summary.Score(seed, m.accuracy(), m.nll(), m.ece()),
                hits,
                bins(m));
    }

    static List<Evidence.Bin> bins(Metrics m) {
        List<Evidence.Bin> bins = new ArrayList<>();
        for (int b = 0; b < Metrics.BINS; b++) {
            bins.add(new Evidence.Bin(m.binCount(b), m.binHits(b), m.binConfidence(b)));
        }
        return bins;
    }

    BitSet hitSet() {
        return BitSet.valueOf(Base64.getDecoder().decode(hits));
    }

    /** Reads what {@link Json#write} made of a list of results. */
    static List<Result> read(Path file) {
        List<Result> results = new ArrayList<>();
        for (JsonNode n : Json.read(file)) {
            JsonNode s = n.path("score");
            if (!n.hasNonNull("method") || !s.hasNonNull("accuracy")) {
                throw new FormatException(file.toString(), "is no list of scores; delete it to train this run again");
            }
            List<Evidence.Bin> bins = new ArrayList<>();
            for (JsonNode b : n.path("bins")) {
                bins.add(new Evidence.Bin(
                        b.path("count").asLong(),
                        b.path("hits").asLong(),
                        b.path("confidence").asDouble()));
            }
            results.add(new Result(
                    n.path("method").asText(),
                    n.path("combiner").asText(),
                    n.path("epochs").asDouble(),
                    n.path("passes").asInt(),
                    new Summary.Score(
                            s.path("seed").asLong(),
                            s.path("accuracy").asDouble(),
                            s.path("nll").asDouble(),
                            s.path("ece").asDouble()),
                    n.path("hits").asText(),
                    bins));
        }
        return results;
    }
}
