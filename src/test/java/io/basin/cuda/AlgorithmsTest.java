package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.basin.cuda.Algorithms.Candidate;
import io.basin.cuda.Algorithms.Choice;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of what a search returns, the first that the layer can use; and once chosen, chosen for good. */
class AlgorithmsTest {
    private static final String DEVICE = "algorithms-test";
    private static final Candidate FAILED = new Candidate(0, 3000, true, true);
    private static final Candidate REFUSED = new Candidate(2, 0, true, true);
    private static final Candidate OTHER_ARITHMETIC = new Candidate(3, 0, true, false);
    private static final Candidate RANDOM = new Candidate(4, 0, false, true);
    private static final Candidate GOOD = new Candidate(5, 0, true, true);
    private static final Candidate SLOWER = new Candidate(6, 0, true, true);

    @BeforeEach
    void forget() throws IOException {
        Files.deleteIfExists(Cache.folder("algorithms").resolve(DEVICE + "-cudnn-9.txt"));
    }

    /** A layer for which a search finds these; null where there is no room for one. */
    private record Layer(List<Candidate> found) implements Algorithms.Problem {
        @Override
        public String key() {
            return "layer";
        }

        @Override
        public List<Candidate> search(int most) {
            return found;
        }

        @Override
        public long workspace(int algorithm) {
            return algorithm == REFUSED.algorithm() ? -1 : 10L * algorithm;
        }
    }

    private static Choice choose(List<Candidate> found) {
        return new Algorithms(DEVICE, "9").choose(new Layer(found));
    }

    @Test
    void theFastestThatIsDeterministicInTheLayersArithmeticAndNotRefusedIsTaken() {
        assertEquals(new Choice(5, 50), choose(List.of(FAILED, REFUSED, OTHER_ARITHMETIC, RANDOM, GOOD, SLOWER)));
    }

    @Test
    void anAlgorithmThatWasTimedInOtherArithmeticIsBetterThanARandomOne() {
        assertEquals(new Choice(3, 30), choose(List.of(RANDOM, REFUSED, OTHER_ARITHMETIC)));
    }

    @Test
    void aRandomOneIsBetterThanNone() {
        assertEquals(new Choice(4, 40), choose(List.of(FAILED, REFUSED, RANDOM)));
    }

    @Test
    void whereNoneIsLeftTheLayerIsNamed() {
        DeviceException e = assertThrows(DeviceException.class, () -> choose(List.of(FAILED, REFUSED)));
        assertEquals("cuDNN has no algorithm for layer in float32, channels last", e.getMessage());
    }

    /** A run that is resumed where more memory is free must not search then and compute other bits. */
    @Test
    void whatWasChosenWithoutRoomForASearchIsKeptToo() {
        Choice untried = choose(null);
        assertEquals(new Choice(1, 10), untried);
        assertEquals(untried, choose(List.of(GOOD)));
    }
}
