package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** TF32 rounds operands to 10 bits of mantissa where it is asked for, and nowhere else. */
class Tf32Test {
    /** In a process of its own, where the software GPU is told to be of a generation that has TF32. */
    @Test
    void productsRoundTheirOperandsOnlyWhereTheyAreAskedTo() throws IOException, InterruptedException {
        if (!Cuda.software()) return;
        ProcessBuilder builder = new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx256m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                Tf32Run.class.getName());
        builder.environment().put("BASIN_SOFTGPU_CC", "80");
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(said.strip().endsWith("all as expected"), said);
    }
}
