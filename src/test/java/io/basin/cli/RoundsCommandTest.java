package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FolderLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

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

    @Test
    void aSweepIsATableOfRates() {
        Path run = folder.resolve("run");
        Shell said = rounds("--out", run, "--sweep", "lr=0.001,0.1", "--json", "-");
        assertEquals(0, said.code(), said.err());
        assertTrue(said.out().contains("\"lr 0.001\"") && said.out().contains("\"lr 0.1\""), said.out());
    }

    @Test
    void wrongWordsAreRefusedByFlag() throws Exception {
        assertTrue(rounds("--method", "diloko").complaint().contains("--method: "), "unknown method");
        assertTrue(rounds("--method", "diloko").complaint().contains("did you mean 'diloco'"), "unknown method");
        assertTrue(rounds("--sweep", "wd=0.1").complaint().contains("--sweep takes learning rates"), "sweep");
        assertEquals(2, rounds("--inner-steps", 0).code());
        assertEquals(2, rounds("--workers", 0).code());
        Shell nowhere = Shell.run("worker", folder.resolve("nowhere"));
        assertEquals(2, nowhere.code());
        assertTrue(
                nowhere.complaint().contains("start a job there with 'basin rounds DATASET --out"),
                nowhere.complaint());
        Shell spark = rounds("--spark", "spark:/nonsense");
        assertTrue(spark.code() != 0 && spark.complaint().contains("--spark"), spark.complaint());
    }
}
