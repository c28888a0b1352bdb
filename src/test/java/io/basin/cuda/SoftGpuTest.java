package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The software GPU's own tests, which are C++: kernels opcode by opcode, libraries, and bugs that it must catch. */
class SoftGpuTest {
    private static final List<String> TOOLS = List.of("g++", "make", "nvcc");
    private static final int MINUTES = 15;

    @Test
    void theSoftwareGpuPassesItsOwnTests() throws IOException, InterruptedException {
        List<String> missing = TOOLS.stream().filter(tool -> !onPath(tool)).toList();
        if (!missing.isEmpty()) {
            System.out.println("NOT COVERED: the software GPU's own tests, for want of " + String.join(", ", missing));
            return;
        }
        Path out = Path.of("target", "softgpu").toAbsolutePath();
        Path log = Files.createTempFile("softgpu-test", ".log");
        Process make = new ProcessBuilder("make", "-s", "-j2", "-C", "src/test/softgpu", "OUT=" + out, "test")
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = make.waitFor(MINUTES, TimeUnit.MINUTES);
        if (!ended) make.destroyForcibly();
        String said = Files.readString(log);
        Files.delete(log);
        assertTrue(ended, "not done after " + MINUTES + " minutes:\n" + said);
        assertEquals(0, make.exitValue(), said);
        assertTrue(said.contains(" passed, 0 failed"), said);
    }

    private static boolean onPath(String tool) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, tool)));
    }
}
