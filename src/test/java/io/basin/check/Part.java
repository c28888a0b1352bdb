package io.basin.check;

import java.util.List;
import java.util.regex.Pattern;

/**
 * A part of the hardware check: programs that run one after another, and what they must print for the part to count as passed.
 *
 * @param seconds that all its programs may take together
 * @param kept seconds that parts before it must leave for it
 * @param programs a command line each; {@value #LIMIT} in one stands for the seconds that it may take
 * @param evidence found in each line that proves a result
 * @param times how many such lines there are where everything was done
 */
record Part(
        String name, String title, int seconds, int kept, List<List<String>> programs, Pattern evidence, int times) {
    static final String LIMIT = "{limit}";

    Part(String name, String title, int seconds, List<List<String>> programs, Pattern evidence, int times) {
        this(name, title, seconds, 0, programs, evidence, times);
    }

    /** How far a part came; only what printed all of its evidence and ended well has passed. */
    enum Verdict {
        PASSED,
        FAILED,
        /** It ended well, but some of its results are not there. */
        INCOMPLETE,
        TIMED_OUT,
        NOT_RUN;

        String text() {
            return name().replace('_', ' ');
        }
    }

    /**
     * What came of it.
     *
     * @param reason where it passed, what its tests could not cover, or nothing
     * @param seconds that it took
     * @param limit seconds that it might take in this check
     * @param lines that its programs printed, to either stream
     */
    record Outcome(Part part, Verdict verdict, String reason, double seconds, double limit, List<String> lines) {
        static Outcome notRun(Part part, String reason, double limit) {
            return new Outcome(part, Verdict.NOT_RUN, reason, 0, limit, List.of());
        }

        /** Results as JSON, a line each. */
        List<String> rows() {
            return lines.stream()
                    .filter(l -> l.startsWith("{") && l.endsWith("}"))
                    .toList();
        }

        long proven() {
            return lines.stream().filter(l -> part.evidence().matcher(l).find()).count();
        }
    }
}
