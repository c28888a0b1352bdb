package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.FolderLock;
import io.basin.io.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(240)
class RoundsCommandTest {
    @TempDir
    private Path folder;

    private Path data;

    @BeforeEach
    void makeData() {
        data = Shell.grey(folder.resolve("data"), 120, 40);
    }

    private List<Object> words(Object... more) {
        List<Object> all = new ArrayList<>(List.of(
                "rounds",
                "mnist",
                "--data-dir",
                data,
                "--model",
                "lenet-bn",
                "--epochs",
                2,
                "--batch-size",
                8,
                "--validation",
                20,
                "--device",
                "cpu",
                "--workers",
                3,
                "--inner-steps",
                2));
        all.addAll(List.of(more));
        return all;
    }

    private Shell rounds(Object... more) {
        return Shell.run(words(more).toArray());
    }

    private static byte[] weights(Path run) throws Exception {
        return Files.readAllBytes(run.resolve("local-sgd.safetensors"));
    }

    @Test
    void threadsProcessesAndTheFolderGiveTheSameBytes() throws Exception {
        Path threads = folder.resolve("threads");
        Shell said = rounds("--out", threads, "--slots", 2);
        assertEquals(0, said.code(), said.err());
        assertTrue(said.out().contains("local-sgd"), said.out());
        Path processes = folder.resolve("processes");
        Shell other = rounds("--out", processes, "--carrier", "processes", "--slots", 1);
        assertEquals(0, other.code(), other.err());
        assertArrayEquals(weights(threads), weights(processes));
        Path shared = folder.resolve("shared");
        Shell alone = rounds("--out", shared, "--carrier", "folder");
        assertEquals(0, alone.code(), alone.err());
        assertArrayEquals(weights(threads), weights(shared));
        Shell late = Shell.run("worker", shared, "--id", "late");
        assertEquals(0, late.code(), late.err());
        assertTrue(late.err().contains("worker late: the job is done"), late.err());
        String driver = Shell.run("worker", shared, "--id", "driver").complaint();
        assertTrue(driver.contains("--id: 'driver' is the process that began the job"), driver);
        FolderLock.holding(shared.resolve("workers/late"), () -> {
            // In another thread: this one would have the folder already.
            String taken = CompletableFuture.supplyAsync(() -> Shell.run("worker", shared, "--id", "late"))
                    .join()
                    .complaint();
            assertTrue(taken.endsWith("or choose another --id"), taken);
            return taken;
        });
        Shell evaluated = Shell.run("evaluate", threads.resolve("local-sgd.safetensors"), "--data-dir", data);
        assertEquals(0, evaluated.code(), evaluated.err());
    }

    /** A limit on the size of files stands for a disk that is full: a round's weights fit, a share with its moments does not. */
    @Test
    void aFullDiskIsOneSentenceAndTheJobGoesOnAfterwards() throws Exception {
        Path run = folder.resolve("run");
        Child full = Child.start(
                folder,
                List.of("bash", "-c", "ulimit -f 600; exec \"$0\" \"$@\""),
                List.of(),
                Map.of(),
                words("--out", run, "--slots", 1));
        assertEquals(1, full.code(), full.complained());
        String said = full.complained();
        assertTrue(said.contains("basin: cannot write " + run.resolve("round-00001/share-0.safetensors")), said);
        assertEquals(0, Shell.run("rounds", "--resume", run).code());
        Path calm = folder.resolve("calm");
        assertEquals(0, rounds("--out", calm).code());
        assertArrayEquals(weights(calm), weights(run));
    }

    private Shell sweep(String rates, Object... more) {
        List<Object> all = words("--sweep", rates);
        all.subList(all.indexOf("--workers"), all.indexOf("--sweep")).clear();
        all.removeIf(w -> List.of(more).contains("--epochs") && (w.equals("--epochs") || w.equals(2)));
        all.addAll(List.of(more));
        return Shell.run(all.toArray());
    }

    @Test
    void aSweepIsATableOfRates() {
        Path run = folder.resolve("run");
        Shell said = sweep("lr=0.001,1e20,0.1", "--out", run, "--json", "-");
        assertEquals(0, said.code(), said.err());
        JsonNode rows = Json.parse(said.out(), "rows").path("rows");
        assertEquals("lr 0.001", rows.path(0).path("net").asText());
        assertTrue(
                rows.path(1).path("accuracy").isNull()
                        && rows.path(1).path("divergedAtStep").asLong() >= 0,
                said.out());
        assertTrue(
                rows.path(2).path("accuracy").asDouble() > 0
                        && rows.path(2).path("divergedAtStep").isNull(),
                said.out());
        Shell wild = sweep("lr=1e20,1e21", "--out", folder.resolve("wild"), "--epochs", 1);
        assertEquals(1, wild.code());
        assertTrue(wild.out().contains("lr 1.0E20        diverged at step "), wild.out());
        assertTrue(wild.complaint().startsWith("basin: all of them diverged"), wild.complaint());
    }

    @Test
    void wrongWordsAreRefusedByFlag() throws Exception {
        assertTrue(rounds("--method", "diloko").complaint().contains("--method: "), "unknown method");
        assertTrue(rounds("--method", "diloko").complaint().contains("did you mean 'diloco'"), "unknown method");
        assertTrue(sweep("wd=0.1").complaint().contains("--sweep takes learning rates"), "sweep");
        assertEquals(2, rounds("--inner-steps", 0).code());
        assertEquals(2, rounds("--workers", 0).code());
        Shell nowhere = Shell.run("worker", folder.resolve("nowhere"));
        assertEquals(2, nowhere.code());
        assertTrue(
                nowhere.complaint().contains("start a job there with 'basin rounds DATASET --out"),
                nowhere.complaint());
        Path made = folder.resolve("not/yet");
        Shell spark = rounds("--spark", "spark:/nonsense", "--out", made);
        assertTrue(spark.code() != 0 && spark.complaint().contains("--spark"), spark.complaint());
        assertTrue(!Files.exists(made.getParent()), "a refusal leaves nothing behind");
        Path open = Files.createDirectory(folder.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        assertTrue(rounds("--carrier", "folder", "--out", open).complaint().contains("chmod o-w"));
        assertTrue(!Files.exists(open.resolve("config.json")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--outer-lr 0.5",
                "--outer-momentum 0.5 --method swap",
                "--switch-at 0.4 --method diloco",
                "--swa-lr 0.1",
                "--swa-low 0.1 --method parallel-swa",
                "--swa-cycle 1 --method swap",
                "--fge-start 0.5",
                "--swap-workers 3 --method swap",
                "--from x.safetensors",
                "--budgets 1,2",
                "--inner-steps 2 --sweep lr=0.1",
                "--slots 2 --carrier folder",
                "--slots 2 --spark local[2]",
                "--carrier threads --spark local[2]",
                "--any-device",
                "--lr 0.1 --sweep lr=0.1",
                "--method diloco --sweep lr=0.1",
                "--workers 3 --sweep lr=0.1"
            })
    void aFlagWithoutEffectIsRefusedByItsName(String flags) {
        List<String> words = new ArrayList<>(List.of("rounds", "mnist", "--data-dir", folder.resolve("none") + ""));
        words.addAll(List.of(flags.split(" ")));
        Shell said = Shell.run(words.toArray());
        assertEquals(2, said.code());
        assertTrue(said.complaint().startsWith("basin: " + flags.split(" ")[0]), said.complaint());
    }

    /** What a recipe says is of all methods, and nobody typed it. */
    @Test
    void aRecipeIsNotRefusedAndTheHelpShowsWhatHasAnEffect() {
        Shell said = Shell.run("rounds", "mnist", "--data-dir", folder.resolve("none"), "--recipe", "lenet-bn");
        assertTrue(!said.complaint().contains("has no effect"), said.complaint());
        String help = Shell.run("rounds", "--help").out();
        for (String flag : List.of("--fge-start", "--from", "--swap-workers")) assertTrue(!help.contains(flag), flag);
        for (String flag : List.of("--swa-start", "--outer-lr", "--lr=")) assertTrue(help.contains(flag), flag);
    }
}
