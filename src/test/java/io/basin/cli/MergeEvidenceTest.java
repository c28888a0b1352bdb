package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is averaged must lie in one basin, by what files say and by what is measured; what is trained stays. */
class MergeEvidenceTest {
    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;

    @BeforeAll
    static void compareTwo() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        run = compare("run", "--methods", "sgd,swa", "--seeds", 2);
    }

    private static Path compare(String name, Object... more) {
        Path out = shared.resolve(name);
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 40, "--batch-size", 20, "--epochs", 3));
        args.addAll(List.of("--threads", 1, "--out", out));
        args.addAll(List.of(more));
        Shell done = Shell.run(args.toArray());
        assertEquals(0, done.code(), done.err());
        return out;
    }

    private static Shell average(Object... args) {
        List<Object> all = new ArrayList<>(List.of("average", "--data-dir", data, "--device", "cpu", "--out"));
        all.addAll(List.of(args));
        return Shell.run(all.toArray());
    }

    private static Path net(Path folder, int seed, String method) {
        return folder.resolve("seed-" + seed + "/" + method + "/" + method + ".safetensors");
    }

    @Test
    void netsOfOneRunAreAveragedAndTheirOwnAccuracyIsSaidBesideTheMeans() {
        Path swa = run.resolve("seed-1/swa");
        Shell done =
                average(shared.resolve("mean.safetensors"), swa.resolve("member-29.safetensors"), net(run, 1, "swa"));
        assertEquals(0, done.code(), done.err());
        assertTrue(
                done.out().matches("(?s).*held-out accuracy [0-9.]+ %, of its files [0-9.]+ % on average.*"),
                done.out());
    }

    /** The seed draws the same first weights; the rates differ from the first step on. */
    @Test
    void netsOfOneInitialisationThatPartAtOnceAreRefused() {
        Path other = compare("other", "--methods", "sgd", "--lr", 0.03);
        Path out = shared.resolve("none.safetensors");
        Shell refused = average(out, net(run, 1, "sgd"), net(other, 1, "sgd"));
        assertEquals(2, refused.code(), refused.err());
        assertTrue(refused.complaint().contains("part within the first epoch"), refused.complaint());
        assertFalse(Files.exists(out));
    }

    /** Nets of two seeds whose headers claim one initialisation and say nothing else: only a measurement tells. */
    @Test
    void aBarrierIsFoundWhereHeadersShowNone() {
        Path a = claiming(net(run, 1, "sgd"), "a.safetensors");
        Path b = claiming(net(run, 2, "sgd"), "b.safetensors");
        Path out = shared.resolve("apart.safetensors");
        Shell refused = average(out, a, b);
        assertEquals(2, refused.code(), refused.err());
        assertTrue(refused.complaint().contains("a barrier lies between these files"), refused.complaint());
        assertFalse(Files.exists(out));
        Shell forced = average(out, a, b, "--force");
        assertEquals(0, forced.code(), forced.err());
        assertTrue(forced.err().contains("warning: a barrier lies between"), forced.err());
    }

    private static Path claiming(Path file, String name) {
        Path copy = shared.resolve(name);
        try (Safetensors in = Safetensors.open(file)) {
            Map<String, String> header = new HashMap<>(in.metadata());
            header.remove("path");
            header.put("init", "1");
            header.keySet().removeIf(k -> k.contains("sha256") || k.contains("check"));
            SafetensorsWriter writer = Safetensors.writer().metadata(header);
            in.tensors()
                    .forEach((tensor, entry) -> writer.add(
                            tensor,
                            entry.shape().stream().mapToLong(Long::longValue).toArray(),
                            in.floats(tensor)));
            writer.write(copy);
        }
        return copy;
    }

    @Test
    void weightsMayBeNegativeAndAreDividedByTheirSum() {
        Path a = run.resolve("seed-1/swa/member-29.safetensors");
        Path b = net(run, 1, "swa");
        Path c = net(run, 1, "sgd");
        Path mixed = shared.resolve("mixed.safetensors");
        Shell done = average(mixed, "--weights", "1,1.4,-0.4", a, b, c);
        assertEquals(0, done.code(), done.err());
        Path raw = shared.resolve("raw.safetensors");
        assertEquals(
                0,
                average(raw, "--weights", "-0.25,1,0.5", "--unnormalised", a, b, c)
                        .code());
        try (Safetensors x = Safetensors.open(a);
                Safetensors y = Safetensors.open(b);
                Safetensors z = Safetensors.open(c);
                Safetensors mean = Safetensors.open(mixed);
                Safetensors sum = Safetensors.open(raw)) {
            for (String name : mean.tensors().keySet()) {
                if (name.contains("running")) continue;
                for (int i = 0; i < mean.floats(name).length; i++) {
                    double p = x.floats(name)[i];
                    double q = y.floats(name)[i];
                    double r = z.floats(name)[i];
                    assertEquals((float) ((p + 1.4 * q - 0.4 * r) / 2), mean.floats(name)[i], 1e-7, name);
                    assertEquals((float) (-0.25 * p + q + 0.5 * r), sum.floats(name)[i], 1e-7, name);
                }
                if (mean.floats(name).length > 200) break;
            }
        }
        Path none = shared.resolve("none.safetensors");
        assertRefused("sum to 0", none, "--weights", "1,-1", a, b);
        assertRefused("--weights has 2 numbers for 3 files", none, "--weights", "1,2", a, b, c);
        assertRefused("--no-bn-update", none, "--weights", "2,-1", "--no-bn-update", a, b);
        assertRefused("--unnormalised takes --weights", none, "--unnormalised", a, b);
    }

    private static void assertRefused(String why, Object... args) {
        Shell shell = average(args);
        assertEquals(2, shell.code(), shell.err());
        assertTrue(shell.complaint().contains(why), shell.complaint());
    }

    /** EMA would have been trained with SGD in one run, and SWAG with SWA. */
    @Test
    void methodsThatJoinAFinishedComparisonHaveNothingTrainedThatIsThere() throws IOException {
        Path there = compare("joined", "--methods", "sgd,swa");
        Map<String, FileTime> before = trained(there);
        Shell more = Shell.run("compare", "--resume", there, "--methods", "fge,ema,sgd,swag,swa", "--swag-samples", 2);
        assertEquals(0, more.code(), more.err());
        before.forEach((file, time) -> {
            assertTrue(Files.exists(there.resolve(file)), file);
            try {
                assertEquals(time, Files.getLastModifiedTime(there.resolve(file)), file);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertFalse(more.err().contains("sgd, seed 1: epoch") || more.err().contains("swa, seed 1: epoch"), more.err());
        assertTrue(Files.exists(there.resolve("seed-1/ema")) && Files.exists(there.resolve("seed-1/swag")));
        for (String method : List.of("sgd", "swa", "ema", "swag", "fge"))
            assertTrue(more.out().contains(method));
    }

    private static Map<String, FileTime> trained(Path folder) throws IOException {
        Map<String, FileTime> all = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".safetensors")).toList()) {
                all.put(folder.relativize(file).toString(), Files.getLastModifiedTime(file));
            }
        }
        return all;
    }
}
