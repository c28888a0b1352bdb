package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFormatTest {
    private static final List<String> DIGITS = Catalog.find("mnist").classNames();

    @TempDir
    private Path folder;

    @Test
    void plainAndCompressedFilesGiveTheSameImages() {
        byte[] images = Written.idx(12, 4, 3);
        byte[] labels = Written.idx(12);
        Dataset plain = parse(images, labels);
        Dataset packed = parse(Written.gzip(images), Written.gzip(labels));
        assertEquals("set (12, 4, 3, 1), 10 classes", plain.toString());
        assertArrayEquals(Arrays.copyOfRange(images, 16, images.length), plain.pixels());
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1}, plain.labels());
        assertArrayEquals(plain.pixels(), packed.pixels());
        assertArrayEquals(plain.labels(), packed.labels());
    }

    @Test
    void imagesLongerThanTheFirstPieceAreReadWhole() {
        byte[] images = Written.idx(300, 28, 28);
        Dataset set = parse(Written.gzip(images), Written.idx(300));
        assertArrayEquals(Arrays.copyOfRange(images, 16, images.length), set.pixels());
    }

    @Test
    void aMissingFileIsNamed() {
        String message = assertThrows(
                        DataException.class,
                        () -> IdxFormat.read(folder.resolve("none"), folder.resolve("none"), "set", DIGITS))
                .getMessage();
        assertTrue(message.startsWith(folder.resolve("none") + ": cannot be read"), message);
    }

    @Test
    void everyFaultIsNamedWithTheFile() {
        byte[] images = Written.idx(3, 4, 4);
        byte[] labels = Written.idx(3);
        assertFault("I: is too short for an IDX3 header", new byte[0], labels);
        assertFault(
                "I: is not an IDX3 file of unsigned bytes: it begins with 00000801, not 00000803",
                Written.idx(20),
                labels);
        assertFault("I: is too short: its header announces [3, 4, 4], 48 bytes", Arrays.copyOf(images, 63), labels);
        assertFault("I: is longer than the 48 bytes", Arrays.copyOf(images, 65), labels);
        assertFault("I: is longer than the 48 bytes", Written.gzip(Arrays.copyOf(images, 65)), labels);
        assertFault("I: is too short", Written.gzip(Arrays.copyOf(images, 63)), labels);
        byte[] packed = Written.gzip(images);
        assertFault("I: is damaged", Arrays.copyOf(packed, packed.length - 9), labels);
        assertFault("L: has 4 labels for the 3 images of I", images, Written.idx(4));
        byte[] label = labels.clone();
        label[9] = 10;
        assertFault("L: label 10 of image 1 is not below 10, the number of classes of set", images, label);
        assertFault("I: dimension 1 is 0", Written.idx(3, 0, 4), labels);
    }

    @Test
    void aHeaderThatPromisesGigabytesAllocatesNothing() {
        byte[] lying = ByteBuffer.allocate(1 << 20)
                .putInt(0x0803)
                .putInt(2_000_000)
                .putInt(32)
                .putInt(32)
                .array();
        byte[] packed = Written.gzip(lying);
        byte[] labels = Written.idx(3);
        assertSmall(() -> assertFault(
                "I: is too short: its header announces [2000000, 32, 32], 2048000000 bytes", lying, labels));
        assertSmall(() -> assertFault("I: is too short", packed, labels));
        byte[] overflowing = ByteBuffer.allocate(16)
                .putInt(0x0803)
                .putInt(Integer.MAX_VALUE)
                .putInt(Integer.MAX_VALUE)
                .putInt(Integer.MAX_VALUE)
                .array();
        assertFault("more than 2147483639 bytes", overflowing, labels);
    }

    @Test
    void aHeaderThatItsCompressedFileCouldJustHoldIsRefusedAtOnce() {
        // 2 MB of noise does not compress, so the gzip file could hold 2 GB, and its header says so.
        byte[] noise = new byte[2 << 20];
        new java.util.Random(1).nextBytes(noise);
        ByteBuffer.wrap(noise).putInt(0x0803).putInt(2_000_000).putInt(32).putInt(32);
        byte[] packed = Written.gzip(noise);
        byte[] labels = Written.idx(3);
        long allocated = Allocation.of(() -> assertFault("which no honest set does", packed, labels));
        assertTrue(allocated < 1L << 20, "allocated " + allocated + " bytes");
    }

    @Test
    void aGzipBombIsReadNoFurtherThanItsHeaderSays() {
        byte[] bomb = new byte[64 << 20];
        System.arraycopy(Written.idx(3, 4, 4), 0, bomb, 0, 64);
        byte[] packed = Written.gzip(bomb);
        assertSmall(() -> assertFault("I: is longer than the 48 bytes", packed, Written.idx(3)));
    }

    @Test
    void damagedFilesGiveADataExceptionOrAValidSet() {
        byte[] images = Written.idx(30, 4, 4);
        byte[] labels = Written.idx(30);
        byte[][] files = {images, labels, Written.gzip(images), Written.gzip(labels)};
        Mutation mutation = new Mutation(20_240_229);
        int refused = 0;
        for (int i = 0; i < 4_000; i++) {
            byte[] a = i % 2 == 0 ? mutation.of(files[i % 4]) : files[i % 4 - 1];
            byte[] b = i % 2 == 1 ? mutation.of(files[i % 4]) : files[i % 4 + 1];
            try {
                assertEquals(30, parse(a, b).count());
            } catch (DataException e) {
                refused++;
                assertTrue(said(e).matches("(?s)[IL]: .+\\. .+"), e.getMessage());
            }
        }
        assertTrue(refused > 1_000 && refused < 4_000, "refused " + refused);
    }

    /** Wherever the file's pieces end: the second one begins with the trailer, or with what follows it. */
    @Test
    void whatFollowsACompressedFileIsRefused() {
        for (int count = 65_480; count < 65_540; count++) {
            byte[] labels = Written.gzip(Written.idx(count), Deflater.NO_COMPRESSION);
            byte[] images = Written.idx(count, 1, 1);
            assertEquals(count, parse(images, labels).count());
            byte[] longer = Arrays.copyOf(labels, labels.length + 1 + count % 3);
            assertFault("L: is damaged (other bytes follow its gzip data)", images, longer);
        }
        byte[] whole = Written.idx(40, 1, 1);
        byte[] first = Written.gzip(Arrays.copyOf(whole, 30));
        byte[] second = Written.gzip(Arrays.copyOfRange(whole, 30, whole.length));
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        assertArrayEquals(
                Arrays.copyOfRange(whole, 16, 56), parse(both, Written.idx(40)).pixels());
    }

    /** Room for buffers and messages, and far below what the files promise. */
    private static void assertSmall(Runnable code) {
        long allocated = Allocation.of(code);
        assertTrue(allocated < 2_000_000, "allocated " + allocated + " bytes");
    }

    private Dataset parse(byte[] images, byte[] labels) {
        try {
            Path i = Files.write(folder.resolve("I"), images);
            return IdxFormat.read(i, Files.write(folder.resolve("L"), labels), "set", DIGITS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With the files' names alone. */
    private String said(DataException e) {
        return e.getMessage().replace(folder + "/", "");
    }

    private void assertFault(String expected, byte[] images, byte[] labels) {
        String message = said(assertThrows(DataException.class, () -> parse(images, labels)));
        assertTrue(message.contains(expected), message);
        assertTrue(message.matches("(?s).*\\. (Replace|Use two files|If they are meant).*"), message);
    }
}
