package io.basin.campaign;

import io.basin.cli.Kills;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;

/** Every method and every landscape, killed with SIGKILL at random moments: resumed, it ends with the same bytes. */
final class KillsPart implements Part {
    private static final List<String> METHODS = List.of(
            "sgd",
            "ema",
            "swa",
            "swa-cyclic",
            "lawa",
            "tail",
            "swag",
            "swap",
            "snapshot",
            "fge",
            "independent",
            "switch-ema",
            "pswa",
            "lookahead",
            "wsm",
            "posthoc-ema");

    @Override
    public String name() {
        return "kills";
    }

    @Override
    public Counts run(Path place, long seed, Instant deadline) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        Counts counts = new Counts();
        Kills kills = new Kills(place, 2);
        List<List<Object>> landscapes = List.of(
                kills.landscape("connect", "--epochs", 4, "--points", 5),
                kills.landscape("surface", "--grid", 5),
                kills.landscape("width", "--points", 3, "--directions", 2));
        counts.attempt("swa", () -> kills.training("swa", random));
        while (Instant.now().isBefore(deadline)) {
            for (String method : METHODS) {
                if (Instant.now().isBefore(deadline)) {
                    counts.attempt(method, () -> kills.training(method, random));
                }
            }
            for (List<Object> command : landscapes) {
                if (Instant.now().isBefore(deadline)) {
                    counts.attempt(command.get(0).toString(), () -> kills.measuring(command, random));
                }
            }
        }
        counts.note(kills.kills() + " processes were killed");
        return counts;
    }
}
