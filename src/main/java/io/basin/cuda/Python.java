package io.basin.cuda;

import io.basin.Nullable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Folders of NVIDIA's libraries that pip installed: {@code site-packages/nvidia}, a folder {@code lib} in each. */
final class Python {
    /** The time limit for python3, which may wait for something. */
    private static final int SECONDS = 10;

    private static @Nullable List<Path> folders;

    private Python() {}

    /** Those of the environment that {@code $VIRTUAL_ENV} names, then those of the {@code python3} on the path, which is asked once. */
    static synchronized List<Path> folders() {
        if (folders != null) return folders;
        List<Path> sites = new ArrayList<>();
        String environment = System.getenv("VIRTUAL_ENV");
        if (environment != null) {
            SearchPath.path(environment)
                    .flatMap(e -> SearchPath.matching(e.resolve("lib"), "python3*").stream())
                    .map(p -> p.resolve("site-packages"))
                    .forEach(sites::add);
        }
        sites.addAll(asked());
        folders = sites.stream()
                .distinct()
                .flatMap(s -> SearchPath.matching(s.resolve("nvidia"), "*").stream())
                .map(p -> p.resolve("lib"))
                .toList();
        return folders;
    }

    /** The folders from which python3 imports. */
    private static List<Path> asked() {
        try {
            Process process = new ProcessBuilder("python3", "-c", "import sys; print('\\n'.join(sys.path))")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return List.of();
            }
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return said.lines()
                    .filter(l -> l.startsWith("/"))
                    .flatMap(SearchPath::path)
                    .toList();
        } catch (IOException e) {
            return List.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return List.of();
        }
    }
}
