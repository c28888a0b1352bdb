package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Nullable;
import io.basin.ensemble.Combiners;
import io.basin.ensemble.Metrics;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Extras;
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
record MethodScore(
        String method,
        String combiner,
        double epochs,
        double statistics,
        int passes,
        Summary.Score score,
        String hits,
        List<Extras.Bin> bins) {
    private static final String REMEDY = "it is damaged; delete it to train this run again";

    /** Refuses what a damaged file may hold. */
    MethodScore {
        if (method == null || score == null) throw new IllegalArgumentException("a name or a score is missing");
        combiner = combiner == null ? "" : combiner;
        hits = hits == null ? "" : hits;
        bins = bins == null ? List.of() : bins;
        if (!bins.isEmpty() && bins.size() != Metrics.BINS) throw new IllegalArgumentException("bins are missing");
        if (Combiners.givesProbabilities(combiner) && (score.nll() == null || score.ece() == null)) {
            throw new IllegalArgumentException("nll or ece is missing");
        }
        Base64.getDecoder().decode(hits);
    }

    /** @param hits test samples that a single model has right, else null */
    static MethodScore of(Summary.Row row, long seed, Metrics m, @Nullable Double calibrated, @Nullable BitSet hits) {
        boolean likely = Combiners.givesProbabilities(row.combiner());
        return new MethodScore(
                row.method(),
                row.combiner(),
                row.epochs(),
                row.statistics(),
                row.passes(),
                new Summary.Score(seed, m.accuracy(), likely ? m.nll() : null, likely ? m.ece() : null, calibrated),
                hits == null ? "" : Base64.getEncoder().encodeToString(hits.toByteArray()),
                likely && row.isPrimary() ? bins(m) : List.of());
    }

    /** The line of the table that it is one seed's part of, without any. */
    Summary.Row row() {
        return new Summary.Row(method, combiner, epochs, statistics, passes, new ArrayList<>());
    }

    static List<Extras.Bin> bins(Metrics m) {
        List<Extras.Bin> bins = new ArrayList<>();
        for (int b = 0; b < Metrics.BINS; b++) {
            bins.add(new Extras.Bin(m.binCount(b), m.binHits(b), m.binConfidence(b)));
        }
        return bins;
    }

    private BitSet hitSet() {
        return BitSet.valueOf(Base64.getDecoder().decode(hits));
    }

    /** Samples that this single model has right and {@code other} wrong. */
    int onlyHere(MethodScore other) {
        BitSet here = hitSet();
        here.andNot(other.hitSet());
        return here.cardinality();
    }

    /** Its confidences and how often they are right. */
    Extras.Reliability reliability() {
        return new Extras.Reliability(method, combiner, bins);
    }

    /** Reads what {@link Json#write} made of a list of results. */
    static List<MethodScore> read(Path file) {
        return read(file, Json.read(file, REMEDY));
    }

    /** The same of a list that stands in {@code file}. */
    static List<MethodScore> read(Path file, JsonNode list) {
        List<MethodScore> results;
        try {
            results = List.of(Json.as(list, MethodScore[].class));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.toString(), "is not a list of scores: " + REMEDY, e);
        }
        if (results.isEmpty()) throw new FormatException(file.toString(), "holds no scores: " + REMEDY);
        return results;
    }
}
