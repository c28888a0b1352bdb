package io.basin.io;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Random damage to a valid file: cut, bits flipped, pieces inserted or taken out, JSON's signs and digits changed. */
public final class Damage {
    private Damage() {}

    /** A damaged copy of {@code valid}, by one to four of these. */
    public static byte[] of(byte[] valid, SplittableRandom random) {
        byte[] bytes = valid.clone();
        for (int n = random.nextInt(4); n >= 0; n--) {
            int at = bytes.length == 0 ? 0 : random.nextInt(bytes.length);
            bytes = switch (random.nextInt(6)) {
                case 0 -> Arrays.copyOf(bytes, at);
                case 1 -> flip(bytes, at, (byte) (1 << random.nextInt(8)));
                case 2 -> splice(bytes, at, 0, noise(random, 8));
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

    /** Fewer than {@code limit} random bytes. */
    public static byte[] noise(SplittableRandom random, int limit) {
        byte[] bytes = new byte[random.nextInt(limit)];
        random.nextBytes(bytes);
        return bytes;
    }
}
