package io.basin.report;

import io.basin.Api;
import java.util.Map;

/**
 * How a page came about, which its numbers do not depend on or do not repeat.
 *
 * @param facts such as command, version, date, machine and times; in order
 * @param settings everything that decides the results, by flag; in order
 */
@Api
public record Made(Map<String, String> facts, Map<String, String> settings) {
    /** Nobody says. */
    public static final Made NONE = new Made(Map.of(), Map.of());
}
