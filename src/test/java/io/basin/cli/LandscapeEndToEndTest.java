package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import io.basin.report.Browser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nets trained by 'compare', then joined, laid out on a plane and measured, from the command line to the page. */
class LandscapeEndToEndTest {
    @TempDir
    static Path folder;

    private static Path data;
    private static Path nets;

    @BeforeAll
    static void train() {
        data = Shell.grey(folder.resolve("data"), 400, 100);
        nets = folder.resolve("nets");
        Shell done = Shell.run(
                "compare",
                "mnist",
                "--data-dir",
                data,
                "--model",
                "mlp",
                "--methods",
                "sgd,swa",
                "--seeds",
                2,
                "--epochs",
                4,
                "--batch-size",
                32,
                "--validation",
                50,
                "--lr",
                0.02,
                "--device",
                "cpu",
                "--out",
                nets);
        assertEquals(0, done.code(), done.err());
    }

    private static Path net(int seed, String method) {
        return nets.resolve("seed-" + seed).resolve(method).resolve(method + ".safetensors");
    }

    private static List<Path> members() throws IOException {
        try (Stream<Path> files = Files.list(nets.resolve("seed-1").resolve("swa"))) {
            return files.filter(f -> f.getFileName().toString().startsWith("member"))
                    .sorted()
                    .toList();
        }
    }

    private static Object[] with(List<Object> flags, Object... more) {
        List<Object> all = new ArrayList<>(flags);
        all.addAll(List.of(more));
        return all.toArray();
    }

    private static Shell run(Object... args) {
        List<Object> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--data-dir", data, "--validation", 50, "--batch-size", 32, "--device", "cpu"));
        return Shell.run(all.toArray());
    }

    /** With its pictures, and with which loss they draw and where batch norm's statistics are from. */
    private static void pictured(Path out, String... names) throws IOException {
        for (String name : names) {
            for (String kind : new String[] {".svg", ".png"}) {
                assertTrue(Files.exists(out.resolve(name + kind)), name + kind);
            }
        }
        String page = Files.readString(out.resolve("report.html"));
        assertTrue(
                page.contains("without weight decay, of images that are not augmented and labels not smoothed"), page);
        assertTrue(page.contains("measured anew at every point"), page);
    }

    @Test
    void aCurveFromNetToNetToNet() throws IOException {
        Path out = folder.resolve("curve");
        List<Object> flags = new ArrayList<>(List.of("connect", net(1, "sgd"), net(2, "sgd"), net(1, "swa")));
        flags.addAll(List.of("--curve", "PolyChain", "--bends", 2, "--epochs", 2, "--points", 7));
        Object[] first = with(flags, "--out", out);
        Shell done = run(first);
        assertEquals(0, done.code(), done.err());
        assertEquals(
                2,
                done.out()
                        .lines()
                        .filter(l -> l.startsWith("Self-check passed"))
                        .count(),
                done.out());
        pictured(out, "test-error", "train-loss", "train-error", "regularised-loss");
        JsonNode legs = Json.read(out.resolve("results.json")).path("legs");
        assertEquals(2, legs.size());
        assertEquals(7, legs.path(0).path("curve").path("points").size());
        assertTrue(legs.path(0).path("curve").path("length").asDouble()
                >= legs.path(0).path("line").path("length").asDouble());
        Shell bend = Shell.run(
                "evaluate", out.resolve("leg-1").resolve("bend-1.safetensors"), "--data-dir", data, "--device", "cpu");
        assertEquals(0, bend.code(), bend.err());
        Shell again = run(with(flags, "--resume", out));
        assertEquals(0, again.code(), again.err());
        assertEquals(done.out(), again.out());
        Path plane = folder.resolve("plane-of-the-curve");
        Shell drawn = run("surface", "--curve", out, "--grid", 3, "--samples", 60, "--out", plane);
        assertEquals(0, drawn.code(), drawn.err());
        JsonNode curves =
                Json.read(plane.resolve("results.json")).path("result").path("curves");
        assertEquals(2, curves.size());
    }

    /** A net without batch norm has no statistics to keep, nor any to measure. */
    @Test
    void keptStatisticsOfANetWithoutBatchNormChangeNothing() {
        List<JsonNode> cells = new ArrayList<>();
        for (String how : List.of("exact", "keep")) {
            Path out = folder.resolve("plane-" + how);
            Shell plane = run(
                    "surface",
                    net(1, "sgd"),
                    "--plane-directions",
                    "filter",
                    "--grid",
                    2,
                    "--bn-update",
                    how,
                    "--out",
                    out);
            assertEquals(0, plane.code(), plane.err());
            cells.add(Json.read(out.resolve("results.json")).path("result").path("cells"));
        }
        assertEquals(cells.get(0), cells.get(1));
    }

    @Test
    void freeEndsAreMembersOfTheCurve() {
        Path out = folder.resolve("free");
        Shell done =
                run("connect", net(1, "sgd"), net(2, "sgd"), "--free-ends", "--epochs", 1, "--points", 3, "--out", out);
        assertEquals(0, done.code(), done.err());
        assertTrue(done.out().contains("The curve's ends were trained, too"), done.out());
        assertFalse(done.out().contains("Self-check"), done.out());
        Shell plane =
                run("surface", "--curve", out, "--grid", 2, "--samples", 60, "--out", folder.resolve("free-plane"));
        assertEquals(0, plane.code(), plane.err());
        assertTrue(plane.out().contains("bend 0"), plane.out());
    }

    @Test
    void aPlaneWithTrajectoryAndAverageAndItsResumption() throws IOException {
        Path out = folder.resolve("plane");
        List<Object> flags = new ArrayList<>(List.of("surface", net(1, "sgd"), net(2, "sgd"), net(1, "swa")));
        flags.addAll(List.of("--grid", 4, "--samples", 60, "--average", net(1, "swa"), "--trajectory"));
        flags.addAll(members());
        assertTrue(flags.size() > 12, "members");
        Shell done = run(with(flags, "--out", out));
        assertEquals(0, done.code(), done.err());
        assertTrue(done.out().contains("Self-check passed: the plane goes through its nets"), done.out());
        pictured(out, "test-error", "train-loss", "test-error-3d", "train-loss-3d");
        assertTrue(done.out().contains("The lowest training loss of the plane's points is "), done.out());
        assertTrue(done.out().contains("Sampling error (95 %) of a test error on 60 images: "), done.out());
        String svg = Files.readString(out.resolve("train-loss.svg"));
        assertTrue(svg.contains(">average<")
                && svg.contains("checkpoints, projected<")
                && svg.contains(">A: sgd, seed 1<"));
        JsonNode result = Json.read(out.resolve("results.json")).path("result");
        assertEquals(4, result.path("cells").size());
        assertEquals(0, result.path("average").path("spot").path("away").asDouble(), 1e-4);
        byte[] cells = Files.readAllBytes(out.resolve("cells.jsonl"));
        assertEquals(0, run(with(flags, "--resume", out)).code());
        assertArrayEquals(cells, Files.readAllBytes(out.resolve("cells.jsonl")));
    }

    /** Rows and stretches of points go to whoever carries them, and come back as they would have been measured here. */
    @Test
    void whoeverMeasuresTheFilesAreTheSame() throws IOException {
        List<Object> plane = new ArrayList<>(List.of("surface", net(1, "sgd"), net(2, "sgd"), net(1, "swa")));
        plane.addAll(List.of("--grid", 3, "--samples", 60, "--threads", 1));
        List<Object> curve = new ArrayList<>(List.of("connect", net(1, "sgd"), net(2, "sgd"), net(1, "swa")));
        curve.addAll(List.of("--epochs", 1, "--points", 5, "--samples", 60, "--threads", 1));
        assertEquals(0, run(with(plane, "--out", folder.resolve("plane-alone"))).code());
        assertEquals(0, run(with(curve, "--out", folder.resolve("curve-alone"))).code());
        byte[] cells = Files.readAllBytes(folder.resolve("plane-alone/cells.jsonl"));
        for (String carrier : List.of("threads", "processes", "folder")) {
            Path out = folder.resolve("plane-by-" + carrier);
            List<Object> by = carrier.equals("folder") ? plane : List.of(with(plane, "--slots", 2));
            assertEquals(0, run(with(by, "--carrier", carrier, "--out", out)).code(), carrier);
            assertArrayEquals(cells, Files.readAllBytes(out.resolve("cells.jsonl")), carrier);
        }
        Path out = folder.resolve("curve-by-threads");
        assertEquals(0, run(with(curve, "--slots", 2, "--out", out)).code());
        for (String leg : List.of("leg-1", "leg-2")) {
            assertArrayEquals(
                    Files.readAllBytes(
                            folder.resolve("curve-alone").resolve(leg).resolve("points.jsonl")),
                    Files.readAllBytes(out.resolve(leg).resolve("points.jsonl")),
                    leg);
        }
        Shell late = Shell.run("worker", out, "--id", "late");
        assertEquals(0, late.code(), late.err());
        assertTrue(late.err().contains("worker late: the job is done"), late.err());
    }

    /** Every kind of page, as the tests before this one have made them. */
    @AfterAll
    static void pagesAreSoundInABrowser() throws Exception {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> pages = files.filter(f -> f.endsWith("report.html")).toList();
            assertTrue(!pages.isEmpty());
            Browser.requireSound(folder, pages);
        }
    }

    @Test
    void thePageSaysHowItWasMade() throws IOException {
        String html = Files.readString(nets.resolve("report.html"));
        assertTrue(html.contains("<th>command</th><td>basin compare mnist --batch-size=32"), html);
        for (String fact : List.of("version", "date", "machine", "time, sgd", "time, swa")) {
            assertTrue(html.contains("<th>" + fact + "</th>"), fact);
        }
        assertTrue(html.contains("<th>--batch-size</th><td>32</td>") && html.contains("<th>--lr</th><td>0.02</td>"));
        assertFalse(html.contains("Budget["), "no record as Java prints it");
        assertTrue(Files.exists(nets.resolve("figures").resolve("learning-rate.png")));
    }

    @Test
    void widthsOfTwoMethodsOverTwoSeeds() throws IOException {
        Path out = folder.resolve("width");
        Shell done = run(
                "width",
                net(1, "sgd"),
                net(2, "sgd"),
                net(1, "swa"),
                net(2, "swa"),
                "--directions",
                2,
                "--points",
                3,
                "--distance",
                12,
                "--out",
                out);
        assertEquals(0, done.code(), done.err());
        pictured(out, "train-loss-raw", "test-error-raw", "train-loss-filter", "test-error-filter", "train-loss-line");
        JsonNode json = Json.read(out.resolve("results.json"));
        assertEquals(8, json.path("rays").size());
        assertEquals(2, json.path("lines").size());
        assertEquals("A: sgd, seed 1", json.path("lines").path(0).path("first").asText());
        for (String kind : List.of("RAW", "FILTER")) {
            boolean beyond = false;
            for (JsonNode ray : json.path("rays")) {
                beyond |= ray.path("kind").asText().equals(kind)
                        && ray.path("width").asText().equals("NaN");
            }
            String said =
                    json.path("conclusions").path(kind.equals("RAW") ? 0 : 1).asText();
            assertEquals(!beyond, said.contains("difference over 2 seeds"), said);
            assertEquals(beyond, said.contains("wider than the rays are long"), said);
        }
    }

    /** Nothing in a folder may change before it is known to be this command's and this config's. */
    @Test
    void aResumptionOfAnotherCourseOrCommandChangesNothing() throws IOException {
        Path out = folder.resolve("rays");
        List<Object> flags = List.of("width", net(1, "sgd"), net(1, "swa"), "--directions", 1, "--samples", 60);
        assertEquals(0, run(with(flags, "--points", 2, "--out", out)).code());
        byte[] before = Files.readAllBytes(out.resolve("config.json"));
        Shell points = run(with(flags, "--points", 3, "--resume", out));
        assertEquals(2, points.code());
        assertTrue(points.complaint().contains("written with --points 2, now 3"), points.complaint());
        Shell nets = run(
                "width",
                net(2, "sgd"),
                net(1, "swa"),
                "--directions",
                1,
                "--samples",
                60,
                "--points",
                2,
                "--resume",
                out);
        assertEquals(2, nets.code());
        Shell surface = run("surface", net(1, "sgd"), net(2, "sgd"), net(1, "swa"), "--resume", out);
        assertEquals(2, surface.code());
        assertTrue(surface.complaint().contains("was written by 'basin width'"), surface.complaint());
        assertArrayEquals(before, Files.readAllBytes(out.resolve("config.json")));
    }

    /** Bends are models of the samples that their ends were trained on: they are combined, and fitted on what those held out. */
    @Test
    void bendsOfACurveMakeAnEnsemble() throws IOException {
        Path out = folder.resolve("bends");
        Shell done = run(
                "connect", net(1, "sgd"), net(2, "sgd"), "--num-bends", 4, "--epochs", 1, "--points", 3, "--out", out);
        assertEquals(0, done.code(), done.err());
        assertTrue(done.out().contains("Each path joins one pair of nets"), done.out());
        Shell folder = Shell.run("ensemble", out, "--data-dir", data, "--device", "cpu");
        assertEquals(1, folder.code(), "bends are no method's models");
        assertTrue(folder.complaint().contains("a curve's bends too) one by one"), folder.complaint());
        Shell state = Shell.run("evaluate", out.resolve("curve.safetensors"), "--data-dir", data);
        assertEquals(2, state.code());
        assertTrue(state.complaint().contains("control points are bend-*.safetensors"), state.complaint());
        Path one = out.resolve("bend-1.safetensors");
        Path two = out.resolve("bend-2.safetensors");
        Shell ridge = Shell.run("ensemble", one, two, "--combine", "ridge", "--data-dir", data, "--device", "cpu");
        assertEquals(0, ridge.code(), ridge.err());
        assertTrue(ridge.out().contains("all 2, ridge:"), ridge.out());
        try (var in = io.basin.io.Safetensors.open(out.resolve("bend-1.safetensors"))) {
            assertEquals("50", in.metadata().get("validation"));
            assertEquals(null, in.metadata().get("init"));
        }
    }

    /** As the authors count: their 3 is one bend. */
    @Test
    void numBendsCountsTheEndsTooAndARunFromBeforeIsNamedAsSuch() throws IOException {
        Path out = folder.resolve("counted");
        List<Object> flags = List.of("connect", net(1, "sgd"), net(2, "sgd"), "--epochs", 1, "--points", 3);
        assertEquals(0, run(with(flags, "--num-bends", 3, "--out", out)).code());
        assertTrue(Files.exists(out.resolve("bend-1.safetensors")));
        assertFalse(Files.exists(out.resolve("bend-2.safetensors")));
        String curve = Json.read(out.resolve("results.json"))
                .path("facts")
                .path("curve")
                .asText();
        assertTrue(curve.contains("3 control points with the ends, so 1 bend"), curve);
        Shell usual = run(with(flags, "--resume", out));
        assertEquals(0, usual.code(), "one bend is the default: " + usual.err());
        Path config = out.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst(" *\"num_bends\" : 3,\n", ""));
        Shell old = run(with(flags, "--num-bends", 5, "--resume", out));
        assertEquals(2, old.code());
        assertTrue(old.complaint().contains("it has 1 between them, which is --num-bends 3 now"), old.complaint());
        for (int few : new int[] {2, 1, 0}) {
            Shell line = run(with(flags, "--num-bends", few, "--out", folder.resolve("none")));
            assertEquals(2, line.code());
            assertTrue(line.complaint().contains("3 is a curve with one bend; got " + few), line.complaint());
        }
        Shell both = run(with(flags, "--num-bends", 3, "--bends", 2, "--out", folder.resolve("none")));
        assertTrue(both.complaint().contains("--num-bends 3 is --bends 1, not 2"), both.complaint());
        assertFalse(Files.exists(folder.resolve("none")));
    }

    @Test
    void tooFewSamplesNameTheirFlag() {
        for (String flag : List.of("--samples", "--bn-samples", "--train-samples")) {
            Shell done = run("width", net(1, "sgd"), flag, 5, "--out", folder.resolve("few"));
            assertEquals(2, done.code(), done.err());
            assertTrue(done.complaint().contains(flag + ": 5 of"), done.complaint());
        }
        Shell done = Shell.run("width", net(1, "sgd"), "--data-dir", data, "--device", "cpu", "--validation", 5);
        assertEquals(2, done.code(), done.err());
        assertTrue(done.complaint().contains("--validation: holding 5 samples out of"), done.complaint());
    }

    @Test
    void moreSamplesThanThereAreAreRefusedWithTheirNumber() {
        for (String flag : List.of("--samples", "--bn-samples", "--train-samples")) {
            Shell done = run("width", net(1, "sgd"), flag, 100_000, "--out", folder.resolve("many"));
            assertEquals(2, done.code(), done.err());
            assertTrue(done.complaint().contains(flag + ": 100000 are more than the "), done.complaint());
        }
        Shell plan = Shell.run("schedule", "mnist", "--train-samples", 55_001);
        assertEquals(2, plan.code(), plan.err());
        assertTrue(plan.complaint().contains("--train-samples: 55001 are more than the 55000"), plan.complaint());
        Shell top = Shell.run("predict", net(1, "sgd"), net(1, "sgd"), "x.png", "--top", 11, "--data-dir", data);
        assertEquals(2, top.code(), top.err());
        assertTrue(top.complaint().contains("--top 11 exceeds the 10 classes"), top.complaint());
    }

    @Test
    void otherTrainingDataThanTheNetsHadIsRefused() {
        Shell done = run("width", net(1, "sgd"), net(1, "swa"), "--train-samples", 100, "--out", folder.resolve("no"));
        assertEquals(2, done.code());
        assertTrue(done.complaint().contains("--train-samples 100"), done.complaint());
        assertTrue(done.complaint().contains("repeat the flags of its training"), done.complaint());
    }
}
