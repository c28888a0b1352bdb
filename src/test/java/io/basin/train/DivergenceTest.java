package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.Arena;
import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Parameter;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.methods.Method;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Values that an update has made infinite, while the loss before it was a number, never reach the checkpoint. */
class DivergenceTest {
    private static final int EVERY = 3;
    private static final Settings SETTINGS = KillableRun.settings();
    private static final Method RECIPE = KillableRun.asked(2).plan("swa", KillableRun.STEPS_PER_EPOCH);

    @TempDir
    Path folder;

    private static Training session(Device device, Images images, Augmentation norm) {
        return Sessions.session(
                device, KillableRun.net(), images, SETTINGS, RECIPE.schedule(), RECIPE.averaging(), 5, norm);
    }

    private static Dataset images() {
        return SyntheticSet.synthetic(160, 9, 9, 2, 3, 7);
    }

    @ParameterizedTest
    @EnumSource(names = {"PARAMS", "STATE", "MOMENTUM", "AVERAGE"})
    void theCheckpointBeforeStays(Arena arena) throws Exception {
        Path file = Trainer.checkpoint(folder);
        byte[][] before = new byte[1][];
        try (Device device = Devices.open("cpu", 1);
                Images images = images().upload(device);
                Training session = session(device, images, images().augmentation(1, true))) {
            Trainer.Listener poison = new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    if (step == 2 * EVERY) before[0] = poison(device, session, arena, file);
                }
            };
            Trainer trainer = new Trainer(session, KillableRun.STEPS_PER_EPOCH, folder, EVERY, Map.of(), true, poison);
            String message = assertThrows(DivergedException.class, trainer::run).getMessage();
            assertTrue(message.contains("is no longer finite at step " + (2 * EVERY - 1)), message);
            assertTrue(message.endsWith("the checkpoint in " + folder + " is from before"), message);
        }
        assertArrayEquals(before[0], Files.readAllBytes(file));
        assertEquals(EVERY, Trainer.progress(folder));
    }

    /** As other programs may write it. */
    @Test
    void aFileWhoseValuesAreNotFiniteIsRefusedByName() {
        Path file = folder.resolve("diverged.safetensors");
        try (Device device = Devices.open("cpu", 1);
                Images images = images().upload(device);
                Training session = session(device, images, images().augmentation(1, true))) {
            SafetensorsWriter writer = Safetensors.writer();
            for (Parameter p : session.model().store().parameters()) {
                float[] values = new float[Math.toIntExact(p.shape().elements())];
                values[values.length - 1] = Float.NaN;
                writer.add(p.name(), p.shape().toLongs(), values);
            }
            writer.write(file);
            String message = assertThrows(
                            FormatException.class,
                            () -> Checkpoint.loadModel(
                                    file, session.model(), session.model().weights()))
                    .getMessage();
            assertTrue(message.startsWith(file + ": tensor 'conv1.weight' is not finite"), message);
        }
    }

    /** As an update does that overflows; returns the checkpoint that lies there. */
    private static byte[] poison(Device device, Training session, Arena arena, Path file) {
        Memory memory = session.model().store().memory(arena);
        device.pack(FloatBuffer.wrap(new float[] {Float.POSITIVE_INFINITY}), null, memory, 0);
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
