package io.basin.cuda;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where the dynamic linker looks for a library, in its order: {@code LD_LIBRARY_PATH}, its cache, the system's folders. */
final class SearchPath {
    private static final List<String> SYSTEM =
            List.of("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib");
    /** Folders of variants for newer processors, which glibc looks into first. */
    private static final List<String> VARIANTS =
            List.of("glibc-hwcaps/x86-64-v4", "glibc-hwcaps/x86-64-v3", "glibc-hwcaps/x86-64-v2", "");

    private SearchPath() {}

    /** Files of that name which the linker would try, the first one first. */
    static List<Path> files(String soname) {
        Set<Path> files = new LinkedHashSet<>();
        for (Path folder : named())
            for (String v : VARIANTS) files.add(folder.resolve(v).resolve(soname));
        files.addAll(cached(Pattern.compile("(/[^\\x00]*/" + Pattern.quote(soname) + ")\\x00")));
        for (String folder : SYSTEM) files.add(Path.of(folder, soname));
        return files.stream()
                .filter(f -> Files.exists(f, LinkOption.NOFOLLOW_LINKS))
                .toList();
    }

    /** Every folder in which a linker or an installer would put a library of NVIDIA's. */
    static Set<Path> folders() {
        Set<Path> folders = new LinkedHashSet<>(named());
        folders.addAll(cached(Pattern.compile("(/[\\x21-\\x7e]+)/lib(?:cuda|cudnn|cublas|nvrtc)\\.so")));
        for (String p : new String[] {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/cuda/lib64"}) {
            folders.add(Path.of(p));
        }
        try (Stream<Path> local = Files.list(Path.of("/usr/local"))) {
            local.filter(p -> p.getFileName().toString().startsWith("cuda"))
                    .map(p -> p.resolve("lib64"))
                    .forEach(folders::add);
        } catch (IOException e) {
            return folders;
        }
        return folders;
    }

    /** Those of {@code LD_LIBRARY_PATH}; an empty entry means the working folder. */
    private static List<Path> named() {
        String path = System.getenv("LD_LIBRARY_PATH");
        if (path == null || path.isEmpty()) return List.of();
        return Stream.of(path.split("[:;]", -1)).flatMap(SearchPath::path).toList();
    }

    /** What the first group finds in the linker's cache, a file of strings each of which ends with a zero. */
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
    private static Stream<Path> path(String name) {
        try {
            return Stream.of(Path.of(name));
        } catch (InvalidPathException e) {
            return Stream.empty();
        }
    }
}
