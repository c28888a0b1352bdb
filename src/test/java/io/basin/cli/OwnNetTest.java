package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.Safetensors;
import java.nio.file.Path;
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
