package io.basin.cuda;

import io.basin.device.DeviceException;
import io.basin.io.UserFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The search path for NVIDIA's libraries, in this order: the folders that {@code $BASIN_CUDA} names, where the dynamic linker looks
 * ({@code LD_LIBRARY_PATH}, its cache, the system's folders), {@code /usr/local/cuda*}, Python's packages, Basin's cache.
 */
final class SearchPath {
    static final String VARIABLE = "BASIN_CUDA";
    private static final List<String> SYSTEM =
            List.of("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib");
    /** Folders of variants for newer processors, which glibc looks into first. */
    private static final List<String> VARIANTS =
            List.of("glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2", "");

    private SearchPath() {}

    /** Files of those names, the best one first; a place is looked at when those before it gave nothing that serves. */
    static Stream<Path> files(List<String> sonames) {
        return there(Stream.of(
                () -> in(given(), sonames),
                () -> sonames.stream().flatMap(SearchPath::linked),
                () -> in(toolkits(), sonames),
                () -> in(Python.folders(), sonames),
                () -> in(Redist.folders(), sonames)));
    }

    /** The same of the driver's library, which no package has: a machine without a card need not start Python to know it. */
    static Stream<Path> ofDriver(List<String> sonames) {
        return there(
                Stream.of(() -> in(given(), sonames), () -> sonames.stream().flatMap(SearchPath::linked)));
    }

    private static Stream<Path> there(Stream<Supplier<Stream<Path>>> places) {
        return places.flatMap(Supplier::get)
                .filter(f -> Files.exists(f, LinkOption.NOFOLLOW_LINKS))
                .map(Path::toAbsolutePath);
    }

    private static Stream<Path> in(List<Path> folders, List<String> names) {
        return folders.stream().flatMap(f -> names.stream().map(f::resolve));
    }

    /** The files that the linker would try for that name. */
    private static Stream<Path> linked(String soname) {
        List<Path> files = new ArrayList<>();
        for (Path folder : named())
            for (String v : VARIANTS) files.add(folder.resolve(v).resolve(soname));
        files.addAll(cached(Pattern.compile("(/[^\\x00]*/" + Pattern.quote(soname) + ")\\x00")));
        for (String folder : SYSTEM) files.add(Path.of(folder, soname));
        return files.stream();
    }

    /** Every folder in which a linker or an installer would put an NVIDIA library. */
    static Set<Path> folders() {
        Set<Path> folders = new LinkedHashSet<>(given());
        folders.addAll(named());
        folders.addAll(cached(Pattern.compile("(/[\\x21-\\x7e]+)/lib(?:cuda|cudnn|cublas|nvrtc)\\.so")));
        folders.add(Path.of("/usr/lib/x86_64-linux-gnu"));
        folders.add(Path.of("/usr/lib64"));
        folders.addAll(toolkits());
        folders.addAll(Python.folders());
        folders.addAll(Redist.cached());
        return folders;
    }

    /** Those of {@code $BASIN_CUDA}: of libraries, or of a toolkit with its libraries in {@code lib64} or {@code lib}. */
    private static List<Path> given() {
        String path = System.getenv(VARIABLE);
        if (path == null) return List.of();
        return Stream.of(path.split(":"))
                .map(SearchPath::given)
                .flatMap(p -> Stream.of(p, p.resolve("lib64"), p.resolve("lib")))
                .toList();
    }

    private static Path given(String name) {
        try {
            Path folder = UserFolder.of("$" + VARIABLE, name);
            boolean there = Files.isDirectory(folder);
            if (there && Files.isReadable(folder) && Files.isExecutable(folder)) return folder;
            if (there)
                throw new DeviceException("$" + VARIABLE + " names " + name
                        + ", which this user may not read: allow it (chmod a+rx), name another folder, or unset it");
        } catch (IllegalArgumentException e) {
            throw new DeviceException(String.valueOf(e.getMessage()), e);
        }
        throw new DeviceException("$" + VARIABLE + " names " + name
                + ", where no folder is: name folders with NVIDIA's libraries, separated by ':', or unset it");
    }

    /** {@code /usr/local/cuda}, which an administrator links to the one to use, before others. */
    private static List<Path> toolkits() {
        return matching(Path.of("/usr/local"), "cuda*").stream()
                .map(p -> p.resolve("lib64"))
                .toList();
    }

    /** A folder's entries whose names match, sorted; none where it cannot be listed. */
    static List<Path> matching(Path folder, String glob) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, glob)) {
            entries.forEach(found::add);
        } catch (IOException | DirectoryIteratorException e) {
            return List.of();
        }
        Collections.sort(found);
        return found;
    }

    /** Those of {@code LD_LIBRARY_PATH}; an empty entry means the working folder. */
    private static List<Path> named() {
        String path = System.getenv("LD_LIBRARY_PATH");
        if (path == null || path.isEmpty()) return List.of();
        return Stream.of(path.split("[:;]", -1)).flatMap(SearchPath::path).toList();
    }

    /** Matches of the first group in the linker's cache, a file of strings each of which ends with a zero. */
    private static List<Path> cached(Pattern pattern) {
        List<Path> found = new ArrayList<>();
        try {
            String text = Files.readString(Path.of("/etc/ld.so.cache"), StandardCharsets.ISO_8859_1);
            Matcher m = pattern.matcher(text);
            while (m.find()) path(m.group(1)).forEach(found::add);
        } catch (IOException e) {
            return found;
        }
        return found;
    }

    /** None where this process's locale cannot name it. */
    static Stream<Path> path(String name) {
        try {
            return Stream.of(Path.of(name));
        } catch (InvalidPathException e) {
            return Stream.empty();
        }
    }
}
