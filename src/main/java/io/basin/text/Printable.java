package io.basin.text;

import java.util.regex.Pattern;

/** Text of unknown origin (headers of files, names, a server's answer) made fit for one line of a terminal. */
public final class Printable {
    private static final int MOST = 200;
    /**
     * Control characters, line separators, marks that turn the direction of writing, and halves of pairs; not what joins letters,
     * which some scripts need.
     */
    private static final Pattern UNFIT = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}&&[^\\u200C\\u200D]]");

    private Printable() {}

    /** Whether each character of {@code text} may be shown. */
    public static boolean is(String text) {
        return !UNFIT.matcher(text).find();
    }

    /** At most 200 characters of {@code text}, each unfit one as {@code ?}. */
    public static String of(String text) {
        return of(text, MOST);
    }

    /** At most {@code most} characters of {@code text}, each unfit one as {@code ?}. */
    public static String of(String text, int most) {
        String shown = text.length() > most ? text.substring(0, most) + "..." : text;
        return UNFIT.matcher(shown).replaceAll("?");
    }

    /** {@code text} on one line: breaks become blanks. */
    public static String line(String text, int most) {
        return of(text.strip().replaceAll("\\s*\\R\\s*", " "), most);
    }
}
