package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.DataException;
import io.basin.data.ImageSet;
import io.basin.io.Damage;
import io.basin.io.FormatException;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A picture is read as the values that its file stores, whatever the format; what is no picture is refused by name. */
@Timeout(60)
class PicturesTest {
    private static final int SIZE = 16;

    @TempDir
    Path folder;

    private static ImageSet net(int channels) {
        return new ImageSet("net", new byte[SIZE * SIZE * channels], new int[1], SIZE, SIZE, channels, List.of("a"));
    }

    private static byte[] read(Path file, int channels) {
        return Pictures.read(List.of(file), net(channels)).set().pixels();
    }

    private Path png(BufferedImage image) throws IOException {
        Path file = Files.createTempFile(folder, "image", ".png");
        assertTrue(ImageIO.write(image, "png", file.toFile()));
        return file;
    }

    /** Every grey from 0 to 255 once, as the raster stores it: {@code unit} times as much. */
    private static BufferedImage ramp(BufferedImage image, int unit) {
        for (int i = 0; i < SIZE * SIZE; i++) image.getRaster().setSample(i % SIZE, i / SIZE, 0, i * unit);
        return image;
    }

    private static BufferedImage ramp(int type, int unit) {
        return ramp(new BufferedImage(SIZE, SIZE, type), unit);
    }

    private static byte[] stored(int channels) {
        byte[] all = new byte[SIZE * SIZE * channels];
        for (int i = 0; i < all.length; i++) all[i] = (byte) (i / channels);
        return all;
    }

    /** Grey with an alpha of zero: the colours beneath are kept. */
    private static BufferedImage transparentRamp() {
        ColorSpace grey = ColorSpace.getInstance(ColorSpace.CS_GRAY);
        var colours = new ComponentColorModel(grey, true, false, Transparency.TRANSLUCENT, DataBuffer.TYPE_BYTE);
        WritableRaster raster = colours.createCompatibleWritableRaster(SIZE, SIZE);
        return ramp(new BufferedImage(colours, raster, false, null), 1);
    }

    @Test
    void greysAreReadAsStoredOfEightBitsOrSixteenWithAlphaOrWithout() throws IOException {
        Path idx = folder.resolve("images-idx3-ubyte");
        ByteBuffer header =
                ByteBuffer.allocate(16).putInt(0x803).putInt(1).putInt(SIZE).putInt(SIZE);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(header.array());
        bytes.write(stored(1));
        Files.write(idx, bytes.toByteArray());
        assertArrayEquals(stored(1), read(idx, 1), "IDX");
        List<BufferedImage> ramps = List.of(
                ramp(BufferedImage.TYPE_BYTE_GRAY, 1), ramp(BufferedImage.TYPE_USHORT_GRAY, 257), transparentRamp());
        for (BufferedImage image : ramps) {
            Path file = png(image);
            assertArrayEquals(stored(1), read(file, 1), image.toString());
            assertArrayEquals(stored(3), read(file, 3), "to a net that takes colours: " + image);
        }
    }

    @Test
    void coloursAreReadAsStoredWithAlphaOrWithoutAndFromPalettes() throws IOException {
        int[] types = {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_INT_ARGB, BufferedImage.TYPE_BYTE_INDEXED};
        for (int type : types) {
            BufferedImage image = new BufferedImage(SIZE, SIZE, type);
            int alpha = type == BufferedImage.TYPE_INT_ARGB ? 0 : 0xff_00_00_00;
            // Of the colours that Java's standard palette has.
            for (int i = 0; i < SIZE * SIZE; i++) image.setRGB(i % SIZE, i / SIZE, alpha | 0x33_99_cc);
            image.setRGB(0, 0, alpha | 0xff_00_00);
            byte[] colours = read(png(image), 3);
            assertArrayEquals(new byte[] {-1, 0, 0, 0x33, (byte) 0x99, (byte) 0xcc}, Arrays.copyOf(colours, 6));
            assertEquals(Math.round(0.299f * 255), read(png(image), 1)[0] & 255);
        }
    }

    /** A small file whose header promises more than fits into memory, or into an array. */
    @Test
    void aHugeSizeIsRefusedBeforeAnythingIsAllocated() throws IOException {
        for (int size : new int[] {65_535, 46_000, Integer.MAX_VALUE}) {
            Path file = png(ramp(BufferedImage.TYPE_BYTE_GRAY, 1));
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
            bytes.putInt(16, size).putInt(20, size);
            CRC32 sum = new CRC32();
            sum.update(bytes.array(), 12, 17);
            bytes.putInt(29, (int) sum.getValue());
            Files.write(file, bytes.array());
            String message =
                    assertThrows(FormatException.class, () -> read(file, 1)).getMessage();
            assertTrue(message.startsWith(file + ": is " + size + " x " + size), message);
        }
    }

    @Test
    void damagedPicturesAreReadOrRefusedByName() throws IOException {
        byte[][] valid = {
            written(ramp(BufferedImage.TYPE_BYTE_GRAY, 1), "png"),
            written(ramp(BufferedImage.TYPE_USHORT_GRAY, 257), "png"),
            written(ramp(BufferedImage.TYPE_INT_RGB, 1), "png"),
            written(ramp(BufferedImage.TYPE_BYTE_INDEXED, 1), "png"),
            written(ramp(BufferedImage.TYPE_BYTE_INDEXED, 1), "gif"),
            written(ramp(BufferedImage.TYPE_INT_RGB, 1), "bmp")
        };
        SplittableRandom random = new SplittableRandom(3);
        Path file = folder.resolve("damaged");
        int rounds = 3000;
        int refused = 0;
        for (int round = 0; round < rounds; round++) {
            Files.deleteIfExists(file);
            Files.write(file, Damage.of(valid[round % valid.length], random));
            try {
                assertEquals(SIZE * SIZE, read(file, 1).length);
            } catch (FormatException | DataException e) {
                refused++;
                String message = e.getMessage();
                assertTrue(message.startsWith(file + ": ") && message.length() < 1000, message);
            }
        }
        assertTrue(refused > rounds / 10 && refused < rounds, "refused " + refused);
    }

    private static byte[] written(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, format, out));
        return out.toByteArray();
    }
}
