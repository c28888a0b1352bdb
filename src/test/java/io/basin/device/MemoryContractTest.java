package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Memory: zeroed, counted, copied byte for byte, bounds-checked. */
class MemoryContractTest {
    private static final String ALL = "io.basin.device.Subject#all";

    private static byte[] download(Device device, Memory memory, int offset, int length) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(length);
        device.download(memory, offset, buffer);
        byte[] out = new byte[length];
        buffer.get(0, out);
        return out;
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void memoryBeginsZeroedAndIsCountedUntilClosed(Subject subject) {
        try (Device device = subject.open()) {
            for (int size : new int[] {1, 255, 4096, 3 << 20}) {
                Memory dirty = device.allocate(size);
                byte[] ones = new byte[size];
                Arrays.fill(ones, (byte) 1);
                device.upload(dirty, 0, direct(ones));
                dirty.close();
                Memory memory = device.allocate(size);
                assertEquals(size, memory.bytes());
                assertEquals(size, device.liveBytes());
                assertArrayEquals(new byte[size], download(device, memory, 0, size));
                memory.close();
                memory.close();
                assertEquals(0, device.liveBytes());
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void uploadsDownloadsAndCopiesKeepEveryByteAndTouchNoOther(Subject subject) {
        byte[] bytes = Draws.bytes(5, 1001);
        try (Device device = subject.open();
                Memory a = device.allocate(2000);
                Memory b = device.allocate(2000)) {
            ByteBuffer window = ByteBuffer.allocateDirect(1003);
            window.put(1, bytes).position(1).limit(1002);
            device.upload(a, 500, window);
            assertArrayEquals(bytes, download(device, a, 500, 1001));
            assertArrayEquals(new byte[500], download(device, a, 0, 500));
            assertArrayEquals(new byte[499], download(device, a, 1501, 499));
            device.copy(a, b);
            assertArrayEquals(download(device, a, 0, 2000), download(device, b, 0, 2000));
        }
    }

    /** More readings than any device has room for on the way, asked for in another order than begun. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aReadingHasWhatWasThereWhenItWasBegun(Subject subject) {
        int count = 41;
        try (Device device = subject.open();
                Memory memory = device.allocate(300)) {
            List<Supplier<ByteBuffer>> readings = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                device.upload(memory, 44, direct(Draws.bytes(i, 256)));
                readings.add(device.read(memory, 44, 256));
            }
            for (int i = count - 1; i >= 0; i--) {
                byte[] read = new byte[256];
                readings.get(i).get().get(0, read);
                assertArrayEquals(Draws.bytes(i, 256), read);
            }
            assertThrows(RuntimeException.class, () -> device.read(memory, 299, 2));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void copiesBetweenSizesAndAccessPastTheEndAreRefused(Subject subject) {
        try (Device device = subject.open();
                Memory a = device.allocate(100);
                Memory b = device.allocate(101)) {
            assertThrows(IllegalArgumentException.class, () -> device.copy(a, b));
            ByteBuffer two = ByteBuffer.allocateDirect(2);
            assertThrows(RuntimeException.class, () -> device.upload(a, 99, two));
            assertThrows(RuntimeException.class, () -> device.download(a, 99, two));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void closedMemoryIsNotUsedAgain(Subject subject) {
        try (Device device = subject.open()) {
            Memory memory = device.allocate(64);
            memory.close();
            assertThrows(IllegalStateException.class, () -> device.upload(memory, 0, ByteBuffer.allocateDirect(4)));
        }
    }
}
