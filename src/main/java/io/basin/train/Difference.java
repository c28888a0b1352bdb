package io.basin.train;

import java.nio.file.Path;

/** Says in a few words where two descriptions of a run part. */
public final class Difference {
    private Difference() {}

    /** @throws IllegalArgumentException naming what {@code file} was made with otherwise than {@code now} */
    public static void requireNone(Path file, String there, String now) {
        if (there.equals(now)) return;
        throw new IllegalArgumentException("`resume`: " + file + " was made with other settings: " + first(there, now)
                + "; repeat them, start in a new folder with `out`, or delete the file if it is from another run");
    }

    /** That a run's file is of this run and no other's. */
    public static void requireOf(Path file, String run) {
        requireNone(file, ModelHeader.of(file).header().getOrDefault(Trainer.RUN, ""), run);
    }

    /** The first {@code name=value} that differs between two comma-separated lists, as {@code there 'a', now 'b'}. */
    private static String first(String there, String now) {
        String[] a = there.split(", ");
        String[] b = now.split(", ");
        for (int i = 0; i < Math.min(a.length, b.length); i++) {
            if (!a[i].equals(b[i])) return "there '" + a[i] + "', now '" + b[i] + "'";
        }
        return a.length == b.length ? "the same text" : "one says more than the other";
    }
}
