package io.basin.cli;

import io.basin.data.Dataset;
import io.basin.data.IdxFormat;
import io.basin.data.Picture;
import io.basin.io.Disk;
import io.basin.io.FormatException;
import java.io.IOException;
import java.io.InputStream;
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
record Pictures(Dataset set, List<String> names) {
    private static final int IDX = 0x0800;

    /**
     * Reads files; pictures are scaled and cut to the size of images in {@code like}, which IDX images must have.
     *
     * @param strict whether pictures must have it, too
     */
    static Pictures read(List<Path> files, Dataset like, boolean strict) {
        if (like.isFloat() || like.channels() != 1 && like.channels() != 3) {
            throw new IllegalArgumentException(
                    "IMAGE: nets of " + like.name() + " take numbers as they are and no pictures");
        }
        List<byte[]> parts = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Path file : files) {
            if (isIdx(file)) {
                parts.add(idx(file, like, names));
            } else {
                parts.add(Picture.read(file, like.sample(), strict));
                names.add(file.toString());
            }
        }
        byte[] pixels = parts.size() == 1 ? parts.get(0) : joined(parts);
        return new Pictures(like.with("images", pixels, new int[names.size()]), names);
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
            throw Disk.unreadable(file, e);
        }
    }

    private static byte[] idx(Path file, Dataset like, List<String> names) {
        Dataset set = IdxFormat.images(file, like);
        for (int i = 0; i < set.count(); i++) names.add(file + "[" + i + "]");
        return set.pixels();
    }
}
