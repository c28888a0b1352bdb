package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.DataException;
import io.basin.data.Dataset;
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
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
    private static final List<String> FORMATS = List.of("png", "jpeg", "gif", "bmp");

    @TempDir
    Path folder;

    private static Dataset net(int channels) {
        return new Dataset("net", new byte[SIZE * SIZE * channels], new int[1], SIZE, SIZE, channels, List.of("a"));
    }

    private static byte[] read(Path file, int channels) {
        return Pictures.read(List.of(file), net(channels), List.of(), false)
                .set()
                .pixels();
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

    /** Of every format, at every byte: the whole picture or a refusal by name, never a part filled up. */
    @Test
    void aPictureCutAnywhereIsRefused() throws IOException {
        for (String format : FORMATS) {
            byte[] whole = written(quadrants(), format);
            Path file = folder.resolve("cut." + format);
            assertEquals(SIZE * SIZE * 3, read(Files.write(file, whole), 3).length, format);
            for (int length = 0; length < whole.length; length++) {
                Files.write(file, Arrays.copyOf(whole, length));
                String said = assertThrows(FormatException.class, () -> read(file, 3), format + " cut at " + length)
                        .getMessage();
                assertTrue(said.startsWith(file + ": ") && said.contains("PNG"), said);
            }
        }
    }

    @Test
    void whatFollowsAPictureAndSeveralFramesAreRefused() throws IOException {
        for (String format : FORMATS) {
            byte[] whole = written(quadrants(), format);
            refused(joined(whole, new byte[3]), "PNG");
            refused(joined(whole, whole), "PNG");
        }
        byte[] png = written(quadrants(), "png");
        refused(inserted(png, 33, chunk("acTL", new byte[8])), "several frames");
        byte[] gif = written(quadrants(), "gif");
        int frame = 13 + (3 << (gif[10] & 7) + 1);
        byte[] again = Arrays.copyOfRange(gif, frame, gif.length - 1);
        refused(inserted(gif, frame, again), "several frames");
        refused(
                joined("II*\0".getBytes(StandardCharsets.ISO_8859_1), new byte[60]),
                "is not a picture that can be decoded");
    }

    /** Quadrants of the upright picture, left to right and top to bottom, by the standard's eight orientations. */
    @Test
    void theOrientationThatACameraWroteIsApplied() throws IOException {
        int[][] upright = {
            {200, 150, 100, 50}, {150, 200, 50, 100}, {50, 100, 150, 200}, {100, 50, 200, 150},
            {200, 100, 150, 50}, {100, 200, 50, 150}, {50, 150, 100, 200}, {150, 50, 200, 100}
        };
        for (boolean little : new boolean[] {false, true}) {
            for (int orientation = 1; orientation <= 8; orientation++) {
                byte[] exif = exif(orientation, little);
                byte[] png = inserted(written(quadrants(), "png"), 33, chunk("eXIf", exif));
                byte[] app = joined("Exif\0\0".getBytes(StandardCharsets.ISO_8859_1), exif);
                ByteBuffer segment = ByteBuffer.allocate(4 + app.length).putShort((short) 0xFFE1);
                segment.putShort((short) (2 + app.length)).put(app);
                byte[] jpeg = inserted(written(quadrants(), "jpeg"), 2, segment.array());
                for (byte[] file : List.of(png, jpeg)) {
                    byte[] pixels = read(Files.write(folder.resolve("turned"), file), 1);
                    for (int q = 0; q < 4; q++) {
                        int at = (4 + 8 * (q / 2)) * SIZE + 4 + 8 * (q % 2);
                        assertEquals(upright[orientation - 1][q], pixels[at] & 255, 3, "orientation " + orientation);
                    }
                }
            }
        }
        refused(inserted(written(quadrants(), "png"), 33, chunk("eXIf", exif(9, true))), "orientation 9");
    }

    @Test
    void inksAndDepthsThatAreNotReadAreRefusedByName() throws IOException {
        byte[] jpeg = written(quadrants(), "jpeg");
        int frame = 2;
        while ((jpeg[frame + 1] & 255) != 0xC0)
            frame += 2 + ByteBuffer.wrap(jpeg).getShort(frame + 2);
        byte[] inks = jpeg.clone();
        inks[frame + 9] = 4;
        refused(inks, "CMYK");
        byte[] deep = jpeg.clone();
        deep[frame + 4] = 12;
        refused(deep, "JPEG of 12 bits");
    }

    @Test
    void coloursOfSixteenBitsAreRoundedToEight() throws IOException {
        ColorSpace rgb = ColorSpace.getInstance(ColorSpace.CS_sRGB);
        var colours = new ComponentColorModel(rgb, false, false, Transparency.OPAQUE, DataBuffer.TYPE_USHORT);
        WritableRaster raster = colours.createCompatibleWritableRaster(SIZE, SIZE);
        for (int i = 0; i < SIZE * SIZE; i++) {
            for (int c = 0; c < 3; c++) raster.setSample(i % SIZE, i / SIZE, c, 257 * (i + c & 255));
        }
        byte[] pixels = read(png(new BufferedImage(colours, raster, false, null)), 3);
        for (int i = 0; i < pixels.length; i++) assertEquals(i / 3 + i % 3 & 255, pixels[i] & 255);
    }

    @Test
    void everyFlippedBitOfAPngIsNoticed() throws IOException {
        byte[] whole = written(quadrants(), "png");
        for (int bit = 0; bit < 8 * whole.length; bit += 3) {
            byte[] damaged = whole.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            refused(damaged, "");
        }
    }

    @Test
    void picturesThatLookLikeTheDataOnlyWhenInvertedGiveOneWarning() {
        Dataset digits = bordered(0, 200);
        assertTrue(Polarity.warning(new Pictures(bordered(0, 255), names()), digits)
                .isEmpty());
        assertTrue(Polarity.warning(new Pictures(bordered(90, 255), names()), digits)
                .isEmpty());
        String said = Polarity.warning(new Pictures(bordered(255, 10), names()), digits)
                .orElseThrow();
        assertTrue(said.startsWith("2 of 2 images look inverted (a: its border's mean is 255 of 255"), said);
        Dataset drawings = bordered(250, 20);
        assertTrue(Polarity.warning(new Pictures(bordered(5, 220), names()), drawings)
                .isPresent());
        // Photographs: borders of all kinds.
        byte[] pixels = new byte[8 * SIZE * SIZE];
        for (int i = 0; i < pixels.length; i++) pixels[i] = (byte) (i / (SIZE * SIZE) * 36);
        Dataset photos = new Dataset("photos", pixels, new int[8], SIZE, SIZE, 1, List.of("a"));
        assertTrue(Polarity.warning(new Pictures(bordered(255, 10), names()), photos)
                .isEmpty());
    }

    private static List<String> names() {
        return List.of("a", "b");
    }

    /** Two images with a margin of two pixels. */
    private static Dataset bordered(int margin, int inside) {
        byte[] pixels = new byte[2 * SIZE * SIZE];
        for (int i = 0; i < pixels.length; i++) {
            int x = i % SIZE;
            int y = i / SIZE % SIZE;
            boolean edge = Math.min(x, y) < 2 || Math.max(x, y) >= SIZE - 2;
            pixels[i] = (byte) (edge ? margin : inside);
        }
        return new Dataset("digits", pixels, new int[2], SIZE, SIZE, 1, List.of("a"));
    }

    /** Grey quadrants of 8 x 8 pixels, which JPEG's blocks keep. */
    private static BufferedImage quadrants() {
        BufferedImage image = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < SIZE * SIZE; i++) {
            int grey = 200 - 50 * (i % SIZE / 8) - 100 * (i / SIZE / 8);
            image.setRGB(i % SIZE, i / SIZE, grey << 16 | grey << 8 | grey);
        }
        return image;
    }

    private static byte[] exif(int orientation, boolean little) {
        ByteBuffer tiff = ByteBuffer.allocate(26).order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        tiff.put((little ? "II" : "MM").getBytes(StandardCharsets.ISO_8859_1)).putShort((short) 42);
        tiff.putInt(8).putShort((short) 1);
        return tiff.putShort((short) 274)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) orientation)
                .array();
    }

    private static byte[] chunk(String type, byte[] data) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + data.length).putInt(data.length);
        chunk.put(type.getBytes(StandardCharsets.ISO_8859_1)).put(data);
        CRC32 sum = new CRC32();
        sum.update(chunk.array(), 4, 4 + data.length);
        return chunk.putInt((int) sum.getValue()).array();
    }

    private static byte[] joined(byte[] a, byte[] b) {
        return inserted(a, a.length, b);
    }

    private static byte[] inserted(byte[] into, int at, byte[] piece) {
        return ByteBuffer.allocate(into.length + piece.length)
                .put(into, 0, at)
                .put(piece)
                .put(into, at, into.length - at)
                .array();
    }

    private void refused(byte[] bytes, String said) throws IOException {
        Path file = Files.write(folder.resolve("refused"), bytes);
        String message =
                assertThrows(FormatException.class, () -> read(file, 3)).getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(said), message);
    }

    private static byte[] written(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, format, out));
        return out.toByteArray();
    }
}
