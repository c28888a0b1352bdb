package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command line, killed at random moments and resumed, ends with the files of a run that nobody disturbed. */
@Timeout(300)
class KilledCommandTest {
    @TempDir
    Path folder;

    /** SWA keeps no members in memory, independent nets follow each other, SWAP's workers begin where its trunk ended. */
    @ParameterizedTest
    @CsvSource({"swa, 4", "independent, 3", "swap, 2"})
    void aKilledCommandEndsWithTheSameBytes(String method, long seed) throws Exception {
        Kills kills = new Kills(folder, 1);
        assertEquals("", kills.training(method, new SplittableRandom(seed)));
        assertTrue(kills.kills() > 0, "nothing was killed");
    }
}
