package io.basin.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A line on every column of the tables and on every method: {@code glossary.json}. */
final class Glossary {
    /** The line on intervals, for all tables. */
    private static final String INTERVAL = "\u00b1, [ ]";

    private static final JsonNode LINES = Json.parse(Page.resource("glossary.json"), "glossary.json");

    private Glossary() {}

    /** Of the columns of a table and of the methods named; what is not known has none. */
    static Map<String, String> of(List<String> header, List<String> methods) {
        Map<String, String> all = new LinkedHashMap<>();
        Json.leaves(LINES).forEach((name, line) -> {
            boolean asked = header.contains(name) || methods.contains(name) || name.equals(INTERVAL);
            if (asked) all.put(name, line.asText());
        });
        return all;
    }
}
