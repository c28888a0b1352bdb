package io.basin.landscape;

import io.basin.Nullable;
import io.basin.report.PairedComparison;
import io.basin.report.Statistics;
import io.basin.text.Format;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Compares the widths of several nets: each method against the first one, seed by seed.
 *
 * <p>Widths beyond the rays are unknown, and they are the large ones: a test of what is left would favour the narrower method, so
 * there is none.
 */
final class Widths {
    private static final double LEVEL = 0.05;

    /**
     * Of one net along one kind of rays.
     *
     * @param seed that the net's file names; empty if none
     * @param value NaN where the rays end before the loss has risen so far
     */
    record Width(Rays.Kind kind, String method, String seed, double value) {}

    /** A method against the first one along one kind of rays: widths by seed, of all its nets. */
    private record Contest(
            Rays.Kind kind,
            String base,
            String name,
            Map<String, List<Double>> first,
            Map<String, List<Double>> second) {
        private Set<String> seeds() {
            Set<String> common = new LinkedHashSet<>(first.keySet());
            common.retainAll(second.keySet());
            return common;
        }

        private Stream<List<Double>> common(Map<String, List<Double>> widths) {
            return seeds().stream().map(widths::get);
        }

        private double[] of(Map<String, List<Double>> widths) {
            return common(widths).mapToDouble(w -> w.get(0)).toArray();
        }

        PairedComparison paired() {
            return Statistics.paired(of(second), of(first));
        }

        private boolean ambiguous() {
            return Stream.concat(common(first), common(second)).anyMatch(w -> w.size() > 1);
        }

        private long beyond() {
            return Arrays.stream(of(first)).filter(Double::isNaN).count()
                    + Arrays.stream(of(second)).filter(Double::isNaN).count();
        }

        /** Why no test can be made; null if one can. */
        @Nullable
        String objection() {
            if (seeds().isEmpty()) return "no seed has nets of both " + base + " and " + name + ".";
            if (ambiguous()) {
                return "several nets of " + base + " or " + name
                        + " name one seed, or none, so they make no pairs: name one file of each method and seed.";
            }
            if (beyond() > 0) {
                return beyond() + " of the " + 2 * seeds().size() + " nets of " + base + " and " + name
                        + " are wider than the rays are long; without the widest a test would favour the narrower"
                        + " method, so there is none: use longer rays, "
                        + (kind == Rays.Kind.RAW ? "`distance`." : "`relative`.");
            }
            return seeds().size() > 1 ? null : means() + "; one seed, so nothing can be said about chance.";
        }

        String means() {
            return Format.of("%s %.3f, %s %.3f", base, Statistics.mean(of(first)), name, Statistics.mean(of(second)));
        }
    }

    private Widths() {}

    /** One sentence a comparison; p values are corrected by Holm over all that could be tested. */
    static List<String> conclusions(List<Width> widths, double rise) {
        List<Contest> contests = contests(widths);
        double[] p = Statistics.holm(contests.stream()
                .mapToDouble(c -> c.objection() == null ? c.paired().p() : Double.NaN)
                .toArray());
        List<String> all = new ArrayList<>();
        for (int i = 0; i < p.length; i++) {
            Contest c = contests.get(i);
            all.add("Along " + name(c.kind()) + ", where the training loss has risen by " + rise + " nats: "
                    + (c.objection() == null ? tested(c, p[i]) : c.objection()));
        }
        return all;
    }

    static String name(Rays.Kind kind) {
        return kind == Rays.Kind.RAW ? "random directions" : "filter-normalised directions";
    }

    private static List<Contest> contests(List<Width> widths) {
        Map<Rays.Kind, Map<String, Map<String, List<Double>>>> kinds = new LinkedHashMap<>();
        for (Width w : widths) {
            kinds.computeIfAbsent(w.kind(), k -> new LinkedHashMap<>())
                    .computeIfAbsent(w.method(), m -> new LinkedHashMap<>())
                    .computeIfAbsent(w.seed(), s -> new ArrayList<>())
                    .add(w.value());
        }
        List<Contest> all = new ArrayList<>();
        kinds.forEach((kind, methods) -> {
            var each = List.copyOf(methods.entrySet());
            var base = each.get(0);
            for (var other : each.subList(1, each.size())) {
                all.add(new Contest(kind, base.getKey(), other.getKey(), base.getValue(), other.getValue()));
            }
        });
        return all;
    }

    private static String tested(Contest c, double p) {
        PairedComparison paired = c.paired();
        String verdict = !(p < LEVEL)
                ? paired.n() + " seeds cannot tell which is wider."
                : c.name() + (paired.meanDifference() > 0 ? " is wider." : " is narrower.");
        return c.means() + ", difference over " + paired.n() + " seeds " + Statistics.format(paired.meanDifference(), 3)
                + ", 95 % interval " + paired.interval().format(3) + ", p (Holm) "
                + Statistics.format(p, 4) + ": " + verdict;
    }
}
