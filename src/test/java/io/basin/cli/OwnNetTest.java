package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nets of the caller's own are named by the class that builds them, on the command line and in files. */
class OwnNetTest {
    @TempDir
    Path folder;

    private Shell train(String net, int seed, Path data) {
        return Shell.run(
                "train",
                "mnist",
                "--data-dir",
                data,
                "--model",
                net,
                "--method",
                "sgd",
                "--epochs",
                "1",
                "--device",
                "cpu",
                "--threads",
                "1",
                "--validation",
                "20",
                "--batch-size",
                "20",
                "--seed",
                seed,
                "--out",
                folder.resolve("run" + seed));
    }

    private Path weights(int seed) {
        return folder.resolve("run" + seed)
                .resolve("seed-" + seed)
                .resolve("sgd")
                .resolve("sgd.safetensors");
    }

    @Test
    void aClassOnTheClassPathIsTrainedEvaluatedAndAveraged() {
        Path data = Shell.grey(folder.resolve("data"), 200, 40);
        String net = OwnNet.class.getName();
        for (int seed = 1; seed < 3; seed++) {
            Shell trained = train(net, seed, data);
            assertEquals(0, trained.code(), trained.err());
        }
        Shell evaluated = Shell.run("evaluate", weights(1), "--data-dir", data, "--device", "cpu");
        assertTrue(evaluated.out().startsWith(net + " on mnist: accuracy "), evaluated.out() + evaluated.err());
        Shell averaged = Shell.run(
                "average",
                weights(1),
                weights(2),
                "--force",
                "--out",
                folder.resolve("mean.safetensors"),
                "--data-dir",
                data);
        assertEquals(0, averaged.code(), averaged.err());
        Shell connected = Shell.run(
                "connect",
                weights(1),
                weights(2),
                "--data-dir",
                data,
                "--device",
                "cpu",
                "--epochs",
                "0.5",
                "--points",
                "3",
                "--validation",
                "20",
                "--batch-size",
                "20",
                "--out",
                folder.resolve("curve"));
        assertEquals(0, connected.code(), connected.err());
    }

    @Test
    void aMethodOfOnesOwnIsComparedWithThePublishedOnes() throws Exception {
        Path data = Shell.grey(folder.resolve("data"), 200, 40);
        List<Object> flags = List.of(
                "--data-dir",
                data,
                "--model",
                "mlp",
                "--epochs",
                2,
                "--validation",
                20,
                "--batch-size",
                20,
                "--device",
                "cpu",
                "--threads",
                1);
        Path out = folder.resolve("compared");
        Shell compared = run(flags, "compare", "mnist", "--methods", "sgd," + OwnTail.class.getName(), "--out", out);
        assertEquals(0, compared.code(), compared.err());
        assertTrue(compared.out().lines().anyMatch(l -> l.startsWith("own-tail")), compared.out());
        Shell resumed = Shell.run("compare", "--resume", out);
        assertEquals(0, resumed.code(), resumed.err());
        assertEquals(compared.out(), resumed.out());
        Path averaged = out.resolve("seed-1").resolve("own-tail").resolve("own-tail.safetensors");
        assertEquals(
                0,
                Shell.run("evaluate", averaged, "--data-dir", data, "--device", "cpu")
                        .code());
        Shell lost = run(flags, "compare", "mnist", "--methods", "com.acme.Lost");
        assertTrue(lost.complaint().contains("--methods: no class 'com.acme.Lost'"), lost.err());
        Shell net = run(flags, "train", "mnist", "--method", OwnNet.class.getName());
        assertTrue(net.complaint().contains("is not a MethodSettings"), net.err());
        Shell near = run(flags, "train", "mnist", "--method", "swaa");
        assertTrue(near.complaint().contains("did you mean 'swa'"), near.err());
    }

    private static Shell run(List<Object> flags, Object... args) {
        List<Object> all = new ArrayList<>(List.of(args));
        all.addAll(flags);
        return Shell.run(all.toArray());
    }

    @Test
    void aClassThatIsMissingOrBuildsNoNetIsNamed() {
        Path data = Shell.grey(folder.resolve("data"), 200, 40);
        Path file = folder.resolve("lost.safetensors");
        Safetensors.writer()
                .metadata(Map.of("model", "com.acme.Lost", "dataset", "mnist"))
                .add("fc.weight", new long[] {1}, new float[] {1})
                .write(file);
        Shell lost = Shell.run("evaluate", file, "--data-dir", data, "--device", "cpu");
        assertTrue(lost.complaint().contains("no class 'com.acme.Lost' is on the class path"), lost.err());
        assertEquals(1, lost.code());
        Shell other = train("java.lang.String", 1, data);
        assertEquals(2, other.code());
        assertTrue(other.complaint().contains("class 'java.lang.String' is not a Supplier<Graph>"), other.err());
    }
}
