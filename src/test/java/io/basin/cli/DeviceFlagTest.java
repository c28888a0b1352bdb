package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class DeviceFlagTest {
    /** Spark gives a task a GPU: a job for a GPU, or for whatever is best, takes that one. */
    @Test
    void aDeviceThatIsSetApartComesBeforeOneOfItsKind() {
        assertEquals("cuda:2", Flags.On.chosen("auto", "cuda:2"));
        assertEquals("cuda:2", Flags.On.chosen("cuda", "cuda:2"));
        assertEquals("cuda:2", Flags.On.chosen("cuda:0", "cuda:2"));
        assertEquals("cpu", Flags.On.chosen("cpu", "cuda:2"));
        for (String asked : new String[] {"auto", "cuda", "cuda:1", "cpu"})
            assertEquals(asked, Flags.On.chosen(asked, ""));
    }

    @Test
    void aNumberOfNoDeviceIsRefusedByItsFlag() {
        Shell said = Shell.run("train", "mnist", "--device", "cpu:7");
        assertEquals(2, said.code(), said.err());
        assertTrue(said.complaint().contains("--device: there is one cpu device, got 'cpu:7'"), said.complaint());
        Shell unknown = Shell.run("train", "mnist", "--device", "gpu:1");
        assertEquals(2, unknown.code(), unknown.err());
        assertTrue(unknown.complaint().contains("--device: "), unknown.complaint());
    }
}
