package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands that read what runs left behind: nothing that was edited, swapped, damaged or removed passes for a result. */
class LeftoversTest {
    /** The first one of the table. */
    private static final String ACCURACY = "(?s)(\"rows\" : .*?\"accuracy\" : )[0-9.]+";

    @TempDir
    static Path shared;

    @TempDir
    Path folder;

    private static Path data;
    private static Path done;
    private static Path curve;
    private Path run;

    @BeforeAll
    static void train() {
        data = Shell.grey(shared.resolve("data"), 160, 60);
        done = shared.resolve("done");
        Shell compared = Shell.run(common("compare", "mnist", "--methods", "sgd,swa,fge", "--out", done));
        assertEquals(0, compared.code(), compared.err());
        curve = shared.resolve("curve");
        List<Object> ends = List.of(weights(done, "sgd"), weights(done, "swa"));
        Shell joined = Shell.run(common(
                "connect", ends.get(0), ends.get(1), "--points", 3, "--curve", "Bezier", "--bends", 2, "--out", curve));
        assertEquals(0, joined.code(), joined.err());
    }

    private static Object[] common(Object... words) {
        List<Object> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--data-dir", data, "--device", "cpu", "--threads", 1, "--epochs", 4, "--batch-size", 20));
        all.addAll(List.of("--validation", 40));
        return all.toArray();
    }

    private static Path weights(Path run, String method) {
        return run.resolve("seed-1").resolve(method).resolve(method + ".safetensors");
    }

    @BeforeEach
    void copy() throws IOException {
        run = folder.resolve("run");
        copy(done, run);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path f : all.toList())
                Files.copy(f, to.resolve(from.relativize(f).toString()));
        }
    }

    private static void edit(Path file, String regex, String by) throws IOException {
        String text = Files.readString(file);
        String other = text.replaceFirst(regex, by);
        assertFalse(other.equals(text), "nothing to edit: " + regex);
        Files.writeString(file, other);
    }

    private void refused(String says, Object... words) {
        Shell shell = Shell.run(words);
        assertTrue(shell.code() != 0, shell.out());
        assertTrue(shell.complaint().contains(says), shell.err());
    }

    @Test
    void anEditedResultIsNeitherReportedNorListed() throws IOException {
        Path results = run.resolve("results.json");
        edit(results, ACCURACY, "$10.97");
        refused("results.json", "report", run);
        Shell listed = Shell.run("runs", folder);
        assertTrue(listed.out().contains("damaged") && listed.err().contains("results.json"), listed.out());
        edit(results, "\"rows_sha256\"", "\"rows_sha25v\"");
        refused("results.json", "report", run);
    }

    /** What {@code connect} and its like leave has a page of its own, and is no comparison that was damaged. */
    @Test
    void aReportPassesOverLandscapesAndNamesOneThatStandsAlone() throws IOException {
        copy(curve, folder.resolve("curve"));
        Shell both = Shell.run("report", folder, "--out", folder.resolve("page.html"));
        assertEquals(0, both.code(), both.err());
        assertFalse(both.err().contains("SHA-256"), both.err());
        refused("results of 'connect', which have a page of their own", "report", folder.resolve("curve"));
        Shell listed = Shell.run("runs", folder);
        assertFalse(listed.err().contains("SHA-256"), listed.err());
        edit(run.resolve("results.json"), "\"configuration(_sha256)?\" : \"\\w+\",", "");
        edit(run.resolve("results.json"), "\"configuration(_sha256)?\" : \"\\w+\",", "");
        refused("does not say of which run it is", "report", run);
    }

    /** As an older version wrote it, without a sum: what no measurement gives is still refused. */
    @Test
    void impossibleFiguresAreRefusedByTheFilesName() throws IOException {
        Path results = run.resolve("results.json");
        String whole = Files.readString(results).replaceFirst("\"rows_sha256\" : \"\\w+\",?", "");
        for (String wrong : new String[] {"7", "-0.5", "\"NaN\""}) {
            Files.writeString(results, whole);
            edit(results, ACCURACY, "$1" + wrong);
            refused("results.json: is not the results of a comparison", "report", run);
        }
        for (String wrong : new String[] {"\"NaN\"", "1e308"}) {
            Files.writeString(results, whole);
            edit(results, "(?s)(\"rows\" : .*?\"nll\" : )[0-9.]+", "$1" + wrong);
            refused("results.json: is not the results of a comparison", "report", run);
        }
        Files.writeString(results, whole.replaceFirst("(?s)(\"rows\" : .*?\"method\" : )\"\\w+\"", "$1null"));
        refused("results.json", "report", run);
    }

    @Test
    void flippedBitsOfResultsChangeNoReport() throws IOException {
        Path results = run.resolve("results.json");
        byte[] right = Files.readAllBytes(results);
        String report = Shell.run("report", run).out();
        SplittableRandom random = new SplittableRandom(1);
        int rows = Files.readString(results).indexOf("\"rows\"");
        for (int i = 0; i < 60; i++) {
            byte[] wrong = right.clone();
            int bit = random.nextInt(8 * rows, 8 * right.length);
            wrong[bit / 8] ^= (byte) (1 << bit % 8);
            Files.write(results, wrong);
            Shell shell = Shell.run("report", run);
            if (shell.code() == 0) assertEquals(report, shell.out(), "bit " + bit);
            else assertTrue(shell.complaint().contains("results.json"), "bit " + bit + ": " + shell.err());
        }
    }

    @Test
    void anEnsembleOfARunIsOfAllThatItEndedWith() throws IOException {
        Path swa = run.resolve("seed-1/swa");
        Shell whole = Shell.run("ensemble", swa, "--data-dir", data, "--device", "cpu");
        assertEquals(0, whole.code(), whole.err());
        Files.move(swa.resolve("swa.safetensors"), folder.resolve("away"));
        refused("swa.safetensors: is missing", "ensemble", swa, "--data-dir", data);
        Files.copy(weights(done, "sgd"), swa.resolve("swa.safetensors"));
        refused("swa.safetensors: is damaged or was changed", "ensemble", swa, "--data-dir", data);
        Files.copy(folder.resolve("away"), swa.resolve("member-9.safetensors"));
        Files.delete(swa.resolve("swa.safetensors"));
        Files.move(folder.resolve("away"), swa.resolve("swa.safetensors"));
        refused("member-9.safetensors: does not belong to the run", "ensemble", swa, "--data-dir", data);
        Files.delete(run.resolve("seed-1/fge/scores.json"));
        refused("is not the result of a method that has ended", "ensemble", run.resolve("seed-1/fge"));
    }

    @Test
    void aCurvesMembersAreOfThatCurve() throws IOException {
        Path other = folder.resolve("curve");
        copy(curve, other);
        Object[] command = {"ensemble", "--curve", other, "--points", 3, "--data-dir", data, "--device", "cpu"};
        Shell whole = Shell.run(command);
        assertEquals(0, whole.code(), whole.err());
        Files.copy(weights(done, "swa"), other.resolve("kept"));
        Files.move(other.resolve("bend-1.safetensors"), folder.resolve("first"));
        Files.copy(other.resolve("bend-2.safetensors"), other.resolve("bend-1.safetensors"));
        refused("bend-1.safetensors: is of another curve", command);
        Files.delete(other.resolve("bend-1.safetensors"));
        Files.move(folder.resolve("first"), other.resolve("bend-1.safetensors"));
        edit(other.resolve("config.json"), "\"bends\" : 2", "\"bends\" : 1");
        refused("config.json", command);
        Json.seal(other.resolve("config.json"), Map.of("curve", "BEZIES", "bends", 2, "files", List.of("a", "b")));
        refused("is not of a 'basin connect' run", command);
    }

    @Test
    void linksLeadToRunsAndOneFolderAtFaultHidesNoOther() throws IOException {
        Path links = Files.createDirectory(folder.resolve("links"));
        Files.createSymbolicLink(links.resolve("there"), run);
        assertEquals(Shell.run("report", run).out(), Shell.run("report", links).out());
        Path bad = folder.resolve("bad");
        copy(done, bad);
        Files.delete(bad.resolve("results.json"));
        Files.createDirectory(bad.resolve("results.json"));
        Shell listed = Shell.run("runs", folder);
        assertEquals(0, listed.code(), listed.err());
        assertTrue(listed.out().contains("run  finished") && listed.out().contains("bad  damaged"), listed.out());
    }

    @Test
    void runsFromDifferentNetsAreNoSeedsOfOneComparison() throws IOException {
        Path second = folder.resolve("second");
        copy(done, second);
        for (Path each : List.of(run, second)) {
            var config = Json.unseal(each.resolve("config.json"));
            Json.seal(
                    each.resolve("config.json"),
                    config.put("from", each.getFileName().toString()));
        }
        String one = Shell.run("report", run).out();
        String both = Shell.run("report", run, second).out();
        assertTrue(both.lines().count() > one.lines().count(), both);
    }

    @Test
    void aModelOfAMeanIsNamedOnce() {
        Path one = weights(done, "sgd");
        Shell shell = Shell.run("average", one, one, "--data-dir", data, "--out", folder.resolve("m.safetensors"));
        assertEquals(2, shell.code(), shell.err());
        assertTrue(shell.complaint().contains(one + " is named twice"), shell.complaint());
    }

    @Test
    void outputsOfOneNameAreRefused() {
        Path x = folder.resolve("x");
        refused("--out and --svg both name", "report", run, "--out", x, "--svg", x);
        refused("--json: stdout holds the text", "report", run, "--json", "-");
        assertFalse(Files.exists(x));
    }

    @Test
    void weightsOfAMeanAreNumbersThatLeaveSomething() {
        Object[] files = {"average", weights(done, "sgd"), weights(done, "swa"), "--data-dir", data, "--out"};
        String[] wrong = {"0,0", "NaN,1", "1e300,1e300", "1,-0.99999999"};
        String[] says = {"are all 0", "is not a number", "are numbers from", "next to nothing"};
        for (int i = 0; i < wrong.length; i++) {
            List<Object> words = new ArrayList<>(List.of(files));
            words.addAll(List.of(folder.resolve("mean.safetensors"), "--weights", wrong[i]));
            if (i != 3) words.add("--unnormalised");
            Shell shell = Shell.run(words.toArray());
            assertEquals(2, shell.code(), shell.err());
            assertTrue(
                    shell.complaint().contains("--weights") && shell.complaint().contains(says[i]), shell.complaint());
        }
    }
}
