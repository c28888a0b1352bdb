package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native code is unpacked where it can be loaded from, and where there is no such place the answer is a sentence. */
class CacheTest {
    private static final String MOUNTS = """
            overlay / overlay rw,relatime 0 0
            tmpfs /tmp tmpfs rw,nosuid,noexec 0 0
            /dev/sda1 /home ext4 rw,noexec,nodev 0 0
            /dev/sda2 /home/ann\\040b ext4 rw 0 0
            tmpfs /run tmpfs rw,noexec 0 0
            tmpfs /run tmpfs rw 0 0
            """;

    @TempDir
    Path folder;

    @Test
    void theInnermostAndLastMountDecidesWhetherProgramsMayRun() {
        assertTrue(Cache.noexec(Path.of("/tmp/x"), MOUNTS));
        assertTrue(Cache.noexec(Path.of("/home/bob/.cache"), MOUNTS));
        assertFalse(Cache.noexec(Path.of("/home/ann b/.cache"), MOUNTS));
        assertFalse(Cache.noexec(Path.of("/tmpfs"), MOUNTS));
        assertFalse(Cache.noexec(Path.of("/run/user"), MOUNTS));
        assertFalse(Cache.noexec(Path.of("/var"), ""));
    }

    /** What a process that opens the cpu device twice says, started in a folder of its own. */
    private String open(String cache, String... options) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", Jvm.classPath(), Open.class.getName()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.directory(folder.toFile()).environment().remove(Cache.VARIABLE);
        if (cache != null) builder.environment().put(Cache.VARIABLE, cache);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertFalse(said.contains("\tat "), said);
        return said;
    }

    /** Opens the device and says how that went. */
    static final class Open {
        public static void main(String[] args) {
            for (int i = 0; i < 2; i++) {
                try (Device device = Devices.open("cpu", 1)) {
                    System.out.println("opened " + device.describe());
                } catch (DeviceException e) {
                    System.out.println("refused " + e.getMessage());
                }
            }
        }
    }

    /** Java's home of a user whom the system does not know is "?", a folder of that name in the working one. */
    @Test
    void aUserWithoutAHomeGetsNoFolderOfThatName() throws Exception {
        Path temporary = Files.createDirectory(folder.resolve("tmp"));
        String said = open(null, "-Duser.home=?", "-Djava.io.tmpdir=" + temporary);
        assertTrue(said.contains("opened CPU"), said);
        try (var files = Files.list(folder)) {
            assertEquals(List.of(temporary), files.toList());
        }
    }

    /** A file where a folder should be stops root as well, whom no mode stops. */
    @Test
    void whereNoFolderServesEachIsNamedWithWhatToDo() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        String said = open(file + "/cache", "-Djava.io.tmpdir=" + file);
        String refusal = "refused no folder for loaders: " + file + "/cache/loaders cannot be written (";
        assertEquals(2, said.lines().filter(l -> l.startsWith(refusal)).count(), said);
        assertFalse(said.contains(file + "/basin-"), "what the user named is not replaced: " + said);
        assertTrue(said.contains("; set BASIN_CACHE to a folder"), said);
    }

    /** The user's own setting for JNA stays, and where it does not work both attempts say what happened. */
    @Test
    void codeThatDoesNotLoadIsASentenceWithARemedyEveryTime() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        String said = open(null, "-Djna.tmpdir=" + file);
        String refusal = "refused the cpu device cannot be opened: its native code cannot be loaded (";
        assertEquals(2, said.lines().filter(l -> l.startsWith(refusal)).count(), said);
        assertFalse(said.contains("Could not initialize"), said);
        assertTrue(said.contains("): set BASIN_CACHE to a folder"), said);
    }
}
