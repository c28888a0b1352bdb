package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What job schedulers and containers leave in the environment changes no number, writes nothing among the results, stops nothing. */
class EnvironmentTest {
    @TempDir
    Path folder;

    /** Fewer threads than asked for, by a limit that OpenMP has no function to lift. */
    private static final Map<String, String> LIMITED = Map.of("OMP_THREAD_LIMIT", "1");

    /** All else that has moved a number, filled standard output, or ended or stopped the process. */
    private static final Map<String, String> HOSTILE = new HashMap<>();

    static {
        HOSTILE.putAll(Map.of("OMP_MAX_ACTIVE_LEVELS", "0", "OMP_DYNAMIC", "true", "OMP_NUM_THREADS", "7"));
        HOSTILE.putAll(Map.of("OMP_STACKSIZE", "16k", "OMP_PROC_BIND", "true", "OMP_PLACES", "{0}"));
        HOSTILE.putAll(Map.of("OMP_NESTED", "false", "KMP_DYNAMIC_MODE", "load_balance", "KMP_ALL_THREADS", "1"));
        for (String prefix : List.of("ONEDNN_", "DNNL_")) {
            HOSTILE.putAll(Map.of(prefix + "VERBOSE", "2", prefix + "DEFAULT_FPMATH_MODE", "ANY"));
            HOSTILE.putAll(Map.of(prefix + "CPU_ISA_HINTS", "PREFER_YMM", prefix + "JIT_DUMP", "1"));
        }
    }

    private List<Object> train(String name, int threads) {
        Path data = folder.resolve("data");
        if (Files.notExists(data)) Shell.grey(data, 80, 20);
        List<Object> args =
                new ArrayList<>(List.of("train", "mnist", "--data-dir", data, "--out", folder.resolve(name)));
        args.addAll(List.of("--device", "cpu", "--threads", threads, "--model", "lenet-bn", "--epochs", 1));
        args.addAll(List.of("--batch-size", 16, "--validation", 16));
        return args;
    }

    private static void finished(Child child) throws Exception {
        assertTrue(child.process().waitFor(60, TimeUnit.SECONDS), "hangs: " + child.complained());
        assertEquals(0, child.process().exitValue(), child.complained());
    }

    private byte[] weights(String name) throws Exception {
        return Files.readAllBytes(folder.resolve(name).resolve("seed-1/swa/swa.safetensors"));
    }

    @Test
    void aTrainingHasTheBitsOfTheThreadsThatItReallyHas() throws Exception {
        Child limited = Child.start(folder, LIMITED, train("limited", 2));
        assertEquals(0, Shell.run(train("one", 1).toArray()).code());
        finished(limited);
        assertArrayEquals(weights("one"), weights("limited"));
        assertTrue(
                limited.complained().contains("OpenMP gives 1 of 2 threads (OMP_THREAD_LIMIT=1 in the environment)"),
                limited.complained());
    }

    @Test
    void nothingElseInTheEnvironmentChangesABitOrWritesAmongTheResults() throws Exception {
        Child hostile = Child.start(folder, HOSTILE, train("hostile", 2));
        Shell plain = Shell.run(train("plain", 2).toArray());
        assertEquals(0, plain.code(), plain.err());
        finished(hostile);
        assertArrayEquals(weights("plain"), weights("hostile"));
        assertEquals(plain.out().replace("plain", "hostile"), hostile.said());
        assertTrue(hostile.complained().contains("ONEDNN_VERBOSE"), hostile.complained());
    }

    /** One core for two threads: as taskset pins a process, and as Java counts under a container's quota. */
    @Test
    void fewerCoresThanThreadsChangeNoBit() throws Exception {
        List<String> pinned = List.of("taskset", "-c", "0");
        Child cut = Child.start(folder, pinned, List.of("-XX:ActiveProcessorCount=1"), Map.of(), train("cut", 2));
        assertEquals(0, Shell.run(train("whole", 2).toArray()).code());
        finished(cut);
        assertArrayEquals(weights("whole"), weights("cut"));
    }

    /** The default number of threads is that of the cores which the process may use. */
    @Test
    void aProcessOnOneCoreTakesOneThread() throws Exception {
        Child pinned = Child.start(
                folder, List.of("taskset", "-c", "0"), List.of(), Map.of(), List.of("doctor", "--device", "cpu"));
        finished(pinned);
        assertTrue(pinned.said().contains("CPU, 1 thread,"), pinned.said());
    }

    @Test
    void theDoctorAnswers() throws Exception {
        Child doctor = Child.start(folder, LIMITED, List.of("doctor", "--device", "cpu", "--threads", 2));
        assertTrue(doctor.process().waitFor(60, TimeUnit.SECONDS), "hangs: " + doctor.complained());
        assertTrue(doctor.said().contains("CPU, 1 thread,"), doctor.said());
    }
}
