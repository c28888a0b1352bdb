package io.basin.train;

/** Says in a few words where two descriptions of a run part. */
public final class Difference {
    private Difference() {}

    /** The first {@code name=value} that differs between two comma-separated lists, as {@code there 'a', now 'b'}. */
    public static String first(String there, String now) {
        String[] a = there.split(", ");
        String[] b = now.split(", ");
        for (int i = 0; i < Math.min(a.length, b.length); i++) {
            if (!a[i].equals(b[i])) return "there '" + a[i] + "', now '" + b[i] + "'";
        }
        return a.length == b.length ? "the same text" : "one says more than the other";
    }
}
