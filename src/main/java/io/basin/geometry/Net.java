package io.basin.geometry;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * A weights file that takes part in a landscape.
 *
 * @param label for people, unique among the nets of a picture: {@code swa, seed 1}
 */
public record Net(String label, Path file) {
    /** The file's checksum: tells a resumed landscape that its nets are still the same. */
    public String fingerprint() {
        CRC32C sum = new CRC32C();
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 16);
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            while (in.read(buffer.clear()) >= 0) sum.update(buffer.flip());
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
        }
        return Long.toHexString(sum.getValue());
    }
}
