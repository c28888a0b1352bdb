package io.basin.campaign;

import java.nio.file.Path;
import java.time.Instant;

/** One kind of attack, tried with fresh seeds until its time is over. */
interface Part {
    String name();

    /**
     * @param place existing and empty, for all that is written
     * @param seed of all chance: the same seed tries the same cases in the same order
     * @param deadline no case begins after it
     */
    Counts run(Path place, long seed, Instant deadline) throws Exception;
}
