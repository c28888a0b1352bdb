package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The doctor's trial of a captured graph takes nothing for a replay but a replay. */
class DiagnosisTest {
    private static final float[] EXPECTED = {1, 2, 3};

    /** As if the work had run once before it was recorded, so that its result lies there. */
    private static boolean replays(Work work) {
        float[] memory = EXPECTED.clone();
        int[] count = {0};
        Device.Recording recording = new Device.Recording() {
            @Override
            public void replay() {
                work.run(memory, count[0]++);
            }

            @Override
            public void close() {}
        };
        return Diagnosis.replays(recording, () -> Arrays.fill(memory, 0), memory::clone, EXPECTED);
    }

    private interface Work {
        void run(float[] memory, int time);
    }

    private static void write(float[] memory) {
        System.arraycopy(EXPECTED, 0, memory, 0, memory.length);
    }

    @Test
    void aGraphThatDoesTheWorkEachTimeIsRight() {
        assertTrue(replays((memory, time) -> write(memory)));
    }

    @Test
    void aGraphOfNothingIsNot() {
        assertFalse(replays((memory, time) -> {}));
    }

    @Test
    void norIsOneThatWorksOnce() {
        assertFalse(replays((memory, time) -> {
            if (time == 0) write(memory);
        }));
    }
}
