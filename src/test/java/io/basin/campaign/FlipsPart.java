package io.basin.campaign;

import io.basin.cli.Flips;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.SplittableRandom;

/** Single bits of every kind of file in a run's folder, flipped at random: a resume refuses the file by name, or is not changed by it. */
final class FlipsPart implements Part {
    /** Of each kind in a round, whose runs take as long as its flips. */
    private static final int EACH = 40;

    @Override
    public String name() {
        return "flips";
    }

    @Override
    public Counts run(Path place, long seed, Instant deadline) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        Counts counts = new Counts();
        int round = 0;
        do {
            Path folder = Files.createDirectory(place.resolve("round-" + ++round));
            long own = random.nextLong();
            counts.attempt("round " + round + ", seed " + own, () -> {
                // The attempt itself counts as one of its flips.
                counts.held(Flips.all(folder, own, EACH) - 1);
                return "";
            });
        } while (Instant.now().isBefore(deadline));
        return counts;
    }
}
