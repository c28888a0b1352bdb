package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.data.Photos;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user reads who names data that are not there, or pictures that are not the data's. */
class DataCommandTest {
    private static final List<Object> TINY = List.of(
            "train",
            "mnist",
            "--model",
            "mlp",
            "--validation",
            40,
            "--batch-size",
            20,
            "--epochs",
            0.5,
            "--method",
            "sgd",
            "--threads",
            1,
            "--device",
            "cpu");

    @TempDir
    Path folder;

    /** The command in a process of its own with variables; home is a folder of the test. */
    private Child child(Map<String, String> environment, Object... args) throws IOException {
        ProcessBuilder java = new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "-Duser.home=" + folder,
                "-cp",
                Jvm.classPath(),
                Main.class.getName());
        for (Object arg : args) java.command().add(arg.toString());
        java.environment().putAll(environment);
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        return new Child(
                java.redirectOutput(out.toFile()).redirectError(err.toFile()).start(), out, err);
    }

    private static Object[] with(Object... more) {
        List<Object> all = new ArrayList<>(TINY);
        all.addAll(List.of(more));
        return all.toArray();
    }

    @Test
    void missingDataSayHowToFetchThem() throws Exception {
        Path none = folder.resolve("none");
        for (Object[] args : new Object[][] {
            with("--data-dir", none, "--out", folder.resolve("run")),
            {"data", "verify", "mnist", "--data-dir", none},
            {"compare", "cifar10", "--data-dir", none}
        }) {
            Shell shell = Shell.run(args);
            assertEquals(1, shell.code(), shell.err());
            assertTrue(shell.complaint().contains("'basin data fetch "), shell.complaint());
            assertTrue(shell.complaint().contains(none + " does not exist"), shell.complaint());
        }
        assertFalse(Files.exists(folder.resolve("run")));
        Path own = Shell.grey(folder.resolve("own"), 240, 60);
        Shell changed = Shell.run("data", "verify", "mnist", "--data-dir", own);
        assertEquals(1, changed.code());
        assertTrue(changed.out().contains("DIFFERENT"), changed.out());
        assertTrue(changed.complaint().contains("'basin data fetch mnist --data-dir " + own), changed.complaint());
    }

    /** The variable's folder is used where it fits and refused where not, though the system may have the set. */
    @Test
    void theVariablesFolderIsTheOneThatIsTrainedOn() throws Exception {
        Path mine = folder.resolve("mine");
        Shell.grey(mine.resolve("fashion-mnist"), 240, 60);
        Object[] train = with("--out", folder.resolve("run"));
        train[1] = "fashion-mnist";
        Child home = child(Map.of("BASIN_DATA", "~/mine"), train);
        assertEquals(0, home.code(), home.complained());
        assertTrue(Files.isDirectory(folder.resolve("run")));
        train[train.length - 1] = folder.resolve("again").toString();
        Files.move(mine.resolve("fashion-mnist/t10k-labels-idx1-ubyte"), mine.resolve("aside"));
        Child lacking = child(Map.of("BASIN_DATA", mine.toString()), train);
        assertEquals(1, lacking.code(), lacking.complained());
        assertTrue(lacking.complained().contains("lacks t10k-labels-idx1-ubyte"), lacking.complained());
        Child verify = child(Map.of("BASIN_DATA", ""), "data", "verify", "fashion-mnist");
        assertEquals(2, verify.code(), verify.complained());
        assertTrue(verify.complained().contains("$BASIN_DATA is set and empty"), verify.complained());
        Child list = child(Map.of("BASIN_DATA", mine.toString()), "data", "list");
        assertEquals(0, list.code(), list.complained());
        assertTrue(list.said().contains("lacks t10k-labels-idx1-ubyte"), list.said());
        assertFalse(Files.exists(folder.resolve("again")));
    }

    @Test
    void invertedPicturesAreAnsweredWithOneWarning() throws Exception {
        Path data = Shell.grey(folder.resolve("data"), 240, 60);
        for (String part : List.of("train", "t10k")) {
            Path images = data.resolve(part + "-images-idx3-ubyte");
            byte[] bytes = Files.readAllBytes(images);
            // Digits have black margins.
            for (int i = 16; i < bytes.length; i++) {
                int x = (i - 16) % 28;
                int y = (i - 16) / 28 % 28;
                if (Math.min(x, y) < 3 || Math.max(x, y) > 24) bytes[i] = 0;
            }
            Files.write(images, bytes);
        }
        Path run = folder.resolve("run");
        Shell trained = Shell.run(with("--data-dir", data, "--out", run));
        assertEquals(0, trained.code(), trained.err());
        Path weights;
        try (Stream<Path> files = Files.walk(run)) {
            weights =
                    files.filter(f -> f.endsWith("sgd.safetensors")).findFirst().orElseThrow();
        }
        BufferedImage image = new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY);
        Path black = folder.resolve("black.png");
        ImageIO.write(image, "png", black.toFile());
        for (int i = 0; i < 784; i++) image.getRaster().setSample(i % 28, i / 28, 0, 255);
        Path white = folder.resolve("white.png");
        ImageIO.write(image, "png", white.toFile());
        Shell fine = Shell.run("predict", weights, black, "--data-dir", data, "--device", "cpu");
        assertEquals("nothing", fine.complaint());
        Shell inverted = Shell.run("predict", weights, black, white, "--data-dir", data, "--device", "cpu");
        assertEquals(0, inverted.code(), inverted.err());
        assertTrue(
                inverted.complaint().startsWith("basin: warning: 1 of 2 images look inverted (" + white),
                inverted.complaint());
    }

    @Test
    void copiesOfOwnPicturesAreListedAndDeleted() throws Exception {
        Path paint = Photos.write(folder.resolve("paint"), 2);
        Path own = folder.resolve("cache/own");
        assertEquals("0 copies, 0.0 MB in " + own + "\n", cached("data", "own"));
        cached("schedule", paint, "--image-size", 8, "--batch-size", 2, "--methods", "sgd");
        String listed = cached("data", "own");
        assertTrue(listed.endsWith(": " + paint + ", 6 pictures, 8 x 8\n1 copy, 0.0 MB in " + own + "\n"), listed);
        assertEquals("deleted 1 copy, 0.0 MB in " + own + "\n", cached("data", "clean"));
        assertEquals("0 copies, 0.0 MB in " + own + "\n", cached("data", "own"));
    }

    private String cached(Object... args) throws Exception {
        Child child = child(Map.of("BASIN_CACHE", folder.resolve("cache").toString()), args);
        assertEquals(0, child.code(), child.complained());
        return child.said();
    }
}
