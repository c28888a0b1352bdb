package io.basin.report;

import io.basin.text.Format;
import java.util.ArrayList;
import java.util.List;

/** What became of the article's claims (Izmailov et al. 2018) in one setting. */
final class Claims {
    static final String BETTER = "SWA is better than SGD";
    /** Points of accuracy within which SWA counts as close to FGE. */
    static final double CLOSE = 0.5;

    private static final String SWA = "swa";

    /** A claim, and whether it is confirmed, refuted or open. */
    record Claim(String claim, String verdict, String measured) {}

    private Claims() {}

    static List<Claim> of(ResultTable table) {
        List<Claim> all = new ArrayList<>();
        for (ResultTable.Finding f : table.findings()) {
            Summary.Row row = f.row();
            if (!row.method().equals(SWA) || f.pair().n() == 0) continue;
            all.add(new Claim(BETTER, verdict(f.pair(), f.p()), points(f.pair()) + p(f.p(), "Holm")));
            String cost = Format.of(
                    "predicts with %d net, after %.1f epochs and %.1f for batch norm's statistics",
                    row.passes(), row.epochs(), row.statisticsEpochs());
            all.add(new Claim("SWA costs one net", row.passes() == 1 ? "confirmed" : "refuted", cost));
        }
        table.against(SWA, "snapshot").ifPresent(pair -> {
            String measured = points(pair) + p(pair.p(), "not corrected");
            all.add(new Claim("SWA is better than snapshot ensembles", verdict(pair, pair.p()), measured));
        });
        table.against(SWA, "fge").ifPresent(pair -> {
            String claim = "SWA comes close to FGE: at most " + CLOSE + " points below";
            all.add(new Claim(claim, close(pair.interval()), points(pair)));
        });
        return all;
    }

    private static String points(PairedComparison pair) {
        return ResultTable.difference(pair) + " points";
    }

    private static String p(double p, String how) {
        return Double.isNaN(p) ? "" : ", p " + ResultTable.chance(p) + " (" + how + ")";
    }

    private static String verdict(PairedComparison pair, double p) {
        if (!(p < ResultTable.LEVEL)) return "open";
        return pair.meanDifference() > 0 ? "confirmed" : "refuted";
    }

    private static String close(Interval interval) {
        if (!interval.present()) return "open";
        if (interval.low() > -CLOSE) return "confirmed";
        return interval.high() < -CLOSE ? "refuted" : "open";
    }
}
