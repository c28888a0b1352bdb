package io.basin.cuda;

import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * NVIDIA's libraries in Basin's cache: those that {@code mvn -Pcuda-libraries process-resources} put there, in a jar's folders or in
 * none, and those of a jar on the class path, such as the artifact {@code org.bytedeco:cuda} with the classifier {@code linux-x86_64-redist}.
 */
final class Redist {
    private static final Logger LOG = LoggerFactory.getLogger(Redist.class);
    private static final String FOLDER = "org/bytedeco/cuda/linux-x86_64/";
    private static final Pattern WANTED =
            Pattern.compile("lib(nvrtc|nvrtc-builtins|cublas|cublasLt|cudnn|cudnn_[a-z_]+)\\.so\\.[0-9.]+");
    private static final String CONTENTS = "contents";

    private Redist() {}

    /** Folders with libraries, that of the class path first; its jar is unpacked on the first call, some gigabytes. */
    static synchronized List<Path> folders() {
        List<Path> folders = new ArrayList<>();
        for (String first : List.of("libnvrtc.so.12", "libcublas.so.12", "libnvrtc.so.13", "libcublas.so.13")) {
            URL url = Redist.class.getClassLoader().getResource(FOLDER + first);
            if (url != null) folders.add(unpacked(url));
        }
        folders.addAll(cached());
        return folders.stream().distinct().toList();
    }

    /** The folder into which the profile unpacks them. */
    static List<Path> cached() {
        return Cache.existing("cuda").map(f -> List.of(f, f.resolve(FOLDER))).orElse(List.of());
    }

    private static Path unpacked(URL url) {
        try {
            URLConnection connection = url.openConnection();
            if (!(connection instanceof JarURLConnection inJar))
                return Objects.requireNonNull(Path.of(url.toURI()).getParent());
            inJar.setUseCaches(false);
            try (ZipFile jar = inJar.getJarFile()) {
                return unpacked(jar);
            }
        } catch (IOException | UncheckedIOException | URISyntaxException e) {
            throw new DeviceException("cannot unpack NVIDIA's libraries from " + url + ": " + Reason.of(e), e);
        }
    }

    static Path unpacked(ZipFile jar) throws IOException {
        List<ZipEntry> entries = jar.stream()
                .filter(e -> e.getName().startsWith(FOLDER)
                        && WANTED.matcher(name(e)).matches())
                .map(ZipEntry.class::cast)
                .toList();
        String name = Path.of(jar.getName()).getFileName().toString().replaceAll("\\.jar$", "");
        Path folder = Cache.executable("cuda/" + name);
        Path contents = folder.resolve(CONTENTS);
        String expected = entries.stream()
                .map(e -> name(e) + " " + e.getSize() + " " + Long.toHexString(e.getCrc()))
                .collect(Collectors.joining("\n"));
        if (Files.exists(contents) && Files.readString(contents).equals(expected) && whole(folder, entries))
            return folder;
        LOG.warn("unpacking NVIDIA's libraries, under NVIDIA's own licence, from {} into {}", jar.getName(), folder);
        for (ZipEntry entry : entries) {
            LOG.warn("unpacking {}, {} MB", name(entry), entry.getSize() / 1_000_000);
            AtomicFile.write(
                    folder.resolve(name(entry)), channel -> copy(jar, entry, Channels.newOutputStream(channel)));
        }
        AtomicFile.write(contents, expected);
        return folder;
    }

    private static String name(ZipEntry entry) {
        return entry.getName().substring(FOLDER.length());
    }

    private static boolean whole(Path folder, List<ZipEntry> entries) throws IOException {
        for (ZipEntry entry : entries) {
            Path file = folder.resolve(name(entry));
            if (!Files.exists(file) || Files.size(file) != entry.getSize()) return false;
        }
        return true;
    }

    /** Java checks no sum of an entry that is read by its name. */
    private static void copy(ZipFile jar, ZipEntry entry, OutputStream out) throws IOException {
        try (InputStream bytes = jar.getInputStream(entry);
                CheckedInputStream in = new CheckedInputStream(bytes, new CRC32())) {
            long size = in.transferTo(out);
            if (size != entry.getSize() || in.getChecksum().getValue() != entry.getCrc()) {
                throw new IOException(name(entry) + " is damaged in the jar: delete " + jar.getName()
                        + " and let your build fetch it again");
            }
        }
    }
}
