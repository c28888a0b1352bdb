package io.basin.campaign;

import io.basin.cli.Pairs;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.SplittableRandom;

/** Two processes on one folder, and two started in the same second without one. */
final class PairsPart implements Part {
    private static final int ON_ONE_FOLDER = 50;
    private static final int IN_ONE_SECOND = 20;

    @Override
    public String name() {
        return "pairs";
    }

    @Override
    public Counts run(Path place, long seed, Instant deadline) {
        SplittableRandom random = new SplittableRandom(seed);
        Counts counts = new Counts();
        Pairs pairs = new Pairs(place, Map.of());
        int seconds = 0;
        int folders = 0;
        do {
            Pairs.Kind kind = Pairs.Kind.values()[folders++ % Pairs.Kind.values().length];
            counts.attempt(kind.toString(), () -> pairs.onOneFolder(kind, random));
            // In proportion, so that a deadline that comes early cuts both.
            if (seconds * ON_ONE_FOLDER >= folders * IN_ONE_SECOND) continue;
            seconds++;
            counts.attempt("one second", pairs::inOneSecond);
        } while (folders < ON_ONE_FOLDER && Instant.now().isBefore(deadline));
        counts.note(folders + " pairs on one folder, " + seconds + " started in one second");
        return counts;
    }
}
