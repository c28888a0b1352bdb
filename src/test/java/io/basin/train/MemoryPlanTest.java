package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.cuda.Cuda;
import io.basin.device.Arena;
import io.basin.device.MemoryEstimate;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A plan says what it needs before it allocates; one that does not fit says by how much, and which batch would. */
class MemoryPlanTest {
    private static final Pattern REFUSAL = Pattern.compile(
            "refused the plan needs .*activations .*: (\\S+) MiB, which is (\\S+) MiB more than is free:"
                    + " `batch` (\\d+) would fit");

    @TempDir
    Path folder;

    /** The lines of {@link ShortOfMemory}, two for each batch. */
    private static List<String> plan(Object... args) throws IOException, InterruptedException {
        return plan(Map.of(), args);
    }

    private static List<String> plan(Map<String, String> environment, Object... args)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                Jvm.classPath(),
                ShortOfMemory.class.getName()));
        for (Object arg : args) command.add(arg.toString());
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("BASIN_SOFTGPU_MEMORY", Long.toString(128L << 20));
        builder.environment().putAll(environment);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        return said.lines()
                .filter(l -> l.startsWith("fits") || l.startsWith("refused") || l.startsWith("alive"))
                .toList();
    }

    @Test
    void theBatchThatIsNamedFitsAndAThirdMoreDoesNot() throws Exception {
        if (!Cuda.software()) return;
        List<String> refused = plan(4096);
        Matcher m = REFUSAL.matcher(refused.get(0));
        assertTrue(m.matches(), refused.toString());
        assertTrue(Double.parseDouble(m.group(2)) < Double.parseDouble(m.group(1)), refused.toString());
        assertEquals("alive 0", refused.get(1));
        int named = Integer.parseInt(m.group(3));
        assertTrue(named > 16, refused.toString());
        List<String> others = plan(named, named + named / 3);
        assertEquals("fits " + named, others.get(0));
        assertEquals("alive 0", others.get(1));
        assertTrue(others.get(2).startsWith("refused "), others.toString());
        assertEquals("alive 0", others.get(3));
    }

    /** A batch that is named where a strict plan did without copies has to fit where it is faster on them. */
    @Test
    void theStrictBatchThatIsNamedFitsOnCopiesToo() throws Exception {
        if (!Cuda.software()) return;
        Matcher m = REFUSAL.matcher(plan("strict", 4096).get(0));
        assertTrue(m.matches());
        Map<String, String> environment = new HashMap<>();
        environment.put("BASIN_SOFTGPU_CUDNN", "slow-nhwc-fma-forward,slow-nhwc-fma-data,slow-nhwc-fma-filter");
        environment.put("BASIN_CACHE", folder.toString()); // Else what was chosen at that batch may be kept.
        assertEquals(
                "fits " + m.group(3), plan(environment, "strict", m.group(3)).get(0));
    }

    /** Of 128 MiB, less what the driver takes, half is for samples; those that stream are not refused though they exceed all of it. */
    @Test
    void samplesThatTakeMoreThanHalfOfWhatIsFreeStream() throws Exception {
        if (!Cuda.software()) return;
        List<String> said = plan("data", 30, 70, 140);
        assertEquals(
                List.of("fits 30 lies", "alive 0", "fits 70 streams", "alive 0", "fits 140 streams", "alive 0"), said);
    }

    /** Else a run would be refused after its training, by the evaluator that measures it. */
    @Test
    void theBatchThatIsNamedForARunFitsWithAllThatFollowsTheStep() throws Exception {
        if (!Cuda.software()) return;
        List<String> refused = plan("run", 4096);
        Matcher m = REFUSAL.matcher(refused.get(0));
        assertTrue(m.matches(), refused.toString());
        assertTrue(refused.get(0).contains("2 more models") && refused.get(0).contains("evaluation"), refused.get(0));
        int named = Integer.parseInt(m.group(3));
        List<String> others = plan("run", named, named + named / 3);
        assertEquals("fits " + named, others.get(0));
        assertTrue(REFUSAL.matcher(others.get(2)).matches(), others.toString());
        assertEquals("alive 0", others.get(3));
    }

    @Test
    void onlyWhatHoldsValuesGrowsWithTheBatch() {
        MemoryEstimate demand = new MemoryEstimate(
                Map.of(Arena.PARAMS, 100L, Arena.ACTIVATIONS, 1000L, Arena.SCRATCH, 50L),
                10,
                MemoryEstimate.Later.NONE,
                new MemoryEstimate.Scratch(50, 0));
        assertEquals(1150, demand.total());
        assertEquals(10, demand.fitting(1150));
        assertEquals(9, demand.fitting(1149));
        assertEquals(1, demand.fitting(250));
        assertEquals(0, demand.fitting(249));
        assertEquals(0, demand.fitting(10));
    }

    /** Of a plan that fits it is no part: only a smaller batch may come to need it. */
    @Test
    void whatIsNamedLeavesRoomForOtherAlgorithms() {
        Map<Arena, Long> bytes = Map.of(Arena.PARAMS, 100L, Arena.ACTIVATIONS, 1000L, Arena.SCRATCH, 50L);
        MemoryEstimate demand = new MemoryEstimate(
                bytes,
                10,
                new MemoryEstimate.Later(0, 0, 0, new MemoryEstimate.Scratch(0, 60)),
                new MemoryEstimate.Scratch(50, 140));
        assertEquals(1150, demand.total());
        assertEquals(8, demand.fitting(1149));
        assertEquals(1, demand.fitting(270));
        assertEquals(0, demand.fitting(269));
    }

    /** As of copies that were chosen: they are in the workspace, and shrink with the batch. */
    @Test
    void whatAWorkspaceTakesForTheBatchShrinksWithIt() {
        Map<Arena, Long> bytes = Map.of(Arena.PARAMS, 100L, Arena.ACTIVATIONS, 1000L, Arena.SCRATCH, 550L);
        MemoryEstimate demand =
                new MemoryEstimate(bytes, 10, MemoryEstimate.Later.NONE, new MemoryEstimate.Scratch(50, 500));
        assertEquals(1650, demand.total());
        assertEquals(10, demand.fitting(1650));
        assertEquals(9, demand.fitting(1649));
        assertEquals(1, demand.fitting(300));
        assertEquals(0, demand.fitting(299));
    }

    @Test
    void evaluationGrowsWithTheBatchTooAndModelsDoNot() {
        MemoryEstimate demand = new MemoryEstimate(
                Map.of(Arena.PARAMS, 100L, Arena.STATE, 10L, Arena.ACTIVATIONS, 800L),
                10,
                new MemoryEstimate.Later(2, 200, 40, new MemoryEstimate.Scratch(40, 0)),
                MemoryEstimate.Scratch.NONE);
        assertEquals(910 + 220 + 240, demand.total());
        assertEquals(10, demand.fitting(1370));
        assertEquals(9, demand.fitting(1369));
        assertEquals(1, demand.fitting(470));
        assertEquals(0, demand.fitting(469));
    }
}
