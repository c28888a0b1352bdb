package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.basin.Jvm;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever presses Ctrl-C while a bar goes by reads how the run goes on: a bar must leave the signal to Java. */
@Timeout(120)
class InterruptedTerminalTest {
    private static final Path SCRIPT = Path.of("/usr/bin/script");
    private static final int CTRL_C = 3;

    @TempDir
    Path folder;

    @Test
    void ctrlCBesideABarSaysHowToGoOn() throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(SCRIPT), "NOT COVERED: Ctrl-C on a terminal: no script(1) here to make one");
        Path data = Shell.grey(folder.resolve("data"), 200, 50);
        // A shell that starts tests in the background has them ignore the signal, and Java keeps to that.
        String run =
                "env --default-signal=INT java -Xmx512m -XX:TieredStopAtLevel=1 io.basin.cli.Main train mnist --data-dir "
                        + data
                        + " --model mlp --method sgd --validation 20 --epochs 100000 --batch-size 10 --device cpu --threads 1 --out "
                        + folder.resolve("run");
        ProcessBuilder builder = new ProcessBuilder(SCRIPT.toString(), "-qec", run, "/dev/null");
        builder.environment().put("CLASSPATH", Jvm.classPath());
        builder.environment().put("TERM", "xterm");
        Process process = builder.redirectErrorStream(true).start();
        CompletableFuture.delayedExecutor(60, TimeUnit.SECONDS).execute(() -> end(process));
        try (InputStream out = process.getInputStream();
                OutputStream keys = process.getOutputStream()) {
            StringBuilder said = new StringBuilder();
            readUntil(out, said, "sgd, seed 1");
            keys.write(CTRL_C);
            keys.flush();
            readUntil(out, said, "interrupted; to go on: basin train --resume " + folder.resolve("run"));
        } finally {
            end(process);
            assertTrue(process.waitFor(20, TimeUnit.SECONDS));
        }
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroy();
    }

    private static void readUntil(InputStream out, StringBuilder said, String part) throws IOException {
        byte[] buffer = new byte[4096];
        while (said.indexOf(part) < 0) {
            int count = out.read(buffer);
            assertTrue(count >= 0, said.toString());
            said.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
        }
    }
}
