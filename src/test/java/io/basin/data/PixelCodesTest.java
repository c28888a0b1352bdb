package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Shape;
import io.basin.io.FormatException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures whose container is whole and whose pixels are not, or which say in another way than usual what their pixels mean. */
class PixelCodesTest {
    private static final byte[] END = {-1, (byte) 0xD9};

    @TempDir
    Path folder;

    private byte[] read(byte[] file, int width, int height) throws IOException {
        return Picture.read(Files.write(folder.resolve("p"), file), Shape.of(3, height, width), true);
    }

    private void refused(byte[] file, int width, int height, String said) {
        String message = assertThrows(FormatException.class, () -> read(file, width, height))
                .getMessage();
        assertTrue(message.startsWith(folder.resolve("p") + ": ") && message.contains(said), message);
        assertTrue(message.endsWith("PNG"), message);
    }

    /** Every pixel another one, so that codes and runs are short and many. */
    private static BufferedImage noise(int width, int height, int type) {
        BufferedImage image = new BufferedImage(width, height, type);
        Random random = new Random(3);
        for (int i = 0; i < width * height; i++) image.setRGB(i % width, i / width, random.nextInt());
        return image;
    }

    /** @param compression as Java's writer calls it, "progressive", or "" for its usual one */
    private static byte[] written(BufferedImage image, String format, String compression) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
        try (var stream = ImageIO.createImageOutputStream(out)) {
            ImageWriteParam how = writer.getDefaultWriteParam();
            if (compression.equals("progressive")) how.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            else if (!compression.isEmpty()) {
                how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
                how.setCompressionType(compression);
            }
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), how);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) all.writeBytes(part);
        return all.toByteArray();
    }

    private static byte[] cut(byte[] bytes, int from, int to) {
        return Arrays.copyOfRange(bytes, from, to);
    }

    private static byte[] pixels(BufferedImage image) {
        byte[] all = new byte[3 * image.getWidth() * image.getHeight()];
        for (int i = 0; i < all.length; i++) {
            int rgb = image.getRGB(i / 3 % image.getWidth(), i / 3 / image.getWidth());
            all[i] = (byte) (rgb >> 16 - 8 * (i % 3));
        }
        return all;
    }

    @Test
    void aGifWhoseCodesEndEarlyIsRefusedWhereverTheyDo() throws IOException {
        BufferedImage large = noise(200, 150, BufferedImage.TYPE_BYTE_INDEXED);
        byte[] sound = written(large, "gif", "");
        assertArrayEquals(pixels(large), read(sound, 200, 150));
        byte[] gif = written(noise(9, 8, BufferedImage.TYPE_BYTE_INDEXED), "gif", "");
        int start = 13 + (3 << (gif[10] & 7) + 1);
        while (gif[start] != 0x2C) start += 8;
        int codes = start + 11;
        byte[] whole = read(gif, 9, 8);
        int refused = 0;
        int length = gif[codes] & 255;
        for (int kept = 0; kept <= length; kept++) {
            byte[] piece =
                    kept == 0 ? new byte[0] : joined(new byte[] {(byte) kept}, cut(gif, codes + 1, codes + 1 + kept));
            byte[] early = joined(cut(gif, 0, codes), piece, new byte[] {0, 0x3B});
            try {
                assertArrayEquals(whole, read(early, 9, 8), "cut at " + kept);
            } catch (FormatException e) {
                assertTrue(e.getMessage().contains("lacks codes of its pixels"), e.getMessage());
                refused++;
            }
        }
        assertTrue(refused >= length - 2, refused + " of " + length);
        byte[] canvas = gif.clone();
        canvas[6]++;
        refused(canvas, 9, 8, "has a frame of another size");
    }

    /** A BMP of two colours, 0x102030 and 0x405060. */
    private static byte[] bmp(int width, int height, int coding, int... codes) {
        ByteBuffer out = ByteBuffer.allocate(62 + codes.length).order(ByteOrder.LITTLE_ENDIAN);
        out.put((byte) 'B').put((byte) 'M').putInt(62 + codes.length).putInt(0).putInt(62);
        out.putInt(40).putInt(width).putInt(height).putShort((short) 1).putShort((short) 8);
        out.putInt(coding).putInt(codes.length).putLong(0).putInt(2).putInt(0);
        out.putInt(0x102030).putInt(0x405060);
        for (int code : codes) out.put((byte) code);
        return out.array();
    }

    @Test
    void aBmpWhoseRunsDoNotFillItsRowsIsRefused() throws IOException {
        byte[] first = {0x10, 0x20, 0x30};
        byte[] other = {0x40, 0x50, 0x60};
        byte[] sound = joined(other, other, other, first, first, first, other, other);
        assertArrayEquals(sound, read(bmp(4, 2, 1, 2, 0, 2, 1, 0, 0, 3, 1, 1, 0, 0, 1), 4, 2));
        assertArrayEquals(sound, read(bmp(4, 2, 1, 2, 0, 2, 1, 0, 0, 0, 3, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1), 4, 2));
        int[][] unsound = {
            {2, 0, 2, 1, 0, 0}, // cut
            {2, 0, 2, 1, 0, 0, 3, 1, 1, 0}, // without an end
            {2, 0, 2, 1, 0, 1}, // ended early
            {2, 0, 2, 1, 0, 0, 3, 1, 0, 1}, // within a row
            {2, 0, 3, 1, 0, 0, 3, 1, 1, 0, 0, 1}, // a run too long
            {2, 0, 0, 0, 3, 1, 1, 0, 0, 1}, // a row too short
            {0, 2, 0, 1, 3, 1, 1, 0, 0, 1}, // a leap
            {2, 0, 2, 1, 0, 0, 0, 4, 1, 1}, // single pixels, cut
            {0, 1}
        };
        for (int[] codes : unsound) refused(bmp(4, 2, 1, codes), 4, 2, "lacks runs of its pixels");
        BufferedImage large = noise(40, 30, BufferedImage.TYPE_BYTE_INDEXED);
        assertArrayEquals(pixels(large), read(written(large, "bmp", "BI_RLE8"), 40, 30));
    }

    @Test
    void pixelsBeyondThePaletteAreRefused() throws IOException {
        byte[] sound = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60};
        assertArrayEquals(sound, read(bmp(2, 1, 0, 0, 1, 0, 0), 2, 1));
        refused(bmp(2, 1, 0, 0, 2, 0, 0), 2, 1, "pixels beyond the 2 colours");
        refused(bmp(2, 1, 1, 1, 0, 1, 7, 0, 1), 2, 1, "pixels beyond the 2 colours");
        assertArrayEquals(sound, read(png(0, 1), 2, 1));
        refused(png(0, 2), 2, 1, "pixels beyond the 2 colours");
        refused(png(255, 0), 2, 1, "pixels beyond the 2 colours");
    }

    private static byte[] png(int... row) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(13)
                .putInt(row.length)
                .putInt(1)
                .put((byte) 8)
                .put((byte) 3);
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
            out.write(0);
            for (int index : row) out.write(index);
        }
        byte[] start = {(byte) 0x89, 'P', 'N', 'G', 13, 10, 26, 10};
        byte[] colours = {0x10, 0x20, 0x30, 0x40, 0x50, 0x60};
        return joined(
                start,
                chunk("IHDR", head.array()),
                chunk("PLTE", colours),
                chunk("IDAT", packed.toByteArray()),
                chunk("IEND", new byte[0]));
    }

    private static byte[] chunk(String type, byte[] data) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + data.length).putInt(data.length);
        chunk.put(type.getBytes(StandardCharsets.ISO_8859_1)).put(data);
        CRC32 sum = new CRC32();
        sum.update(chunk.array(), 4, 4 + data.length);
        return chunk.putInt((int) sum.getValue()).array();
    }

    /** Places of a JPEG's markers of that kind; coded pixels hold none. */
    private static List<Integer> markers(byte[] jpeg, int kind) {
        List<Integer> all = new ArrayList<>();
        for (int i = 0; i + 1 < jpeg.length; i++) if (jpeg[i] == -1 && (jpeg[i + 1] & 255) == kind) all.add(i);
        return all;
    }

    @Test
    void aProgressiveJpegWithoutItsLaterScansIsRefused() throws IOException {
        for (int type : new int[] {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_BYTE_GRAY}) {
            BufferedImage image = noise(24, 17, type);
            byte[] whole = written(image, "jpeg", "progressive");
            BufferedImage decoded = ImageIO.read(new java.io.ByteArrayInputStream(whole));
            byte[] read = read(whole, 24, 17);
            if (type == BufferedImage.TYPE_INT_RGB) assertArrayEquals(pixels(decoded), read);
            List<Integer> scans = markers(whole, 0xDA);
            assertTrue(scans.size() > 3, "scans: " + scans);
            for (int scan : scans) refused(joined(cut(whole, 0, scan), END), 24, 17, "lacks scans of its pixels");
        }
    }

    @Test
    void aJpegWithoutColourMarkersIsOfLuminanceAndColourDifferences() throws IOException {
        byte[] marked = unsampled(noise(16, 16, BufferedImage.TYPE_INT_RGB));
        byte[] sound = read(marked, 16, 16);
        int app = markers(marked, 0xE0).get(0);
        int length = 2 + ByteBuffer.wrap(marked).getShort(app + 2);
        byte[] bare = joined(cut(marked, 0, app), cut(marked, app + length, marked.length));
        assertArrayEquals(sound, read(bare, 16, 16));
        for (String ids : List.of("\0\1\2", "\3\4\5", "YCc", "abc", "\3\2\1")) {
            assertArrayEquals(sound, read(named(bare, ids), 16, 16), ids);
        }
        assertFalse(Arrays.equals(sound, read(named(bare, "RGB"), 16, 16)));
    }

    /** Of colours as fine as the luminance, which Java takes for red, green and blue. */
    private static byte[] unsampled(BufferedImage image) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        try (var stream = ImageIO.createImageOutputStream(out)) {
            IIOMetadata how = writer.getDefaultImageMetadata(new ImageTypeSpecifier(image), null);
            IIOMetadataNode tree = (IIOMetadataNode) how.getAsTree("javax_imageio_jpeg_image_1.0");
            IIOMetadataNode first =
                    (IIOMetadataNode) tree.getElementsByTagName("componentSpec").item(0);
            first.setAttribute("HsamplingFactor", "1");
            first.setAttribute("VsamplingFactor", "1");
            how.setFromTree("javax_imageio_jpeg_image_1.0", tree);
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, how), null);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    private static byte[] named(byte[] jpeg, String ids) {
        byte[] other = jpeg.clone();
        int frame = markers(jpeg, 0xC0).get(0);
        int scan = markers(jpeg, 0xDA).get(0);
        for (int i = 0; i < 3; i++) {
            other[frame + 10 + 3 * i] = (byte) ids.charAt(i);
            other[scan + 5 + 2 * i] = (byte) ids.charAt(i);
        }
        return other;
    }

    /** 6: turned by a quarter. */
    @Test
    void theOrientationIsReadByItsTypeAndFromTheFirstExif() throws IOException {
        byte[] jpeg = written(noise(16, 8, BufferedImage.TYPE_INT_RGB), "jpeg", "");
        for (boolean little : new boolean[] {true, false}) {
            for (int type : new int[] {3, 4}) {
                byte[] turned = joined(cut(jpeg, 0, 2), exif(little, type, 6), cut(jpeg, 2, jpeg.length));
                assertEquals(3 * 16 * 8, read(turned, 8, 16).length);
            }
        }
        byte[] twice = joined(cut(jpeg, 0, 2), exif(true, 3, 6), exif(true, 3, 1), cut(jpeg, 2, jpeg.length));
        assertEquals(3 * 16 * 8, read(twice, 8, 16).length);
    }

    private static byte[] exif(boolean little, int type, int orientation) {
        ByteBuffer segment = ByteBuffer.allocate(36).putShort((short) 0xFFE1).putShort((short) 34);
        segment.put("Exif\0\0".getBytes(StandardCharsets.ISO_8859_1));
        segment.put((little ? "II" : "MM").getBytes(StandardCharsets.ISO_8859_1));
        segment.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN).putShort((short) 42);
        segment.putInt(8)
                .putShort((short) 1)
                .putShort((short) 274)
                .putShort((short) type)
                .putInt(1);
        return (type == 3 ? segment.putShort((short) orientation) : segment.putInt(orientation)).array();
    }
}
