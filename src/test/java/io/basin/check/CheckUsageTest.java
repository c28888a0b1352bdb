package io.basin.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the hardware check is called: what is wrong is one sentence that names the flag, and no folder has to be writable. */
class CheckUsageTest {
    @TempDir
    Path folder;

    private static void wrong(String flag, String what, String... args) {
        String said = assertThrows(IllegalArgumentException.class, () -> {
                    Options options = Options.of(args);
                    options.parts();
                    options.open();
                })
                .getMessage();
        assertTrue(said.contains(flag) && said.contains(what), said);
        assertEquals(1, said.lines().count(), said);
        assertFalse(said.contains("Exception"), said);
    }

    @Test
    void wrongUsageNamesTheFlag() throws Exception {
        for (String flag : List.of("--out", "--minutes", "--parts", "--home", "--work")) {
            wrong(flag, "must be followed by", flag);
            wrong(flag, "must be followed by", flag, "--rehearsal");
            wrong(flag, "must be followed by", flag, "");
        }
        for (String value : List.of("abc", "NaN", "0", "-3", "1e9", "Infinity"))
            wrong("--minutes", value, "--minutes", value);
        wrong("--parts", "'doctr'", "--parts", "doctr");
        wrong("--parts", "'doctr', ''", "--parts", "doctor,doctr,");
        wrong("--part", "usage", "--part", "doctor");
        Path file = Files.writeString(folder.resolve("file"), "");
        wrong("--out", "it is a file", "--out", file.toString());
        wrong("--out", "below", "--out", file.resolve("below").toString());
        List<Part> parts = Options.of("--parts", "speed,doctor").parts();
        assertEquals(List.of("doctor", "speed"), parts.stream().map(Part::name).toList());
        Path real = Files.createDirectory(folder.resolve("real"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        Options.of("--out", link.toString()).open();
        try (var files = Files.list(real)) {
            assertEquals(0, files.count());
        }
    }

    private static String said(ProcessBuilder builder, int code) throws Exception {
        Process process = builder.redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(code, process.waitFor(), said);
        return said;
    }

    @Test
    void wrongUsageEndsWithTwo() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                Jvm.classPath(),
                HardwareCheck.class.getName(),
                "--out",
                folder.resolve("out").toString()));
        command.addAll(List.of("--parts", "doctr,nothing"));
        String said = said(new ProcessBuilder(command), 2);
        assertEquals(1, said.lines().count(), said);
        assertTrue(said.startsWith("check.sh: --parts names 'doctr', 'nothing'"), said);
        assertFalse(Files.exists(folder.resolve("out")));
    }

    /** Java stands aside for a script that prints what it is given. */
    private String script(String name, boolean writable) throws Exception {
        Path here = Files.createDirectories(folder.resolve(name).resolve("jre/bin"));
        Path java = Files.writeString(here.resolve("java"), "#!/bin/sh\necho \"cache $BASIN_CACHE\"\necho \"$@\"\n");
        assertTrue(java.toFile().setExecutable(true));
        here = folder.resolve(name);
        // Where its cache should be is a file: what root, who may write everywhere, cannot write either.
        if (!writable) Files.writeString(here.resolve("cache"), "");
        Path script = Files.copy(Path.of("bench/check/check.sh"), here.resolve("check.sh"));
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", script.toString());
        builder.environment().remove("BASIN_CACHE");
        builder.environment().put("HOME", folder.toString());
        builder.environment()
                .put("TMPDIR", Files.createDirectories(folder.resolve("tmp")).toString());
        return said(builder, 0);
    }

    @Test
    void whatCannotLieInTheArchivesFolderGoesToATemporaryOne() throws Exception {
        String own = script("own", true);
        Path here = folder.resolve("own").toRealPath();
        assertTrue(own.contains("cache " + here.resolve("cache")) && own.contains("--work " + here + " "), own);
        String other = script("other", false);
        Path tmp = folder.resolve("tmp/basin-check-");
        assertTrue(other.contains("cache " + tmp) && other.contains("--work " + tmp), other);
        assertTrue(other.contains("takes no files"), other);
    }
}
