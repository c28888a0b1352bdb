package io.basin.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** SHA-256 sums as lower-case hexadecimal digits. */
public final class Sha256 {
    private Sha256() {}

    /** Sum of everything in the stream. */
    public static String of(InputStream in) throws IOException {
        MessageDigest digest = digest();
        byte[] buffer = new byte[1 << 16];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) digest.update(buffer, 0, n);
        return hex(digest);
    }

    public static String of(byte[] bytes) {
        return HexFormat.of().formatHex(digest().digest(bytes));
    }

    /** Sum of the text as UTF-8. */
    public static String of(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Sum of several tables, each with its length before it: no two lists of tables have the same. */
    public static String of(List<double[]> tables) {
        ByteBuffer bytes = ByteBuffer.allocate(
                8 * (tables.size() + tables.stream().mapToInt(t -> t.length).sum()));
        for (double[] table : tables) {
            bytes.putDouble(table.length);
            for (double v : table) bytes.putDouble(v);
        }
        return of(bytes.array());
    }

    /** Sum of the file as it is. */
    public static String ofFile(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return of(in);
        }
    }

    /** The same of a run's file, whose reader has no other remedy than to say that it cannot be read. */
    public static String of(Path file) {
        return Disk.reading(file, () -> ofFile(file));
    }

    /** For what comes in pieces; {@link #hex} ends it. */
    public static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** The digest's sum; resets it. */
    public static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
