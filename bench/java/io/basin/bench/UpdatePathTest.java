package io.basin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.bench.UpdatePath.Batching;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The peers' bytes and launches follow from their source as it is written down here. */
class UpdatePathTest {
    @Test
    void tensorsShareALaunchUntilTheirListOrTheirChunksAreFull() {
        assertEquals(1, Batching.APEX_3.launches(List.of(1L)));
        assertEquals(1, Batching.APEX_3.launches(Collections.nCopies(48, 10L)));
        assertEquals(2, Batching.APEX_3.launches(Collections.nCopies(49, 10L)));
        assertEquals(1, Batching.APEX_3.launches(List.of(320L * 65536)));
        assertEquals(2, Batching.APEX_3.launches(List.of(320L * 65536 + 1)));
        assertEquals(2, Batching.APEX_3.launches(List.of(319L * 65536, 2L * 65536)));
        assertEquals(2, Batching.LISTS_3.launches(Collections.nCopies(337, 1L)));
    }

    @Test
    void everyPathReadsAndWritesWhatItsCallsSay() {
        int[] plain = {20, 44, 44, 20};
        for (int i = 0; i < plain.length; i++) {
            assertEquals(plain[i], UpdatePath.PEERS.get(i).bytes(false));
            assertEquals(plain[i] + 12, UpdatePath.PEERS.get(i).bytes(true));
        }
        assertEquals(4 * 3, UpdatePath.PEERS.get(2).launches(List.of(1L, 2L, 3L), false));
        assertEquals(4 * 3 + 1, UpdatePath.PEERS.get(2).launches(List.of(1L, 2L, 3L), true));
    }
}
