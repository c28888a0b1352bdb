package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Arbitrary bytes end in a value or in a FormatException that names the file: nothing else, and soon. */
@Timeout(60)
class FuzzTest {
    private static final int ROUNDS = 4000;

    @TempDir
    Path folder;

    @Test
    void mutatedAndRandomSafetensorsAreReadOrRefused() throws IOException {
        Path seed = folder.resolve("seed.safetensors");
        Safetensors.writer()
                .add("layer1.0.conv1.weight", new long[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6})
                .add("layer1.0.bn.num_batches_tracked", Dtype.I64, new long[0], ByteBuffer.allocate(8))
                .add("image", Dtype.U8, new long[] {5}, ByteBuffer.allocate(5))
                .metadata(Map.of("epoch", "3"))
                .write(seed);
        byte[] valid = Files.readAllBytes(seed);
        SplittableRandom random = new SplittableRandom(1);
        Path file = folder.resolve("fuzz.safetensors");
        int opened = 0;
        for (int round = 0; round < ROUNDS; round++) {
            // A new file each time: overwriting one makes some file systems flush it.
            Files.deleteIfExists(file);
            Files.write(file, round % 10 == 0 ? randomFile(random) : Damage.of(valid, random));
            try (Safetensors read = Safetensors.open(file)) {
                opened++;
                read.tensors()
                        .forEach((name, entry) ->
                                assertEquals(entry.bytes(), read.read(name).remaining()));
            } catch (FormatException e) {
                assertTrue(
                        e.getMessage().startsWith(file + ": ") && e.getMessage().length() < 1000, e.getMessage());
            }
        }
        assertTrue(opened > 0 && opened < ROUNDS, "the mutations must reach both ends, opened " + opened);
    }

    @Test
    void mutatedAndRandomJsonIsReadOrRefused() {
        byte[] valid = Json.text(Map.of("lr", 0.05, "epochs", 200, "flags", Map.of("swa-start", 161, "net", "vgg16é")))
                .getBytes(StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(2);
        int parsed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = round % 10 == 0 ? Damage.noise(random, 200) : Damage.of(valid, random);
            try {
                assertTrue(Json.parse(bytes, "some.json").toString().length() > 0);
                parsed++;
            } catch (FormatException e) {
                assertTrue(
                        e.getMessage().startsWith("some.json: ")
                                && e.getMessage().length() < 1000,
                        e.getMessage());
            }
        }
        assertTrue(parsed > 0 && parsed < ROUNDS, "the mutations must reach both ends, parsed " + parsed);
    }

    /** Random bytes behind a plausible header length and brace half of the time. */
    private static byte[] randomFile(SplittableRandom random) {
        byte[] bytes = Damage.noise(random, 200);
        if (bytes.length > 9 && random.nextBoolean()) {
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(random.nextInt(bytes.length))
                    .put((byte) '{');
        }
        return bytes;
    }
}
