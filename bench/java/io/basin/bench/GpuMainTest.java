package io.basin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.cuda.Ptxas;
import io.basin.device.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The benchmarks of a GPU, rehearsed: all of it runs, nothing of it is a figure, and whose it would be is said. */
class GpuMainTest {
    @Test
    void everyKernelTheUpdateAndATrainingStepRun() throws Exception {
        if (!Cuda.software()) return;
        // Four processes of JMH's, for which the build has no time.
        if (!Boolean.getBoolean("gpu.rehearsal")) {
            System.out.println("NOT COVERED: the benchmarks of a GPU: rehearse them with -Dgpu.rehearsal=true");
            return;
        }
        GpuMain main = new GpuMain();
        main.tiny = true;
        main.nets = List.of("mlp");
        main.precisions = List.of(Precision.BF16);
        String said = main.measure();
        assertTrue(said.startsWith("# Basin on software GPU (no hardware): a rehearsal, no measurement\n"), said);
        List<String> rows = said.lines().filter(l -> l.startsWith("| Basin")).toList();
        for (String row : rows) assertTrue(row.endsWith("/s | ran | ran |"), row);
        Set<String> run = rows.stream()
                .filter(r -> r.startsWith("| BasinKernel | "))
                .map(r -> r.replaceAll(".*kernel:(\\w+).*", "$1"))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> all = new TreeSet<>();
        for (Path source : Ptxas.sources()) all.addAll(Ptxas.kernels(source));
        assertEquals(all, run);
        assertEquals(all.size() + 2, rows.size(), said);
    }
}
