package io.basin.cli;

import io.basin.data.IdxFormat;
import io.basin.data.ImageSet;
import io.basin.io.FormatException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;

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
            throw new UncheckedIOException(file + ": cannot be read (" + e.getMessage() + ")", e);
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
        BufferedImage image;
        try {
            image = ImageIO.read(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + e.getMessage() + ")", e);
        }
        if (image == null) {
            throw new FormatException(
                    file.toString(), "is neither a picture that can be decoded, such as PNG, nor an IDX file");
        }
        requireSize(file, image.getWidth(), image.getHeight(), like);
        for (int y = 0; y < like.height(); y++) {
            for (int x = 0; x < like.width(); x++) {
                int rgb = image.getRGB(x, y);
                int[] channel = {rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255};
                if (like.channels() == 1) {
                    pixels.write(Math.round(0.299f * channel[0] + 0.587f * channel[1] + 0.114f * channel[2]));
                } else {
                    for (int c = 0; c < 3; c++) pixels.write(channel[c]);
                }
            }
        }
        names.add(file.toString());
    }
}
