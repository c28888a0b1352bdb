package io.basin.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What a result has to say about where it was measured. */
final class Machine {
    private Machine() {}

    static String cpu() {
        return cpuInfo("model name") + " family " + cpuInfo("cpu family") + " model " + cpuInfo("model\t");
    }

    static boolean hasAvx512() {
        return cpuInfo("flags").contains("avx512f");
    }

    static String describe() {
        return cpu() + ", " + Runtime.getRuntime().availableProcessors() + " cores, JDK "
                + System.getProperty("java.runtime.version") + ", Linux " + System.getProperty("os.version");
    }

    /** Load of the last minute: a comparison on a busy machine is worth little, so it is printed with the numbers. */
    static double load() {
        return Double.parseDouble(lines("/proc/loadavg").get(0).split(" ")[0]);
    }

    static String commit() {
        try {
            Process git = new ProcessBuilder("git", "describe", "--always", "--dirty").start();
            String said = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return said.isBlank() ? "unknown" : said.strip();
        } catch (IOException e) {
            return "unknown";
        }
    }

    private static String cpuInfo(String key) {
        return lines("/proc/cpuinfo").stream()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown");
    }

    private static List<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
