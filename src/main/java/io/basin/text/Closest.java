package io.basin.text;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Suggests the name that was meant. */
public final class Closest {
    private Closest() {}

    /** The known name nearest to {@code given}; none where more than half of its letters would have to change. */
    public static Optional<String> to(String given, Collection<String> known) {
        return known.stream()
                .min(Comparator.comparingInt(name -> distance(name, given)))
                .filter(name -> distance(name, given) <= letters(name).length() / 2);
    }

    /** {@code "; did you mean 'swa'?"}, or nothing where no name is near. */
    public static String hint(String given, Collection<String> known) {
        return to(given, known).map(name -> "; did you mean '" + name + "'?").orElse("");
    }

    /** {@code "unknown net 'mpl'; did you mean 'mlp'? Known: mlp, ..."} */
    public static String unknown(String what, String given, Collection<String> known) {
        String hint = hint(given, known);
        return "unknown " + what + " '" + Printable.of(given) + "'" + hint + (hint.isEmpty() ? "; known: " : " Known: ")
                + String.join(", ", known);
    }

    /** Levenshtein's distance without regard to case and separators, two neighbours in the wrong order counting once. */
    private static int distance(String known, String given) {
        String a = letters(known);
        String b = letters(given.length() > 100 ? given.substring(0, 100) : given);
        int[][] d = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    d[i][j] = i + j;
                    continue;
                }
                int replaced = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                d[i][j] = Math.min(replaced, 1 + Math.min(d[i - 1][j], d[i][j - 1]));
                boolean swapped =
                        i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
                if (swapped) d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
        return d[a.length()][b.length()];
    }

    private static String letters(String name) {
        return name.toLowerCase(Locale.ROOT).replaceAll("[-_ .]", "");
    }
}
