package io.basin.io;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The SHA-256 of what a safetensors file says, kept in its {@code __metadata__} under {@link #KEY}.
 *
 * <p>It covers every other entry of the metadata and every tensor's name, type, shape and bytes, each in the order of names, and
 * not where they lie in the file: a program that lays the same content out anew and keeps the metadata keeps a true sum.
 */
final class TensorDigest {
    static final String KEY = "sha256";

    private final MessageDigest digest = Sha256.digest();

    TensorDigest(Map<String, String> metadata) {
        new TreeMap<>(metadata).forEach((key, value) -> {
            if (key.equals(KEY)) return;
            text("metadata");
            text(key);
            text(value);
        });
    }

    /** A tensor's head; its bytes follow. Call it in the order of names. */
    void tensor(String name, Dtype dtype, List<Long> shape) {
        text("tensor");
        text(name);
        text(dtype.name());
        text(shape.toString());
    }

    /** The next of the tensor's bytes, those between position and limit. */
    void bytes(ByteBuffer data) {
        digest.update(data);
    }

    String hex() {
        return Sha256.hex(digest);
    }

    /** With its length first, so that no two lists of texts read alike. */
    private void text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(4).putInt(0, bytes.length));
        digest.update(bytes);
    }
}
