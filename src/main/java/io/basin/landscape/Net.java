package io.basin.landscape;

import io.basin.Api;
import io.basin.io.Disk;
import io.basin.io.Safetensors;
import io.basin.text.Printable;
import io.basin.text.Require;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;

/**
 * A weights file that takes part in a landscape.
 *
 * @param label for people, unique among the nets of a picture: {@code swa, seed 1}
 */
@Api
public record Net(String label, Path file) {
    public Net {
        Require.given("label", label);
        Require.given("file", file);
    }

    /** The nets that a comparison in {@code folder} trained with {@code method}, one a seed. */
    public static List<Net> trained(Path folder, String method, long... seeds) {
        Require.given("folder", folder);
        Require.given("method", method);
        return LongStream.of(Require.given("seeds", seeds))
                .mapToObj(s -> new Net(
                        method + ", seed " + s,
                        folder.resolve("seed-" + s).resolve(method).resolve(method + ".safetensors")))
                .toList();
    }

    /** The value that the file's header has for {@code key}, fit to be shown; empty if none. */
    public String header(String key) {
        try (Safetensors in = Safetensors.open(file)) {
            return Printable.of(in.metadata().getOrDefault(key, ""), 40);
        }
    }

    /** The method that made it; its label where the file names none. */
    public String method() {
        String method = header("method");
        return method.isEmpty() ? label : method;
    }

    /** CRC-32C of the file: landscapes on disk name their nets by it, and a resumed one compares it. */
    public String fingerprint() {
        return Disk.reading(file, () -> {
            try (CheckedInputStream in = new CheckedInputStream(Files.newInputStream(file), new CRC32C())) {
                in.transferTo(OutputStream.nullOutputStream());
                return Long.toHexString(in.getChecksum().getValue());
            }
        });
    }
}
