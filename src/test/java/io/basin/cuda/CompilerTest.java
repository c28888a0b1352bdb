package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Cache;
import io.basin.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The kernels' cache: kept, checked, and made again where it is damaged. */
class CompilerTest {
    private static final String NAME = "compiler-test.cu";
    private static final Path FOLDER = Cache.folder("kernels");

    private static String source(int number) {
        return "extern \"C\" __global__ void number(int* out) { *out = " + number + "; }\n";
    }

    private static List<Path> kept() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(f -> f.getFileName().toString().startsWith("compiler-test-"))
                    .toList();
        }
    }

    private static void forget() throws IOException {
        for (Path file : kept()) Files.delete(file);
    }

    @Test
    void codeIsKeptBySourceAndTakenFromTheCacheTheNextTime() throws IOException {
        if (!Cuda.works()) return;
        forget();
        Compiler compiler = new Compiler(75);
        byte[] one = compiler.code(NAME, source(1));
        assertEquals(1, kept().size());
        long written = Files.getLastModifiedTime(kept().get(0)).toMillis();
        assertArrayEquals(one, compiler.code(NAME, source(1)));
        assertEquals(written, Files.getLastModifiedTime(kept().get(0)).toMillis());
        compiler.code(NAME, source(2));
        assertEquals(2, kept().size());
        forget();
    }

    @Test
    void anotherArchitectureIsAnotherFile() throws IOException {
        if (!Cuda.works()) return;
        forget();
        new Compiler(75).code(NAME, source(1));
        new Compiler(80).code(NAME, source(1));
        assertEquals(2, kept().size());
        forget();
    }

    @Test
    void aDamagedFileIsMadeAgain() throws IOException {
        if (!Cuda.works()) return;
        forget();
        Compiler compiler = new Compiler(75);
        byte[] sound = compiler.code(NAME, source(1));
        Path file = kept().get(0);
        byte[] whole = Files.readAllBytes(file);
        byte[] flipped = whole.clone();
        flipped[whole.length - 1] ^= 1;
        for (byte[] damaged :
                new byte[][] {flipped, java.util.Arrays.copyOf(whole, whole.length / 2), new byte[5], {}}) {
            Files.write(file, damaged);
            assertArrayEquals(sound, compiler.code(NAME, source(1)));
            assertArrayEquals(whole, Files.readAllBytes(file));
        }
        forget();
    }

    /** A device newer than the compiler gets PTX for the newest architecture that the compiler knows. */
    @Test
    void aDeviceNewerThanTheCompilerGetsPtx() throws IOException {
        if (!Cuda.works()) return;
        forget();
        byte[] code = new Compiler(999).code(NAME, source(1));
        assertTrue(new String(code, java.nio.charset.StandardCharsets.US_ASCII).contains(".target sm_"));
        assertEquals(0, code[code.length - 1]);
        assertTrue(kept().get(0).toString().endsWith(".ptx"));
        forget();
    }

    @Test
    void whatDoesNotCompileIsRefusedInTheCompilersWords() {
        if (!Cuda.works()) return;
        String message = assertThrows(
                        DeviceException.class,
                        () -> new Compiler(75).code(NAME, "extern \"C\" __global__ void f() { oops; }"))
                .getMessage();
        assertTrue(message.startsWith("nvrtcCompileProgram failed on " + NAME), message);
        assertTrue(message.contains("oops"), message);
        assertNotEquals(-1, message.indexOf("NVRTC_ERROR_COMPILATION"), message);
    }
}
