package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How pictures become samples: a known filter at known places. */
class PictureTest {
    @TempDir
    Path folder;

    private interface Grey {
        int at(int x, int y);
    }

    private byte[] read(int width, int height, Grey grey, int size) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) image.getRaster().setSample(x, y, 0, grey.at(x, y));
        return Picture.read(Photos.write(folder.resolve("p.png"), image), Shape.of(1, size, size), false);
    }

    @Test
    void aPictureOfTheSizeItselfKeepsItsBytesAndOneThatIsWiderItsMiddle() {
        byte[] same = read(6, 6, (x, y) -> 7 * x + 30 * y, 6);
        for (int i = 0; i < 36; i++) assertEquals(7 * (i % 6) + 30 * (i / 6), same[i] & 255);
        byte[] middle = read(11, 6, (x, y) -> 7 * x + 30 * y, 6);
        for (int i = 0; i < 36; i++) assertEquals(7 * (i % 6 + 2) + 30 * (i / 6), middle[i] & 255);
    }

    /** Half the size: four pixels with the triangle's weights 1 3 3 1, and three of them at the edges. */
    @Test
    void halvingWeighsPixelsByTheTriangle() {
        int[] line = {10, 50, 90, 250, 130, 170, 20, 60};
        byte[] half = read(8, 8, (x, y) -> line[x], 4);
        double[] expected = {
            (3 * 10 + 3 * 50 + 90) / 7.0,
            (50 + 3 * 90 + 3 * 250 + 130) / 8.0,
            (250 + 3 * 130 + 3 * 170 + 20) / 8.0,
            (170 + 3 * 20 + 3 * 60) / 7.0
        };
        for (int i = 0; i < 16; i++) assertEquals(Math.round(expected[i % 4]), half[i] & 255);
    }

    @Test
    void finePatternsAverageOutAndPlainOnesStay() {
        byte[] board = read(400, 300, (x, y) -> 254 * ((x + y) % 2), 10);
        for (byte b : board) assertEquals(127, b & 255, 1);
        for (byte b : read(37, 91, (x, y) -> 201, 16)) assertEquals(201, b & 255);
        for (byte b : read(3, 2, (x, y) -> 90, 16)) assertEquals(90, b & 255);
    }

    @Test
    void enlargingInterpolates() {
        byte[] large = read(2, 2, (x, y) -> 100 * x, 4);
        assertArrayEquals(new byte[] {0, 25, 75, 100}, Arrays.copyOf(large, 4));
    }

    /** As phones write them: the list of further pictures, then these. */
    @Test
    void aJpegMayBeFollowedByThePicturesThatItLists() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(Photos.picture(16, 16, 1, 1), "jpeg", out));
        byte[] plain = out.toByteArray();
        byte[] list = "\u00ff\u00e2\0\10MPF\0ab".getBytes(StandardCharsets.ISO_8859_1);
        ByteArrayOutputStream several = new ByteArrayOutputStream();
        several.write(plain, 0, 2);
        several.write(list);
        several.write(plain, 2, plain.length - 2);
        several.write(plain);
        Path first = Files.write(folder.resolve("first.jpg"), plain);
        Path both = Files.write(folder.resolve("both.jpg"), several.toByteArray());
        Shape size = Shape.of(3, 16, 16);
        assertArrayEquals(Picture.read(first, size, true), Picture.read(both, size, true));
    }
}
