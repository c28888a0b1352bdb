package io.basin.landscape;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.io.Json;
import io.basin.report.Made;
import io.basin.report.Page;
import io.basin.report.Picture;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The results of a look at a landscape in all forms: {@code results.json}, a table and sentences for a terminal, pictures, and a
 * page of all of it. Collects until it is written.
 */
public final class LandscapeReport {
    /** The loss that every picture draws. */
    public static final String LOSS =
            "Losses are cross-entropy without weight decay, of images that are not augmented and labels not smoothed.";

    /** How pictures along filter-normalised directions differ from the paper's, unless statistics are kept. */
    public static final String STATISTICS =
            "Where the net has batch norm, its statistics are measured anew at every point; Li et al. (2018), whose filter"
                    + " normalisation this is, keep the net's own.";

    /** Of lines and planes through nets. */
    static final String ANEW = "Batch-norm statistics are measured anew at every point.";

    /** And where they are kept. */
    static final String KEPT =
            "Batch norm has the net's own statistics at every point, as in Li et al. (2018); weights far from it never had them.";

    private record Figure(Picture picture, String file, String caption) {}

    private final String title;
    private final Map<String, String> facts;
    private final Map<String, Object> numbers = new LinkedHashMap<>();
    private final List<List<String>> rows = new ArrayList<>();
    private final List<String> conclusions = new ArrayList<>();
    private final List<String> passed = new ArrayList<>();
    private final List<String> failed = new ArrayList<>();
    private final List<String> explanations = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<String, String> terms = new LinkedHashMap<>();
    private final List<Figure> figures = new ArrayList<>();

    /** @param facts what a reader must know to judge or repeat it */
    LandscapeReport(String title, Map<String, String> facts) {
        this.title = title;
        this.facts = facts;
        number("facts", facts);
    }

    /** For {@code results.json}. */
    void number(String name, Object value) {
        numbers.put(name, value);
    }

    /** One of the table; the first is the header. */
    void row(List<String> cells) {
        rows.add(cells);
    }

    void conclude(List<String> sentences) {
        conclusions.addAll(sentences);
    }

    void check(boolean holds, String yes, String no) {
        if (holds) passed.add("Self-check passed: " + yes);
        else failed.add("SELF-CHECK FAILED: " + no);
    }

    void explain(String sentence) {
        explanations.add(sentence);
    }

    /** On the page only. */
    void note(String sentence) {
        notes.add(sentence);
    }

    /** The meaning of a word of the table, on the page only. */
    void define(String term, String meaning) {
        terms.put(term, meaning);
    }

    void figure(Picture picture, String file, String caption) {
        figures.add(new Figure(picture, file, caption));
    }

    /**
     * Writes {@code results.json}, the page and its pictures.
     *
     * @param out for the table and the sentences
     * @return self-checks that failed
     */
    public int write(Path folder, PrintStream out, Made made) {
        String[] names = numbers.keySet().toArray(String[]::new);
        Json.sealFields(folder.resolve("results.json"), (ObjectNode) Json.tree(numbers), names);
        out.println(Page.text(rows));
        for (List<String> sentences : List.of(conclusions, failed, passed, explanations)) {
            sentences.forEach(out::println);
        }
        Page page = new Page(title + ": " + facts.get("net"));
        conclusions.forEach(page::conclusion);
        for (Figure f : figures) page.figure(f.picture(), f.caption(), f.file());
        page.table(rows).glossary(terms);
        explanations.forEach(page::paragraph);
        notes.forEach(page::paragraph);
        if (failed.size() + passed.size() > 0) page.heading("Self-checks");
        failed.forEach(page::conclusion);
        if (!passed.isEmpty()) page.folded(passed.size() + " passed", p -> passed.forEach(p::paragraph));
        page.facts(facts, made).write(folder.resolve("report.html"));
        out.println("Report: " + folder.resolve("report.html"));
        return failed.size();
    }
}
