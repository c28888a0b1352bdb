package io.basin.check;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** Which line of a log says why its program failed. */
final class LastError {
    /** What Java, JUnit, Python, a crash of the virtual machine and Basin itself say. */
    private static final Pattern SURE =
            Pattern.compile("^basin: |\\w*(Error|Exception)\\b(:|$)|^# +(SIG[A-Z]+|Internal Error) ");

    private static final Pattern LIKELY =
            Pattern.compile("(?i)\\berror|fail|cannot|\\bfatal|not (found|here|work)|no such|was found|out of memory");
    /** Results, JUnit's counts, frames of traces, and where the virtual machine put its report. */
    private static final Pattern OTHER = Pattern.compile(
            "^\\{.*}$|^\\s*\\[|^\\s+at |\\((\\w+\\.java:\\d+|Native Method|Unknown Source)\\)$|error report file");

    /** Names of Java's types and of the thread, before what they say. */
    private static final Pattern TYPES = Pattern.compile(
            "^(=> |Caused by: )?(Exception in thread \"[^\"]*\" )?([a-z]\\w*\\.)+[\\w$]+(Error|Exception): (?=\\S)|^=> ");

    private static final int LONGEST = 300;

    private LastError() {}

    /** The last line that says so, else the last line that is no result, else nothing. */
    static String of(List<String> lines) {
        return likely(lines).or(() -> last(lines, Pattern.compile("\\S"))).orElse("");
    }

    static Optional<String> likely(List<String> lines) {
        return last(lines, SURE).or(() -> last(lines, LIKELY));
    }

    private static Optional<String> last(List<String> lines, Pattern wanted) {
        return lines.stream()
                .filter(l -> wanted.matcher(l).find() && !OTHER.matcher(l).find())
                .reduce((earlier, later) -> later)
                .map(l -> TYPES.matcher(l.strip()).replaceFirst(""))
                .map(l -> l.length() <= LONGEST ? l : l.substring(0, LONGEST) + " ...");
    }
}
