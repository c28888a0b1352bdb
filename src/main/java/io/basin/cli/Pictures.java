package io.basin.cli;

import io.basin.data.IdxFormat;
import io.basin.data.ImageSet;
import io.basin.io.FormatException;
import io.basin.text.Reason;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Images to classify, from pictures (PNG, JPEG, GIF, BMP) and IDX files; a file's first bytes tell which it is.
 *
 * @param set the images, unlabelled: every label is 0
 * @param names one for each image: the file, and the image's number where a file holds several
 */
record Pictures(ImageSet set, List<String> names) {
    private static final int IDX = 0x0800;
    private static final int MOST_BYTES = 16 << 20;

    /** Reads files whose images must have the size of those in {@code like}. */
    static Pictures read(List<Path> files, ImageSet like) {
        List<byte[]> parts = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Path file : files) parts.add(isIdx(file) ? idx(file, like, names) : picture(file, like, names));
        ImageSet set = new ImageSet(
                "images",
                parts.size() == 1 ? parts.get(0) : joined(parts),
                new int[names.size()],
                like.height(),
                like.width(),
                like.channels(),
                like.classNames());
        return new Pictures(set, names);
    }

    private static byte[] joined(List<byte[]> parts) {
        long length = parts.stream().mapToLong(p -> p.length).sum();
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(length));
        parts.forEach(all::put);
        return all.array();
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

    private static byte[] idx(Path file, ImageSet like, List<String> names) {
        ImageSet set = IdxFormat.images(file, like);
        for (int i = 0; i < set.count(); i++) names.add(file + "[" + i + "]");
        return set.pixels();
    }

    private static byte[] picture(Path file, ImageSet like, List<String> names) {
        String name = file.toString();
        PictureFile.Upright image = new PictureFile(name, bytes(file)).decode(name, like.width(), like.height());
        ByteArrayOutputStream pixels = new ByteArrayOutputStream(like.imageBytes());
        for (int y = 0; y < like.height(); y++) {
            for (int x = 0; x < like.width(); x++) {
                int[] at = image.at(x, y);
                pixel(image.stored(), at[0], at[1], like.channels(), pixels);
            }
        }
        names.add(name);
        return pixels.toByteArray();
    }

    private static byte[] bytes(Path file) {
        try {
            if (!Files.isRegularFile(file)) throw new FormatException(file.toString(), "is not a file");
            if (Files.size(file) > MOST_BYTES) {
                throw new FormatException(
                        file.toString(),
                        "has more than " + MOST_BYTES + " bytes, which no picture of the net's size needs");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
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
