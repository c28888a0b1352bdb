package io.basin.cli;

import io.basin.data.Dataset;
import io.basin.data.IdxFormat;
import io.basin.data.OwnData;
import io.basin.data.Picture;
import io.basin.io.Disk;
import io.basin.io.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Samples to classify, from pictures (PNG, JPEG, GIF, BMP) and IDX files, which their first bytes tell apart, and from tables and
 * NumPy's arrays, which their names tell.
 *
 * @param set the samples, unlabelled: every label is 0
 * @param names one for each sample: the file, and the sample's number from 0 where a file may hold several
 */
record Pictures(Dataset set, List<String> names) {
    private static final int IDX = 0x0800;

    /**
     * Reads files; pictures are scaled and cut to the size of images in {@code like}, which all others must have.
     *
     * @param columns of a table's rows, as {@link OwnData#samples}
     * @param strict whether pictures must have it, too
     */
    static Pictures read(List<Path> files, Dataset like, List<String> columns, boolean strict) {
        List<Dataset> parts = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (Path file : files) {
            boolean rows = OwnData.holdsSamples(file);
            if (!rows) requirePictures(like);
            boolean several = rows || isIdx(file);
            Dataset part = rows
                    ? OwnData.samples(file, columns, like)
                    : several
                            ? IdxFormat.images(file, like)
                            : like.with("image", Picture.read(file, like.sample(), strict), new int[1]);
            for (int i = 0; i < part.count(); i++) names.add(several ? file + "[" + i + "]" : file.toString());
            parts.add(part);
        }
        return new Pictures(parts.size() == 1 ? parts.get(0) : like.with("images", parts), names);
    }

    private static void requirePictures(Dataset like) {
        if (!like.isFloat() && (like.channels() == 1 || like.channels() == 3)) return;
        throw new IllegalArgumentException("IMAGE: nets of " + like.name()
                + " take numbers as they are and no pictures: name a table (.csv) or NumPy's arrays (.npz, .npy)");
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
}
