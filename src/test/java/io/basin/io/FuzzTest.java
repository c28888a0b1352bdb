package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
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
            Files.write(file, round % 10 == 0 ? randomFile(random) : mutate(valid, random));
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
    void mutatedAndRandomConfigurationsAreReadOrRefused() {
        byte[] valid = Json.text(Map.of("lr", 0.05, "epochs", 200, "flags", Map.of("swa-start", 161, "net", "vgg16é")))
                .getBytes(StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(2);
        int parsed = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = round % 10 == 0 ? randomBytes(random, 200) : mutate(valid, random);
            try {
                assertTrue(Json.parse(bytes, "config.json").toString().length() > 0);
                parsed++;
            } catch (FormatException e) {
                assertTrue(
                        e.getMessage().startsWith("config.json: ")
                                && e.getMessage().length() < 1000,
                        e.getMessage());
            }
        }
        assertTrue(parsed > 0 && parsed < ROUNDS, "the mutations must reach both ends, parsed " + parsed);
    }

    private static byte[] mutate(byte[] valid, SplittableRandom random) {
        byte[] bytes = valid.clone();
        for (int n = random.nextInt(4); n >= 0; n--) {
            int at = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
            bytes = switch (random.nextInt(6)) {
                case 0 -> Arrays.copyOf(bytes, at);
                case 1 -> flip(bytes, at, (byte) (1 << random.nextInt(8)));
                case 2 -> splice(bytes, at, 0, randomBytes(random, 8));
                case 3 -> splice(bytes, at, Math.min(random.nextInt(20), bytes.length - at), new byte[0]);
                case 4 ->
                    splice(
                            bytes,
                            at,
                            0,
                            "{}[]\",:0912345678e-"
                                    .repeat(1 + random.nextInt(3))
                                    .substring(random.nextInt(19))
                                    .getBytes(StandardCharsets.UTF_8));
                default -> digit(bytes, random);
            };
        }
        return bytes;
    }

    private static byte[] flip(byte[] bytes, int at, byte bit) {
        if (bytes.length > 0) {
            bytes[at] ^= bit;
        }
        return bytes;
    }

    /** Changes one digit: what breaks offsets and shapes without breaking the JSON. */
    private static byte[] digit(byte[] bytes, SplittableRandom random) {
        int[] digits = IntStream.range(0, bytes.length)
                .filter(i -> bytes[i] >= '0' && bytes[i] <= '9')
                .toArray();
        if (digits.length > 0) {
            bytes[digits[random.nextInt(digits.length)]] = (byte) ('0' + random.nextInt(10));
        }
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int at, int removed, byte[] inserted) {
        ByteBuffer result = ByteBuffer.allocate(bytes.length - removed + inserted.length);
        return result.put(bytes, 0, at)
                .put(inserted)
                .put(bytes, at + removed, bytes.length - at - removed)
                .array();
    }

    private static byte[] randomBytes(SplittableRandom random, int limit) {
        byte[] bytes = new byte[random.nextInt(limit)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** Random bytes behind a plausible header length and brace half of the time. */
    private static byte[] randomFile(SplittableRandom random) {
        byte[] bytes = randomBytes(random, 200);
        if (bytes.length > 9 && random.nextBoolean()) {
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(random.nextInt(bytes.length))
                    .put((byte) '{');
        }
        return bytes;
    }
}
