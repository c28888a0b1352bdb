package io.basin.data;

import io.basin.Nullable;
import io.basin.io.FormatException;
import io.basin.text.Reason;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * One still PNG, JPEG, GIF or BMP, proved whole before it is decoded.
 *
 * <p>Java's decoders fill up what a truncated file lacks, take the first of several pictures and leave the orientation to
 * their caller. So the container is walked first, to its end marker, which must be the file's end. Data that does not belong to the
 * pixels, such as compressed texts and colour profiles, is not handed to the decoder.
 */
final class PictureFile {
    /** Decoded they fill up to a gigabyte. */
    private static final long MOST_PIXELS = 1 << 27;

    private static final HexFormat HEX = HexFormat.of();

    private final ByteBuffer in;
    private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
    private final String format;
    private int orientation = 1;
    private boolean oriented;
    /** Colours of the palette, by which indices are checked. */
    private int palette = Integer.MAX_VALUE;
    /** Whether a JPEG's markers say how its colours are coded. */
    private boolean colourMarked;

    private boolean renamed;
    private PixelCodes.@Nullable Scans scans;
    /** Phones append smaller versions and depth maps to their JPEGs and list them in a segment of the first one. */
    private boolean announcesMore;

    /** @param name for messages */
    PictureFile(String name, byte[] bytes) {
        in = ByteBuffer.wrap(bytes);
        format = format(bytes);
        try {
            switch (format) {
                case "png" -> png();
                case "jpeg" -> jpeg();
                case "gif" -> gif();
                case "bmp" -> bmp();
                default ->
                    throw new FormatException(
                            name, "is not a picture that can be decoded (PNG, JPEG, GIF, BMP); save it as PNG");
            }
            if (in.hasRemaining() && !announcesMore) {
                throw new IOException("holds " + in.remaining()
                        + " more bytes after the picture's end; save the picture" + " alone as PNG");
            }
        } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new FormatException(name, "is cut short or damaged: save it anew as PNG", e);
        } catch (IOException e) {
            throw new FormatException(name, Reason.of(e), e);
        }
    }

    private static String format(byte[] bytes) {
        String start = HEX.formatHex(bytes, 0, Math.min(8, bytes.length));
        if (start.equals("89504e470d0a1a0a")) return "png";
        if (start.startsWith("ffd8ff")) return "jpeg";
        if (start.startsWith("474946383761") || start.startsWith("474946383961")) return "gif";
        return start.startsWith("424d") ? "bmp" : "";
    }

    /** Chunks: length, type, data, CRC-32 of type and data. */
    private void png() throws IOException {
        keep(8);
        String type;
        do {
            int start = in.position();
            int length = in.getInt();
            type = latin(4);
            if (type.equals("acTL")) throw new IOException("holds several frames; save the one that is meant as PNG");
            int data = in.position();
            skip(length);
            CRC32 sum = new CRC32();
            sum.update(in.array(), start + 4, 4 + length);
            if (in.getInt() != (int) sum.getValue())
                throw new IOException(
                        "is damaged in its part " + type.replaceAll("\\P{Alnum}", "?") + "; save it anew as PNG");
            if (type.equals("PLTE")) palette = length / 3;
            if (type.equals("eXIf")) exif(in.slice(data, length));
            boolean needed = Character.isUpperCase(type.charAt(0)) || type.equals("tRNS");
            if (needed) kept.write(in.array(), start, 12 + length);
        } while (!type.equals("IEND"));
    }

    /** Segments: FF, marker, length, data; the coded pixels follow a start of scan and end at the next marker. */
    private void jpeg() throws IOException {
        keep(2);
        while (true) {
            if (in.get() != -1) throw new IOException("is damaged: a JPEG marker is missing; save it anew as PNG");
            int marker = in.get() & 255;
            if (marker == 255) in.position(in.position() - 1);
            if (marker == 255) continue;
            if (marker != 0xD9) segment(marker);
            else kept.writeBytes(new byte[] {-1, (byte) marker});
            if (marker == 0xD9 && scans != null && !scans.whole()) {
                throw new IOException("lacks scans of its pixels and may be cut short; save it anew as PNG");
            }
            if (marker == 0xD9) return;
            if (marker == 0xDA) scan();
        }
    }

    private void segment(int marker) throws IOException {
        int start = in.position();
        int length = in.getShort() & 0xFFFF;
        ByteBuffer data = in.slice(start + 2, length - 2);
        boolean frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (frame && data.get(0) != 8) throw new IOException("is a JPEG of " + data.get(0) + " bits; save it as PNG");
        if (frame && data.get(5) != 1 && data.get(5) != 3) {
            throw new IOException("is a JPEG of " + data.get(5) + " inks (CMYK); save it as RGB");
        }
        if (frame) frame(data, marker == 0xC2);
        if (marker == 0xDA && scans != null) scans.add(data, renamed);
        if (marker == 0xE1 && begins(data, "Exif\0\0")) exif(data.slice(6, data.limit() - 6));
        announcesMore |= marker == 0xE2 && begins(data, "MPF\0");
        colourMarked |= marker == 0xE0 && begins(data, "JFIF") || marker == 0xEE && begins(data, "Adobe");
        // JFIF's and Adobe's say how colours are coded; the others are about the picture.
        boolean needed = marker < 0xE0 || marker > 0xEF || marker == 0xE0 || marker == 0xEE;
        in.position(start - 2);
        if (needed) keep(2 + length);
        else skip(2 + length);
    }

    private static boolean begins(ByteBuffer data, String with) {
        ByteBuffer start = ByteBuffer.wrap(with.getBytes(StandardCharsets.ISO_8859_1));
        return data.limit() > start.limit() && data.slice(0, start.limit()).equals(start);
    }

    /** Luminance and two colour differences are what JPEG's decoders but Java's see in components of unknown names. */
    private void frame(ByteBuffer data, boolean progressive) {
        scans = new PixelCodes.Scans(data, progressive);
        renamed = !colourMarked && scans.oddlyNamed();
        for (int i = 0; renamed && i < 3; i++) data.put(6 + 3 * i, (byte) (i + 1));
    }

    private void scan() {
        while (true) {
            int b = in.get();
            int next = b == -1 ? in.get(in.position()) & 255 : 0;
            boolean coded = next == 0 || next >= 0xD0 && next <= 0xD7;
            if (b == -1 && !coded) {
                in.position(in.position() - 1);
                return;
            }
            kept.write(b);
        }
    }

    /** Blocks: pictures and extensions, each a chain of pieces with their lengths; then a trailer. */
    private void gif() throws IOException {
        keep(in.limit());
        in.order(ByteOrder.LITTLE_ENDIAN).position(6);
        int width = in.getShort() & 0xFFFF;
        int height = in.getShort() & 0xFFFF;
        int flags = in.get();
        skip(2);
        palette(flags);
        int frames = 0;
        for (int kind = in.get(); kind != 0x3B; kind = in.get()) {
            if (kind == 0x2C) {
                if (++frames > 1) throw new IOException("holds several frames; save the one that is meant as PNG");
                if (in.getInt() != 0 || (in.getShort() & 0xFFFF) != width || (in.getShort() & 0xFFFF) != height) {
                    throw new IOException("has a frame of another size than the picture; save it as PNG");
                }
                palette(in.get());
                int bits = in.get();
                if (PixelCodes.lzw(ByteBuffer.wrap(pieces()), bits, (long) width * height)) continue;
                throw new IOException("lacks codes of its pixels; save it anew as PNG");
            }
            if (kind != 0x21) {
                throw new IOException("is damaged: no GIF block begins with " + kind + "; save it anew as PNG");
            }
            skip(1);
            pieces();
        }
    }

    private byte[] pieces() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int length = in.get() & 255; length > 0; length = in.get() & 255) {
            skip(length);
            all.write(in.array(), in.position() - length, length);
        }
        return all.toByteArray();
    }

    private void palette(int flags) {
        if (flags >= 0) return;
        palette = 1 << (flags & 7) + 1;
        skip(3 * palette);
    }

    /** The header says the file's length, where the pixels begin and how they are coded (1 and 2: run lengths). */
    private void bmp() throws IOException {
        keep(in.limit());
        int end = in.order(ByteOrder.LITTLE_ENDIAN).getInt(2);
        int start = in.getInt(10);
        int header = in.getInt(14);
        boolean old = header == 12;
        int bits = in.getShort(old ? 24 : 28);
        int coding = old ? 0 : in.getInt(30);
        if (bits <= 8) {
            int used = old ? 0 : in.getInt(46);
            int room = (start - 14 - header) / (old ? 3 : 4);
            palette = Math.min(used == 0 ? 1 << bits : used, room);
        }
        if (coding == 1 || coding == 2) {
            ByteBuffer codes = in.slice(start, in.limit() - start);
            if (!PixelCodes.runs(codes, bits, in.getInt(18), Math.abs(in.getInt(22)))) {
                throw new IOException("lacks runs of its pixels, or has too long ones; save it anew as PNG");
            }
        }
        in.position(end);
        if (in.hasRemaining()) throw new IndexOutOfBoundsException();
    }

    /** A TIFF header, then a directory of tags, of which 274 is the orientation; of several such headers the first counts. */
    private void exif(ByteBuffer tiff) throws IOException {
        if (oriented) return;
        oriented = true;
        tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        int count = tiff.getShort(directory) & 0xFFFF;
        for (int i = 0; i < count; i++) {
            int entry = directory + 2 + 12 * i;
            if (tiff.getShort(entry) != 274) continue;
            // A number of 16 bits, as the standard says, or of 32, as some write it.
            boolean wide = tiff.getShort(entry + 2) == 4;
            orientation = Math.max(1, wide ? tiff.getInt(entry + 8) : tiff.getShort(entry + 8));
            if (orientation > 8) throw new IOException("has the orientation " + orientation + "; save it as PNG");
        }
    }

    private void keep(int length) {
        int start = in.position();
        skip(length);
        kept.write(in.array(), start, length);
    }

    private void skip(int length) {
        if (length < 0 || length > in.remaining()) throw new BufferUnderflowException();
        in.position(in.position() + length);
    }

    private String latin(int length) {
        int start = in.position();
        skip(length);
        return new String(in.array(), start, length, StandardCharsets.ISO_8859_1);
    }

    /** The upright picture; its size is compared with the file's length before anything is decoded. */
    Upright decode(String name) {
        try (ImageInputStream stream = new MemoryCacheImageInputStream(new ByteArrayInputStream(kept.toByteArray()))) {
            ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
            try {
                List<String> warnings = new ArrayList<>();
                reader.addIIOReadWarningListener((r, warning) -> warnings.add(warning));
                reader.setInput(stream, false, true);
                requireHonest(name, reader.getWidth(0), reader.getHeight(0));
                BufferedImage image = reader.read(0);
                if (!warnings.isEmpty()) {
                    throw new FormatException(name, "is damaged (" + warnings.get(0) + "): save it anew as PNG");
                }
                requireColours(name, image);
                return new Upright(image, orientation);
            } finally {
                reader.dispose();
            }
        } catch (FormatException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            throw new FormatException(
                    name, "cannot be decoded and may be damaged: save it anew as PNG (" + Reason.of(e) + ")", e);
        }
    }

    private void requireColours(String name, BufferedImage image) {
        if (palette > 255 || !(image.getColorModel() instanceof IndexColorModel)) return;
        for (int y = 0; y < image.getHeight(); y++) {
            int[] row = image.getRaster().getSamples(0, y, image.getWidth(), 1, 0, (int[]) null);
            if (Arrays.stream(row).noneMatch(index -> index >= palette)) continue;
            throw new FormatException(
                    name, "has pixels beyond the " + palette + " colours of its palette: save it anew as PNG");
        }
    }

    /** Photographs have at least half a bit a pixel; a plain drawing may have less and is small. */
    private void requireHonest(String name, long width, long height) {
        long pixels = width * height;
        if (pixels <= MOST_PIXELS && 4 * pixels <= 64L * in.limit() + Capped.ROOM) return;
        throw new FormatException(
                name,
                "is " + width + " x " + height + " in " + in.limit()
                        + " bytes, which no honest picture is, or more than can be decoded: scale it down");
    }

    /**
     * A stored picture with the orientation that its camera wrote (EXIF, 1 to 8).
     *
     * @param orientation where the stored first row and column lie: 1 top and left, 2 top and right, 3 bottom and right, 4
     *     bottom and left, 5 left and top, 6 right and top, 7 right and bottom, 8 left and bottom
     */
    record Upright(BufferedImage stored, int orientation) {
        private boolean turned() {
            return orientation > 4;
        }

        int width() {
            return turned() ? stored.getHeight() : stored.getWidth();
        }

        int height() {
            return turned() ? stored.getWidth() : stored.getHeight();
        }

        /**
         * Row {@code y}, each pixel as its red, green and blue bytes. Stored values count, as in data sets: Java takes those of
         * grey pictures for amounts of light and would brighten them on their way to RGB. Transparent pixels have a colour too,
         * and keeps it.
         */
        int[] row(int y) {
            boolean fromRight = Set.of(2, 3, 7, 8).contains(orientation);
            boolean fromBottom = Set.of(3, 4, 6, 7).contains(orientation);
            boolean backwards = turned() ? fromBottom : fromRight;
            int line = (turned() ? fromRight : fromBottom) ? height() - 1 - y : y;
            int[] row = turned() ? stored(line, 0, 1, width()) : stored(0, line, width(), 1);
            for (int i = 0; backwards && i < row.length / 2; i++) {
                int other = row[row.length - 1 - i];
                row[row.length - 1 - i] = row[i];
                row[i] = other;
            }
            return row;
        }

        private int[] stored(int x, int y, int w, int h) {
            ColorModel colours = stored.getColorModel();
            if (colours.getColorSpace().getType() != ColorSpace.TYPE_GRAY) {
                return stored.getRGB(x, y, w, h, null, 0, w);
            }
            int[] grey = stored.getRaster().getSamples(x, y, w, h, 0, (int[]) null);
            int white = (1 << colours.getComponentSize(0)) - 1;
            for (int i = 0; i < grey.length; i++) grey[i] = Math.round(255f * grey[i] / white) * 0x010101;
            return grey;
        }
    }
}
