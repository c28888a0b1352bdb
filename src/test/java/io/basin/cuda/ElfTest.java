package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A shared library's file is judged by its headers before the linker touches what is not there. */
class ElfTest {
    @TempDir
    Path folder;

    private byte[] sound;

    /** The JVM's own library: there on every machine, with segments, sections and a symbol table. */
    @BeforeEach
    void read() throws IOException {
        Path lib = Path.of(System.getProperty("java.home"), "lib", "libzip.so");
        assertNull(Elf.fault(lib), lib.toString());
        sound = Files.readAllBytes(lib);
    }

    private Elf.Fault fault(byte... bytes) throws IOException {
        return Elf.fault(Files.write(folder.resolve("lib.so"), bytes));
    }

    private void refused(String why, boolean skipped, Elf.Fault fault) {
        assertNotNull(fault, why);
        assertTrue(fault.text().contains(why), fault.text());
        assertEquals(skipped, fault.skipped(), why);
    }

    @Test
    void theLibrariesOfThisMachineAreSound() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.home"), "lib"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".so")).toList()) {
                Elf.Fault fault = Elf.fault(file);
                assertNull(fault, () -> file + " " + fault.text());
            }
        }
    }

    @Test
    void whereverALibraryIsCutItIsRefused() throws IOException {
        for (int length = 1; length < sound.length; length += 1 + length / 7) {
            Elf.Fault fault = fault(Arrays.copyOf(sound, length));
            assertNotNull(fault, "cut at " + length);
            if (length >= 4) refused("is cut short: it ", false, fault);
        }
        refused(
                "is cut short: it has " + (sound.length - 1) + " bytes",
                false,
                fault(Arrays.copyOf(sound, sound.length - 1)));
    }

    @Test
    void whatIsNoLibraryIsCalledByItsName() throws IOException {
        refused("is empty", false, fault());
        refused(
                "is not a library",
                false,
                fault("not a library, but long enough for a header".repeat(3).getBytes()));
        refused("is a script for the linker", false, fault("/* GNU ld script */ GROUP ( libc.so.6 )".getBytes()));
        refused("is a folder", false, Elf.fault(folder));
        Path nothing = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nothing"));
        refused("is a link to nothing", true, Elf.fault(nothing));
    }

    @Test
    void anotherProcessorsLibraryIsPassedOver() throws IOException {
        byte[] arm = sound.clone();
        arm[18] = (byte) 183;
        refused("another processor", true, fault(arm));
        byte[] narrow = sound.clone();
        narrow[4] = 1;
        refused("another processor", true, fault(narrow));
    }

    /** Offsets and sizes of 2^63 and more, tables past the end: headers are numbers from outside. */
    @Test
    void headersWithImpossibleNumbersAreRefused() throws IOException {
        for (int at : new int[] {32, 40}) {
            for (int last : new int[] {0x7f, 0x80, 0xff}) {
                byte[] odd = sound.clone();
                odd[at + 7] = (byte) last;
                assertNotNull(fault(odd), "byte " + at + " " + last);
            }
        }
    }
}
