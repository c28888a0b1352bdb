package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever takes results may refuse them: the exit code tells, in one line at most. */
@Timeout(180)
class UnwritableOutputTest {
    private static final String PLAN = "schedule mnist --methods swa --epochs 1";

    @TempDir
    Path folder;

    /** The command in a shell, which redirects its output. */
    private Shell sh(Map<String, String> environment, String command, String redirection) throws Exception {
        String java = ProcessHandle.current().info().command().orElse("java");
        String cp = Jvm.classPath();
        ProcessBuilder builder = new ProcessBuilder(
                "bash",
                "-c",
                "\"$JAVA\" -XX:TieredStopAtLevel=1 -cp \"$CP\" " + Main.class.getName() + " " + command + redirection);
        File err = folder.resolve("err.txt").toFile();
        builder.directory(folder.toFile()).redirectError(err).environment().putAll(environment);
        builder.environment().put("JAVA", java);
        builder.environment().put("CP", cp);
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes());
        return new Shell(process.waitFor(), out, Files.readString(err.toPath()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "--version", "train --help", "data list", PLAN, PLAN + " --csv /dev/stdout"})
    void aFullDiskBehindStdoutEndsWithOneLineAndOne(String command) throws Exception {
        Shell full = sh(Map.of(), command, " > /dev/full");
        assertEquals(Main.FAILED, full.code());
        assertTrue(full.err().contains("No space left on device"), full.err());
        assertEquals(1, full.err().lines().count(), full.err());
    }

    @Test
    void aReaderThatHasReadEnoughEndsTheCommandWithoutAWord() throws Exception {
        Shell closed = sh(Map.of(), PLAN, " | true; exit ${PIPESTATUS[0]}");
        assertEquals(Main.PIPE_CLOSED, closed.code());
        assertEquals("", closed.err());
    }

    @Test
    void tablesCanBeWrittenToDevices() throws Exception {
        Shell table = sh(Map.of(), PLAN + " --csv /dev/stdout --svg /dev/null", "");
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().contains("method,step,epoch,lr,alpha,collected\nswa,0,"), table.out());
        assertFalse(Files.isRegularFile(Path.of("/dev/null")));
    }

    /** An empty file stands for the library that small containers lack. */
    @Test
    void withoutFontsEverythingButThePictureIsThere() throws Exception {
        Files.createFile(folder.resolve("libfreetype.so.6"));
        Map<String, String> none = Map.of("LD_LIBRARY_PATH", folder.toString(), "FONTCONFIG_FILE", "/dev/null");
        Shell plan = sh(none, PLAN + " --csv plan.csv --svg plan.svg", "");
        assertEquals(0, plan.code(), plan.err());
        assertTrue(plan.out().contains("swa, learning rate"), plan.out());
        assertTrue(Files.size(folder.resolve("plan.csv")) > 0);
        assertFalse(Files.exists(folder.resolve("plan.svg")));
        assertTrue(plan.err().contains("picture 'Learning rate' was not drawn"), plan.err());
        assertTrue(plan.err().contains("fontconfig"), plan.err());
    }

    @Test
    void aFolderWithoutFsyncTakesFiles() throws IOException, InterruptedException {
        Path library = Shim.build(folder);
        Child child = Child.start(
                folder,
                Map.of("LD_PRELOAD", library.toString(), "SHIM_NO_FOLDER_SYNC", "1"),
                java.util.List.of("schedule", "mnist", "--csv", "plan.csv"));
        assertEquals(0, child.code(), child.complained());
        assertTrue(Files.size(folder.resolve("plan.csv")) > 0);
    }

    @Test
    void theHelpNamesTheExitCodes() {
        String help = Shell.run("--help").out().replaceAll("\\s+", " ");
        assertTrue(help.contains(Main.HELP), help);
    }
}
