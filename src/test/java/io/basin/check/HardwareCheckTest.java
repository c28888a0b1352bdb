package io.basin.check;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.check.Part.Outcome;
import io.basin.check.Part.Verdict;
import io.basin.cuda.Cuda;
import io.basin.io.Json;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The hardware check's driver: what it believes of its parts, and some of them on the software GPU. */
class HardwareCheckTest {
    private static final double MINUTES = 12;

    @TempDir
    Path folder;

    private static Part part(String name, int seconds, int times, String... scripts) {
        List<List<String>> programs =
                List.of(scripts).stream().map(s -> List.of("/bin/sh", "-c", s)).toList();
        return new Part(name, name, seconds, programs, Pattern.compile("^proof"), times);
    }

    private Outcome run(Part part) throws Exception {
        return new HardwareCheck(folder, MINUTES).run(List.of(part)).get(0);
    }

    @Test
    void aPartPassesByItsEvidenceAlone() throws Exception {
        assertEquals(
                Verdict.PASSED,
                run(part("good", 20, 2, "echo proof 1", "echo proof 2")).verdict());
        assertEquals(Verdict.FAILED, run(part("silent", 20, 1, "true")).verdict());
        assertEquals(
                Verdict.INCOMPLETE, run(part("half", 20, 2, "echo proof 1")).verdict());
        assertEquals(
                "NOT COVERED: a",
                run(part("open", 20, 1, "echo NOT COVERED: a; echo proof")).reason());
        Outcome failed = run(part("bad", 20, 1, "echo proof 1; exit 7"));
        assertEquals(Verdict.FAILED, failed.verdict());
        assertTrue(failed.reason().contains("exit code 7"), failed.reason());
    }

    @Test
    void aProgramThatCrashesLeavesTheOthersToRun() throws Exception {
        Outcome outcome = run(part("crash", 20, 1, "kill -SEGV $$", "echo proof"));
        assertEquals(Verdict.FAILED, outcome.verdict());
        assertEquals(1, outcome.proven());
    }

    @Test
    void whatDidNotRunIsNotPassed() throws Exception {
        Outcome absent = run(part("absent", 20, 0, "echo no such thing here; exit " + PartRun.ABSENT));
        assertEquals(Verdict.NOT_RUN, absent.verdict());
        assertEquals("no such thing here", absent.reason());
        Part nowhere = new Part("none", "none", 20, List.of(List.of("/no/such/program")), Pattern.compile(""), 0);
        assertEquals(Verdict.NOT_RUN, run(nowhere).verdict());
        List<Outcome> late = new HardwareCheck(folder, 0.1).run(List.of(part("late", 20, 1, "echo proof")));
        assertEquals(Verdict.NOT_RUN, late.get(0).verdict());
        assertEquals(3, HardwareCheck.code(late));
    }

    /** The hanging one's child holds the output open, too. */
    @Test
    void onePartThatHangsCostsItsOwnTimeAlone() throws Exception {
        List<Part> parts = List.of(
                part("hang", 2, 2, "echo proof 1; sleep 60; echo proof 2", "echo proof"),
                part("next", 20, 1, "echo proof"));
        List<Outcome> outcomes = new HardwareCheck(folder, MINUTES).run(parts);
        assertEquals(Verdict.TIMED_OUT, outcomes.get(0).verdict());
        assertEquals(1, outcomes.get(0).proven());
        assertTrue(outcomes.get(0).seconds() < 20);
        assertEquals(Verdict.PASSED, outcomes.get(1).verdict());
        assertEquals(1, HardwareCheck.code(outcomes));
        String said = Files.readString(folder.resolve(CheckReport.MARKDOWN));
        assertTrue(said.contains("1 of 2 parts passed") && said.contains("| hang | TIMED OUT |"), said);
    }

    @Test
    void aFailedPartSaysWhyInTheTable() throws Exception {
        String trace = "printf 'x\\nbasin: no card\\n\\tat a.B(B.java:1)\\n[ 1 tests failed ]\\n'; exit 1";
        Outcome failed = run(part("bad", 20, 1, "echo java.lang.Error: of another program", trace));
        assertTrue(
                failed.reason().startsWith("a program ended with exit code 1: basin: no card; 0 of"), failed.reason());
        assertTrue(Files.readString(folder.resolve(CheckReport.MARKDOWN)).contains("| 20 | " + failed.reason() + " |"));
        String thrown = "Exception in thread \"main\" io.basin.A$BException: no card";
        assertEquals("no card", LastError.of(List.of(thrown, "{}", "\tat a.B(B.java:1)")));
        Outcome silent = run(part("silent", 20, 1, "echo 'cuda  cannot be opened'; echo cpu"));
        assertTrue(silent.reason().startsWith("cuda  cannot be opened; 0 of"), silent.reason());
    }

    @Test
    void theLimitThatAppliedIsReportedAndTheComparisonKeepsItsTime() throws Exception {
        HardwareCheck check = new HardwareCheck(folder, MINUTES / 2);
        check.run(List.of(part("short", 20, 1, "echo proof")));
        assertEquals(
                10,
                Json.read(folder.resolve(CheckReport.JSON))
                        .path("parts")
                        .path(0)
                        .path("limit")
                        .asInt());
        for (double minutes : new double[] {MINUTES, MINUTES / 2}) {
            List<Part> all = new Parts(folder, folder, false).all();
            double left = 60 * minutes - 5;
            double limit = 0;
            for (int i = 0; i < all.size(); i++) {
                limit = new HardwareCheck(folder, minutes).limit(all, i, left);
                assertTrue(limit > 2, all.get(i).name() + " may take " + limit + " s");
                left -= limit;
            }
            int kept = all.get(all.size() - 1).kept();
            assertTrue(kept > 0 && limit >= kept * minutes / MINUTES, "the comparison may take " + limit + " s");
        }
    }

    /** As one in the driver, which does not heed the signal. */
    private static final class Stuck extends Process {
        private final Process alive;

        Stuck(Process alive) {
            this.alive = alive;
        }

        @Override
        public OutputStream getOutputStream() {
            return alive.getOutputStream();
        }

        @Override
        public InputStream getInputStream() {
            return alive.getInputStream();
        }

        @Override
        public InputStream getErrorStream() {
            return alive.getErrorStream();
        }

        @Override
        public int waitFor() throws InterruptedException {
            return alive.waitFor();
        }

        @Override
        public int exitValue() {
            return alive.exitValue();
        }

        @Override
        public ProcessHandle toHandle() {
            return alive.toHandle();
        }

        @Override
        public void destroy() {}
    }

    @Test
    @Timeout(20)
    void aProgramThatCannotBeKilledIsLeftAfterSomeSeconds() throws Exception {
        Process process = new ProcessBuilder("sleep", "60").start();
        try {
            assertFalse(PartRun.kill(new Stuck(process), 1));
            assertTrue(PartRun.kill(process, 5));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void logsAndReportsThatCannotBeWrittenEndNoLaterPart() throws Exception {
        Files.createDirectory(folder.resolve("first.log"));
        Files.createDirectory(folder.resolve(CheckReport.MARKDOWN));
        HardwareCheck check = new HardwareCheck(folder, MINUTES);
        List<Outcome> outcomes =
                check.run(List.of(part("first", 20, 1, "echo proof"), part("second", 20, 1, "echo proof")));
        assertEquals(Verdict.FAILED, outcomes.get(0).verdict());
        assertTrue(
                outcomes.get(0).reason().contains("first.log"), outcomes.get(0).reason());
        assertEquals(Verdict.PASSED, outcomes.get(1).verdict());
        assertTrue(check.unwritten().contains(CheckReport.MARKDOWN), check.unwritten());
    }

    @Test
    void ratiosAreOfThatVeryCheckAndNeverOfAnEmulator() throws Exception {
        String ours = "{\"net\":\"mlp\",\"precision\":\"fp32\",\"images_per_s\":300.0,\"device\":\"CUDA, %s\"}";
        String theirs = "{\"net\":\"mlp\",\"way\":\"eager\",\"images_per_s\":200.0}";
        for (String device : List.of("card", "software GPU (no hardware)")) {
            Outcome speed = run(part("speed", 20, 0, "echo '" + ours.formatted(device) + "'"));
            Outcome peer = run(part("pytorch", 20, 0, "echo '" + theirs + "'"));
            new CheckReport(List.of(speed, peer)).write(folder);
            JsonNode json = Json.read(folder.resolve(CheckReport.JSON));
            boolean emulated = device.startsWith("software");
            assertEquals(emulated, json.path("emulator").asBoolean());
            assertEquals(emulated ? 0 : 1, json.path("ratios").size());
            assertEquals(
                    emulated ? 0 : 1.5,
                    json.path("ratios").path(0).path("default to default").asDouble());
            String said = Files.readString(folder.resolve(CheckReport.MARKDOWN));
            assertEquals(emulated, said.contains(CheckReport.EMULATED));
        }
    }

    @Test
    void theStepKernelsAndASmallNetAreMeasuredAndAnEmulatorIsCalledOne() throws Exception {
        if (!Cuda.software()) return;
        List<Part> all = new Parts(folder, folder, true).all();
        List<Part> parts = all.stream()
                .filter(p -> p.name().equals("step") || p.name().equals("determinism"))
                .map(p -> new Part(
                        p.name(),
                        p.title(),
                        60,
                        p.programs().subList(0, 1),
                        p.evidence(),
                        p.name().equals("step") ? 2 : 3))
                .toList();
        List<Outcome> outcomes = new HardwareCheck(folder, MINUTES).run(parts);
        String said = Files.readString(folder.resolve(CheckReport.MARKDOWN));
        assertEquals(0, HardwareCheck.code(outcomes), said);
        assertTrue(said.contains(CheckReport.EMULATED), said);
        assertFalse(said.contains("to PyTorch"), said);
    }
}
