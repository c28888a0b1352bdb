package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.ensemble.Combiners;
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
    private static final String REMEDY = "it is damaged; delete it to train this run again";

    static Result of(String method, double epochs, long seed, Judge.Verdict v) {
        Metrics m = v.metrics();
        String hits = v.hits() == null
                ? ""
                : Base64.getEncoder().encodeToString(v.hits().toByteArray());
        boolean likely = Combiners.givesProbabilities(v.combiner());
        return new Result(
                method,
                v.combiner(),
                epochs,
                v.passes(),
                new Summary.Score(seed, m.accuracy(), likely ? m.nll() : null, likely ? m.ece() : null),
                hits,
                likely ? bins(m) : List.of());
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
        return read(file, Json.read(file, REMEDY));
    }

    /** The same of a list that stands in {@code file}. */
    static List<Result> read(Path file, JsonNode list) {
        List<Result> results = new ArrayList<>();
        try {
            for (JsonNode n : list) results.add(of(n));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.toString(), "is not a list of scores: " + REMEDY, e);
        }
        if (results.isEmpty()) throw new FormatException(file.toString(), "holds no scores: " + REMEDY);
        return results;
    }

    private static Result of(JsonNode n) {
        JsonNode s = n.path("score");
        List<Evidence.Bin> bins = new ArrayList<>();
        for (JsonNode b : n.path("bins")) {
            bins.add(new Evidence.Bin(
                    b.path("count").asLong(),
                    b.path("hits").asLong(),
                    b.path("confidence").asDouble()));
        }
        if (!bins.isEmpty() && bins.size() != Metrics.BINS) throw new IllegalArgumentException("bins are missing");
        if (!n.path("method").isTextual()) throw new IllegalArgumentException("a method has no name");
        String combiner = n.path("combiner").asText();
        long seed = s.path("seed").asLong();
        Result result = new Result(
                n.path("method").asText(),
                combiner,
                number(n, "epochs"),
                n.path("passes").asInt(),
                Combiners.givesProbabilities(combiner)
                        ? new Summary.Score(seed, number(s, "accuracy"), number(s, "nll"), number(s, "ece"))
                        : new Summary.Score(seed, number(s, "accuracy"), null, null),
                n.path("hits").asText(),
                bins);
        result.hitSet(); // Damaged base64 is found here, where the file is known.
        return result;
    }

    private static double number(JsonNode n, String key) {
        if (!n.path(key).isNumber()) throw new IllegalArgumentException(key + " is no number");
        return n.path(key).asDouble();
    }
}
