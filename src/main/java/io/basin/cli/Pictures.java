package io.basin.cli;

import io.basin.data.IdxFormat;
import io.basin.data.ImageSet;
import io.basin.io.FileKind;
import io.basin.io.FormatException;
import io.basin.text.Reason;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Images to classify, from pictures (PNG and what else Java decodes) and IDX files; a file's first bytes tell which it is.
 *
 * @param set the images, unlabelled: every label is 0
 * @param names one for each image: the file, and the image's number where a file holds several
 */
record Pictures(ImageSet set, List<String> names) {
    private static final int IDX = 0x0800;

    /** Reads files whose images must have the size of those in {@code like}. */
    static Pictures read(List<Path> files, ImageSet like) {
        ByteArrayOutputStream pixels = new ByteArrayOutputStream();
        List<String> names = new ArrayList<>();
        for (Path file : files) {
            if (isIdx(file)) idx(file, like, pixels, names);
            else picture(file, like, pixels, names);
        }
        ImageSet set = new ImageSet(
                "images",
                pixels.toByteArray(),
                new int[names.size()],
                like.height(),
                like.width(),
                like.channels(),
                like.classNames());
        return new Pictures(set, names);
    }

    /** By magic number: 00 00 08 and the number of dimensions, or gzip, which no picture is. */
    private static boolean isIdx(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] magic = in.readNBytes(4);
            boolean plain =
                    magic.length == 4 && ((magic[0] & 255) << 16 | (magic[1] & 255) << 8 | magic[2]) == IDX >> 8;
            boolean gzip = magic.length >= 2 && (magic[0] & 255) == 0x1f && (magic[1] & 255) == 0x8b;
            return plain || gzip;
        } catch (NoSuchFileException e) {
            throw new FormatException(file.toString(), "no such file", e);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
        }
    }

    private static void idx(Path file, ImageSet like, ByteArrayOutputStream pixels, List<String> names) {
        ImageSet set = IdxFormat.images(file, like.channels(), like.classNames());
        requireSize(file, set.width(), set.height(), like);
        pixels.writeBytes(set.pixels());
        for (int i = 0; i < set.count(); i++) names.add(file + "[" + i + "]");
    }

    private static void requireSize(Path file, int width, int height, ImageSet like) {
        if (width != like.width() || height != like.height()) {
            throw new FormatException(
                    file.toString(),
                    "is " + width + " x " + height + ", the net needs " + like.width() + " x " + like.height());
        }
    }

    private static void picture(Path file, ImageSet like, ByteArrayOutputStream pixels, List<String> names) {
        BufferedImage image = decode(file, like);
        for (int y = 0; y < like.height(); y++) {
            for (int x = 0; x < like.width(); x++) pixel(image, x, y, like.channels(), pixels);
        }
        names.add(file.toString());
    }

    /** The size is compared before anything of it is allocated: a header of a few bytes may promise gigabytes. */
    private static BufferedImage decode(Path file, ImageSet like) {
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (!readers.hasNext()) {
                throw new FormatException(
                        file.toString(),
                        FileKind.instead(file, "a picture that can be decoded, such as PNG, nor an IDX file"));
            }
            ImageReader reader = readers.next();
            try {
                reader.setInput(in, true, true);
                requireSize(file, reader.getWidth(0), reader.getHeight(0), like);
                return reader.read(0);
            } finally {
                reader.dispose();
            }
        } catch (FormatException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw new FormatException(
                    file.toString(),
                    "cannot be decoded and may be damaged: save it anew as PNG (" + Reason.of(e) + ")",
                    e);
        }
    }

    /**
     * Stored values count, as in data sets. Java takes those of grey pictures for amounts of light and would brighten them on
     * their way to RGB. What is transparent has a colour too, and keeps it.
     */
    private static void pixel(BufferedImage image, int x, int y, int channels, ByteArrayOutputStream pixels) {
        ColorModel colours = image.getColorModel();
        if (colours.getColorSpace().getType() == ColorSpace.TYPE_GRAY) {
            Object stored = image.getRaster().getDataElements(x, y, null);
            int grey = Math.round(255 * colours.getNormalizedComponents(stored, null, 0)[0]);
            for (int c = 0; c < channels; c++) pixels.write(grey);
            return;
        }
        int rgb = image.getRGB(x, y);
        int red = rgb >> 16 & 255;
        int green = rgb >> 8 & 255;
        int blue = rgb & 255;
        if (channels == 1) {
            pixels.write(Math.round(0.299f * red + 0.587f * green + 0.114f * blue));
            return;
        }
        pixels.write(red);
        pixels.write(green);
        pixels.write(blue);
    }
}
