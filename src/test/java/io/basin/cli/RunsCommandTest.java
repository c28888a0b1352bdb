package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What lies in a folder of runs. */
class RunsCommandTest {
    @TempDir
    private Path folder;

    private Shell compare(Path run, Object... more) {
        Path data = folder.resolve("data");
        if (!Files.exists(data)) Shell.grey(data, 120, 40);
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(List.of("--threads", 1, "--validation", 20, "--batch-size", 20, "--epochs", 2));
        args.addAll(List.of("--methods", "sgd,ema,swa", "--out", run));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path f : all.toList())
                Files.copy(f, to.resolve(from.relativize(f).toString()));
        }
    }

    private static JsonNode runs(Path parent) {
        Shell shell = Shell.run("runs", parent, "--json", "-");
        assertEquals(0, shell.code(), shell.err());
        return Json.parse(shell.out(), "stdout");
    }

    @Test
    void runsAreListedNewestFirstWithWhatTheyAreAndHowFarTheyAre() throws IOException {
        Path parent = Files.createDirectory(folder.resolve("experiments"));
        Path whole = parent.resolve("whole");
        assertEquals(0, compare(whole, "--seeds", 2).code());
        Path half = parent.resolve("half");
        copy(whole, half);
        Files.delete(half.resolve("results.json"));
        Files.delete(half.resolve("seed-2/swa/scores.json"));
        Files.setLastModifiedTime(half.resolve("config.json"), FileTime.fromMillis(1_000_000_000_000L));
        Files.createDirectory(parent.resolve("nothing"));

        JsonNode runs = runs(parent);
        assertEquals(2, runs.size(), runs.toString());
        requireWhole(whole, runs.path(0));
        requireHalf(half, runs.path(1));
        Shell words = Shell.run("runs", parent);
        assertTrue(words.out().contains("to go on: basin compare --resume " + half), words.out());
        assertTrue(words.out().contains("; best "), words.out());
        assertFalse(words.out().contains("nothing"), words.out());
        assertEquals(1, runs(whole).size(), "a run's own folder");
    }

    private static void requireWhole(Path whole, JsonNode first) throws IOException {
        assertEquals(whole.toString(), first.path("run").asText());
        assertEquals("finished", first.path("state").asText());
        assertEquals("compare", first.path("command").asText());
        assertEquals("mnist", first.path("dataset").asText());
        assertEquals("mlp", first.path("model").asText());
        assertEquals(2.0, first.path("epochs").asDouble());
        assertEquals(2, first.path("seedsDone").asInt());
        assertEquals(2, first.path("seeds").asInt());
        assertEquals(3, first.path("methods").size());
        JsonNode rows = Json.read(whole.resolve("results.json")).path("rows");
        double best = 0;
        for (JsonNode row : rows) {
            double a = row.at("/scores/0/accuracy").asDouble();
            best = Math.max(best, (a + row.at("/scores/1/accuracy").asDouble()) / 2);
        }
        assertEquals(best, first.path("bestAccuracy").asDouble(), 1e-12);
        long bytes = 0;
        try (Stream<Path> files = Files.walk(whole)) {
            for (Path f : files.filter(Files::isRegularFile).toList()) bytes += Files.size(f);
        }
        assertEquals(bytes, first.path("bytes").asLong());
    }

    private static void requireHalf(Path half, JsonNode second) {
        assertEquals(half.toString(), second.path("run").asText());
        assertEquals("resumable", second.path("state").asText());
        assertEquals(1, second.path("seedsDone").asInt());
        assertTrue(second.path("best").isNull());
        assertEquals("2001-09-09T01:46:40Z", second.path("date").asText());
    }

    @Test
    void aRunThatIsAskedForMoreIsNotFinished() throws IOException {
        Path run = folder.resolve("run");
        assertEquals(0, compare(run).code());
        ObjectNode config = Json.unseal(run.resolve("config.json"));
        config.withArray("methods").add("fge");
        Json.seal(run.resolve("config.json"), config);
        assertEquals(4, runs(run).path(0).path("methods").size());
        assertEquals("resumable", runs(run).path(0).path("state").asText());
    }

    @Test
    void aDamagedRunIsNamedAndTheOthersAreListed() throws IOException {
        Path parent = Files.createDirectory(folder.resolve("experiments"));
        assertEquals(0, compare(parent.resolve("whole")).code());
        copy(parent.resolve("whole"), parent.resolve("broken"));
        Files.writeString(parent.resolve("broken/config.json"), "{");
        Shell shell = Shell.run("runs", parent, "--csv", "-");
        assertEquals(0, shell.code(), shell.err());
        List<String> lines =
                shell.out().lines().sorted(Comparator.reverseOrder()).toList();
        assertEquals(3, lines.size());
        assertEquals(
                "run,command,methods,dataset,model,epochs,seedsDone,seeds,state,best,bestAccuracy,bytes,date",
                lines.get(0));
        assertTrue(lines.get(1).contains("whole,compare,sgd ema swa,mnist,mlp,2.0,1,1,finished,"), lines.get(1));
        assertTrue(lines.get(2).contains("broken,,,,,,0,0,damaged,"), lines.get(2));
        assertTrue(shell.err().contains("broken/config.json"), shell.err());
    }

    @Test
    void aFolderThatIsNotThereIsRefusedAndOneLikeItNamed() {
        Shell none = Shell.run("runs", folder.resolve("none"));
        assertEquals(2, none.code());
        assertTrue(none.complaint().contains("DIR: there is no folder"), none.complaint());
        assertEquals(0, compare(folder.resolve("mine")).code());
        Shell resumed = Shell.run("compare", "--resume", folder.resolve("mien"));
        assertEquals(2, resumed.code());
        assertTrue(resumed.complaint().contains("did you mean '" + folder.resolve("mine") + "'?"), resumed.complaint());
    }
}
