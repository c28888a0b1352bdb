package io.basin.data;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Whether a picture's coded pixels are all there: Java's decoders leave those at 0 for which codes are missing. */
final class PixelCodes {
    private PixelCodes() {}

    /**
     * Whether codes of GIF's LZW (GIF89a, appendix F) make {@code pixels}.
     *
     * @param bits of a pixel, from which codes grow to 12
     */
    static boolean lzw(ByteBuffer in, int bits, long pixels) {
        if (bits < 1 || bits > 11) return false;
        int clear = 1 << bits;
        int[] length = new int[1 << 12];
        Arrays.fill(length, 0, clear, 1);
        int next = clear + 2;
        int size = bits + 1;
        int last = -1;
        int held = 0;
        int holds = 0;
        for (long left = pixels; left > 0; ) {
            for (; holds < size; holds += 8) {
                if (!in.hasRemaining()) return false;
                held |= (in.get() & 255) << holds;
            }
            int code = held & (1 << size) - 1;
            held >>>= size;
            holds -= size;
            if (code == clear) {
                next = clear + 2;
                size = bits + 1;
                last = -1;
                continue;
            }
            boolean known = code < clear || last >= 0 && code > clear + 1 && code <= next;
            if (!known) return false;
            if (last >= 0 && next < length.length) {
                length[next++] = length[last] + 1;
                if (next == 1 << size && size < 12) size++;
            }
            left -= length[code];
            last = code;
        }
        return true;
    }

    /** Whether BMP's run lengths of pixels of {@code bits} bits fill {@code height} rows of {@code width}, each to its end, and end. */
    static boolean runs(ByteBuffer in, int bits, int width, int height) {
        int x = 0;
        int y = 0;
        while (in.remaining() >= 2 && x <= width && y <= height) {
            int run = in.get() & 255;
            int value = in.get() & 255;
            if (run > 0) x += run;
            else if (value == 0) {
                if (x != width) return false;
                x = 0;
                y++;
            } else if (value == 1) return x == 0 ? y == height : x == width && y == height - 1;
            else if (value == 2) return false; // A leap over pixels.
            else {
                x += value;
                int bytes = (value * bits + 15) / 16 * 2;
                if (bytes > in.remaining()) return false;
                in.position(in.position() + bytes);
            }
        }
        return false;
    }

    /** The coefficients of a JPEG's components whose last bit the scans have sent (ISO 10918-1, G.1.1). */
    static final class Scans {
        private final byte[] ids;
        private final boolean progressive;
        /** By component and coefficient the lowest bit that has come. */
        private final int[][] lowest;

        /** @param frame data of the frame's header */
        Scans(ByteBuffer frame, boolean progressive) {
            this.progressive = progressive;
            ids = new byte[frame.get(5)];
            for (int i = 0; i < ids.length; i++) ids[i] = frame.get(6 + 3 * i);
            lowest = new int[ids.length][64];
            for (int[] component : lowest) Arrays.fill(component, Integer.MAX_VALUE);
        }

        /** Of three components that are not called 1, 2, 3, nor R, G, B: without a marker Java takes them for red, green, blue. */
        boolean oddlyNamed() {
            return ids.length == 3
                    && !Arrays.equals(ids, new byte[] {1, 2, 3})
                    && !Arrays.equals(ids, new byte[] {'R', 'G', 'B'});
        }

        /** Takes the header of a scan; where {@code renamed}, calls its components 1, 2, 3 in the frame's order. */
        void add(ByteBuffer scan, boolean renamed) {
            int count = scan.get(0);
            int first = progressive ? scan.get(1 + 2 * count) : 0;
            int last = progressive ? scan.get(2 + 2 * count) : 63;
            int bit = progressive ? scan.get(3 + 2 * count) & 15 : 0;
            for (int j = 0; j < count; j++) {
                int component = 0;
                while (ids[component] != scan.get(1 + 2 * j)) component++;
                for (int k = first; k <= last; k++) lowest[component][k] = Math.min(lowest[component][k], bit);
                if (renamed) scan.put(1 + 2 * j, (byte) (component + 1));
            }
        }

        boolean whole() {
            return Arrays.stream(lowest).flatMapToInt(Arrays::stream).allMatch(bit -> bit == 0);
        }
    }
}
