package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Every kernel compiles for every architecture without spilling; the update takes few registers. */
class KernelBuildTest {
    private static final int STEP_REGISTERS = 40;

    @Test
    void noKernelSpillsAndStepUsesFewRegistersOnAnyArchitecture() throws Exception {
        Optional<Path> nvcc = Ptxas.compiler();
        if (nvcc.isEmpty()) {
            System.out.println("NOT COVERED: registers and spills of the kernels: no nvcc on PATH");
            return;
        }
        Set<String> expected = new TreeSet<>();
        for (Path source : Ptxas.sources()) {
            for (String kernel : Ptxas.kernels(source)) {
                for (int a : Ptxas.ARCHITECTURES) expected.add(kernel + " " + a);
            }
        }
        Set<String> compiled = new TreeSet<>();
        List<String> wrong = new ArrayList<>();
        for (Ptxas.Usage u : Ptxas.compile(nvcc.get())) {
            compiled.add(u.kernel() + " " + u.architecture());
            boolean large = u.kernel().equals("step") && u.registers() > STEP_REGISTERS;
            if (u.spills() > 0 || u.stack() > 0 || large) wrong.add(u.toString());
        }
        assertEquals(expected, compiled);
        assertEquals(List.of(), wrong);
    }

    @Test
    void theAssemblersReportIsReadWithItsSpills() {
        String log =
                "ptxas info    : Compiling entry function 'f' for 'sm_90'\nptxas info    : Function properties for f\n"
                        + "    8 bytes stack frame, 12 bytes spill stores, 16 bytes spill loads\n"
                        + "ptxas info    : Used 255 registers, used 1 barriers\n";
        assertEquals(List.of(new Ptxas.Usage("f", 90, 255, 8, 28)), Ptxas.usages(log));
    }

    @Test
    void kernelsIncludeNothingButTheirOwnHeaderAndSayHowTheyAreLaunched() throws Exception {
        assertTrue(Ptxas.sources().size() >= 8);
        for (Path source : Ptxas.sources()) {
            String text = Files.readString(source);
            String header = text.substring(0, text.indexOf("#include"));
            assertEquals(1, text.split("#include \"basin.cuh\"", -1).length - 1, source.toString());
            assertEquals(1, text.split("#include", -1).length - 1, source.toString());
            for (String kernel : Ptxas.kernels(source)) {
                assertTrue(header.contains("   " + kernel + "("), source + ": no arguments of " + kernel);
            }
        }
    }
}
