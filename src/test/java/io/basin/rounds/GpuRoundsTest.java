package io.basin.rounds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rounds on a GPU, software or real; where there is none, {@link Cuda#works} says that this is not covered. */
@Timeout(240)
class GpuRoundsTest {
    private static final RoundPlan PLAN = TinyJob.methods(2, 1).localSgd(4);

    @TempDir
    Path folder;

    private Path place(String name) throws Exception {
        return Files.createDirectory(folder.resolve(name));
    }

    @Test
    void howManyComputeAtOnceDoesNotShowAndAProcessorIsNoGpu() throws Exception {
        if (!Cuda.works()) return;
        Workshop gpu = TinyJob.workshop(PLAN, "cuda");
        Path one = place("one");
        String sum =
                TinyJob.sum(TinyJob.run(one, gpu, f -> new Threads(f, gpu, 1)).get(0));
        assertEquals(
                sum,
                TinyJob.sum(TinyJob.run(place("two"), gpu, f -> new Threads(f, gpu, 2))
                        .get(0)));
        String said = assertThrows(
                        IllegalArgumentException.class,
                        () -> SharedFolder.work(one, TinyJob.workshop(PLAN), "cpu", share -> {}))
                .getMessage();
        assertTrue(said.contains("asks for CUDA") && said.contains("rounds differently"), said);
    }

    @Test
    void aProcessorWorksForAGpuWhereAnyDeviceWillDo() throws Exception {
        if (!Cuda.works()) return;
        Workshop gpu = TinyJob.workshop(PLAN, "cuda");
        CompletableFuture<RoundRun.Outcome> driven =
                CompletableFuture.supplyAsync(() -> TinyJob.run(folder, gpu, f -> new SharedFolder(f, gpu, false), true)
                        .get(0));
        int[] shares = {0};
        assertEquals("the job is done", SharedFolder.work(folder, TinyJob.workshop(PLAN), "cpu", share -> shares[0]++));
        assertEquals(PLAN.rounds().size() * PLAN.workers(), shares[0]);
        assertTrue(Files.exists(driven.get().file()));
    }
}
