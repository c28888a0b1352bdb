package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A program that links Basin says what it says itself: none of the libraries below talks of its own accord. */
class LinkedTest {
    /** As a user's program, with a logger or without one. */
    static final class Program {
        public static void main(String[] args) {
            try (var device = io.basin.device.Devices.open("cpu", 1)) {
                System.out.println("opened " + (device.liveBytes() == 0));
            }
        }
    }

    private static String run(boolean logger) throws Exception {
        String path = Jvm.classPath();
        String chosen = Arrays.stream(path.split(File.pathSeparator))
                .filter(p -> logger || !p.contains("slf4j-simple"))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=debug",
                        "-cp",
                        chosen,
                        Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said;
    }

    /** The most talkative level, which is what logback has where nobody configures it. */
    @Test
    void withALoggerAtItsFinestLevelNothingIsLogged() throws Exception {
        assertEquals("opened true", run(true).strip());
    }

    /** slf4j's own words about the missing logger are its. */
    @Test
    void withoutALoggerOnlySlf4jSaysSo() throws Exception {
        assertEquals(
                "opened true",
                run(false).lines().filter(l -> !l.startsWith("SLF4J")).collect(Collectors.joining("\n")));
    }
}
