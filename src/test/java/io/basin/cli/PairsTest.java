package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two processes at one folder never damage it; 'mvn -Pcampaign verify' tries many more. */
@Timeout(300)
class PairsTest {
    @TempDir
    Path place;

    @ParameterizedTest
    @EnumSource
    void oneOfTwoProcessesHasTheFolder(Pairs.Kind kind) throws Exception {
        assertEquals("", new Pairs(place, Map.of()).onOneFolder(kind, new SplittableRandom(kind.ordinal())));
    }

    /** As ENOLCK says on many network file systems, and EINVAL where folders have no fsync. */
    @Test
    void oneOfTwoProcessesHasTheFolderWhereTheFileSystemHasNoLocks() throws Exception {
        Path library = Shim.build(Files.createDirectory(place.resolve("shim")));
        Map<String, String> environment =
                Map.of("LD_PRELOAD", library.toString(), "SHIM_NO_LOCKS", "1", "SHIM_NO_FOLDER_SYNC", "1");
        Pairs pairs = new Pairs(place, environment);
        assertEquals("", pairs.onOneFolder(Pairs.Kind.TWO_RESUMES, new SplittableRandom(7)));
    }

    @Test
    void runsStartedInOneSecondHaveFoldersOfTheirOwn() throws Exception {
        assertEquals("", new Pairs(place, Map.of()).inOneSecond());
    }
}
