package io.basin.campaign;

import io.basin.rounds.RoundKills;
import java.nio.file.Path;
import java.time.Instant;

/** Jobs of several worker processes, which are killed and join at random moments. */
final class RoundsPart implements Part {
    private static final int SCHEDULES = 1000;

    @Override
    public String name() {
        return "rounds";
    }

    @Override
    public Counts run(Path place, long seed, Instant deadline) throws Exception {
        Counts counts = new Counts();
        try (RoundKills kills = new RoundKills(place, seed)) {
            for (int i = 0; i < SCHEDULES && Instant.now().isBefore(deadline); i++) {
                counts.attempt("schedule " + i, kills::schedule);
            }
            counts.note(kills.kills() + " workers killed amid a job, " + kills.joins() + " joined");
        }
        return counts;
    }
}
