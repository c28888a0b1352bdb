package io.basin.report;

import io.basin.io.Json;
import io.basin.text.Printable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a measurement of widths concluded, as {@link Regimes} shows it beside comparisons.
 *
 * @param source its folder or file
 * @param net and its data
 */
record FinishedWidth(String source, String net, List<String> conclusions) {
    /** Key of a list of them. */
    static final String WIDTHS = "widths";

    private static final String REMEDY = "restore it from a copy, or measure the widths again";
    private static final Pattern SENTENCE = Pattern.compile("Along (.*), where (the training loss has risen by .*)");
    private static final Pattern METHOD = Pattern.compile("\\b(sgd|swa)\\b(?!-)");

    FinishedWidth {
        source = Printable.of(source, 1000);
        net = Printable.of(net, 1000);
        conclusions = conclusions.stream().map(c -> Printable.of(c, 1000)).toList();
    }

    /** @param results as of {@code width} */
    static FinishedWidth of(Path results) {
        List<String> said = new ArrayList<>();
        Json.unsealField(results, "conclusions", REMEDY).forEach(c -> said.add(c.asText()));
        String net = Json.unsealField(results, "facts", REMEDY).path("net").asText();
        return new FinishedWidth(results.toString(), net, said);
    }

    /** A row for each kind of directions along which SGD and SWA were compared: claim, setting, verdict, measured. */
    List<List<String>> claims() {
        List<List<String>> rows = new ArrayList<>();
        for (String conclusion : conclusions) {
            Matcher m = SENTENCE.matcher(conclusion);
            long methods = METHOD.matcher(conclusion)
                    .results()
                    .map(r -> r.group())
                    .distinct()
                    .count();
            if (methods < 2 || !m.matches()) continue;
            boolean wider = conclusion.matches(".*: (swa is wider|sgd is narrower)\\.");
            boolean narrower = conclusion.matches(".*: (swa is narrower|sgd is wider)\\.");
            rows.add(List.of(
                    "SWA's optima are wider than SGD's",
                    net + ", " + m.group(1),
                    wider ? "confirmed" : narrower ? "refuted" : "open",
                    m.group(2)));
        }
        return rows;
    }
}
