package io.basin.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** Files in the formats that the package reads, written for tests from the formats' descriptions. */
public final class Written {
    private Written() {}

    static byte[] idx(int... dimensions) {
        int size = 1;
        for (int dimension : dimensions) {
            size *= dimension;
        }
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * dimensions.length + size);
        buffer.putInt(0x0800 | dimensions.length);
        for (int dimension : dimensions) {
            buffer.putInt(dimension);
        }
        for (int i = 0; i < size; i++) {
            buffer.put((byte) (dimensions.length == 1 ? i % 10 : i * 7));
        }
        return buffer.array();
    }

    /** Records of random pixels; the last label byte is the record's number modulo 10. */
    static byte[] cifar(int labelBytes, int records, long seed) {
        Random random = new Random(seed);
        byte[] bytes = new byte[records * (labelBytes + 3072)];
        random.nextBytes(bytes);
        for (int i = 0; i < records; i++) {
            bytes[i * (labelBytes + 3072) + labelBytes - 1] = (byte) (i % 10);
        }
        return bytes;
    }

    static byte[] gzip(byte[] bytes) {
        return gzip(bytes, Deflater.DEFAULT_COMPRESSION);
    }

    static byte[] gzip(byte[] bytes, int level) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out) {
            {
                def.setLevel(level);
            }
        }) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** A tar member: header and padded content. */
    static byte[] member(String path, char type, byte[] content) {
        ByteBuffer buffer = ByteBuffer.allocate(512 + (content.length + 511) / 512 * 512);
        buffer.put(path.getBytes(StandardCharsets.UTF_8));
        put(buffer, 100, "0000644\0" + "0000000\0" + "0000000\0");
        put(buffer, 124, String.format("%011o\0", content.length));
        put(buffer, 136, "00000000000\0");
        put(buffer, 156, String.valueOf(type));
        put(buffer, 257, "ustar\00000");
        seal(buffer);
        buffer.position(512);
        buffer.put(content);
        return buffer.array();
    }

    /** Writes the checksum of a header. */
    static void seal(ByteBuffer header) {
        put(header, 148, "        ");
        int sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += header.get(i) & 0xFF;
        }
        put(header, 148, String.format("%06o\0 ", sum));
    }

    private static void put(ByteBuffer buffer, int at, String text) {
        buffer.position(at);
        buffer.put(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** An archive: the members and two empty blocks. */
    static byte[] tar(byte[]... members) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] member : members) {
            out.writeBytes(member);
        }
        out.writeBytes(new byte[1024]);
        return out.toByteArray();
    }

    /** A small CIFAR-10 archive as published: a folder, a text file and six files of records. */
    static byte[] cifar10Tar(int records) {
        byte[][] members = new byte[8][];
        members[0] = member("cifar-10-batches-bin/", '5', new byte[0]);
        members[1] = member("cifar-10-batches-bin/readme.html", '0', "text".getBytes(StandardCharsets.UTF_8));
        for (int i = 0; i < 6; i++) {
            String name = CifarFormat.CIFAR10.fileNames().get(i);
            members[2 + i] = member("cifar-10-batches-bin/" + name, '0', cifar(1, records, i));
        }
        return tar(members);
    }

    /** Fills a folder with a small set in the format of the catalogue's. */
    public static Path folder(Path folder, CatalogEntry set) throws IOException {
        if (!set.archived()) return idxFolder(folder);
        int labels = set.format() == CatalogEntry.Format.CIFAR10 ? 1 : 2;
        for (String name : set.cifar().fileNames()) Files.write(folder.resolve(name), cifar(labels, 20, 1));
        return folder;
    }

    /** A folder with a small set in the format of MNIST: 20 training and 10 test images of 4 x 3. */
    static Path idxFolder(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.write(folder.resolve("train-images-idx3-ubyte"), idx(20, 4, 3));
        Files.write(folder.resolve("train-labels-idx1-ubyte.gz"), gzip(idx(20)));
        Files.write(folder.resolve("t10k-images-idx3-ubyte.gz"), gzip(idx(10, 4, 3)));
        Files.write(folder.resolve("t10k-labels-idx1-ubyte"), idx(10));
        return folder;
    }
}
