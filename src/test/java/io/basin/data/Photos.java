package io.basin.data;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** Folders of pictures that are easy to tell apart: PNG and JPEG files of many sizes, each class of a colour of its own. */
public final class Photos {
    /** In the order of their folders. */
    public static final List<String> CLASSES = List.of("blue", "green", "red");

    private Photos() {}

    /** {@code count} pictures of each class below {@code root}, which is made. */
    public static Path write(Path root, int count) {
        for (int k = 0; k < CLASSES.size(); k++) {
            for (int i = 0; i < count; i++) {
                String name = "p" + i + (i % 2 == 0 ? ".png" : ".jpg");
                write(root.resolve(CLASSES.get(k)).resolve(name), picture(20 + 7 * i % 50, 20 + 11 * i % 40, k, i));
            }
        }
        return root;
    }

    /** A picture with the class's colour in its middle and a border that varies. */
    public static BufferedImage picture(int width, int height, int label, int seed) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        int strong = 255 << 8 * label;
        int weak = 0x010101 * (40 + 13 * seed % 60);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                boolean inside = Math.abs(2 * x - width) < width / 2 && Math.abs(2 * y - height) < height / 2;
                image.setRGB(x, y, inside ? strong : weak);
            }
        }
        return image;
    }

    /** By the ending of its name. */
    public static Path write(Path file, BufferedImage image) {
        try {
            Files.createDirectories(file.getParent());
            String name = file.toString();
            if (!ImageIO.write(image, name.substring(name.lastIndexOf('.') + 1), file.toFile()))
                throw new AssertionError(name);
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
