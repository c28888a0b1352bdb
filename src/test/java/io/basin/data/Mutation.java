package io.basin.data;

import java.util.Arrays;
import java.util.Random;

/**
 * Random damage to a valid file: cut, extended, bytes changed, a piece overwritten or repeated, or nothing of it
 * left.
 */
final class Mutation {
    private final Random random;

    Mutation(long seed) {
        random = new Random(seed);
    }

    byte[] of(byte[] valid) {
        return switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(valid, random.nextInt(valid.length + 1));
            case 1 -> Arrays.copyOf(valid, valid.length + 1 + random.nextInt(1000));
            case 2 -> noise(random.nextInt(2000));
            case 3 -> overwritten(valid, 64);
            case 4 -> flipped(valid, valid.length);
            default -> flipped(valid, Math.min(valid.length, 32));
        };
    }

    private byte[] noise(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private byte[] overwritten(byte[] valid, int most) {
        byte[] bytes = valid.clone();
        byte[] piece = noise(Math.min(bytes.length, 1 + random.nextInt(most)));
        System.arraycopy(piece, 0, bytes, random.nextInt(bytes.length - piece.length + 1), piece.length);
        return bytes;
    }

    private byte[] flipped(byte[] valid, int range) {
        byte[] bytes = valid.clone();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            bytes[random.nextInt(range)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }
}
