package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Results never take the place of what a command reads or a run needs. */
@Timeout(120)
class OutputsTest {
    @TempDir
    private Path folder;

    private Path data;
    private Path run;
    private Path weights;

    @BeforeEach
    void makeARun() {
        data = Shell.grey(folder.resolve("data"), 60, 20);
        run = folder.resolve("run");
        weights = run.resolve("seed-1/sgd/sgd.safetensors");
        assertEquals(0, train("mnist", run, "--data-dir", data).code());
    }

    private static Shell train(Object dataset, Path out, Object... more) {
        Object[] args = {
            "train",
            dataset,
            "--method",
            "sgd",
            "--epochs",
            1,
            "--batch-size",
            16,
            "--validation",
            20,
            "--device",
            "cpu",
            "--threads",
            1,
            "--out",
            out
        };
        Object[] all = java.util.Arrays.copyOf(args, args.length + more.length);
        System.arraycopy(more, 0, all, args.length, more.length);
        return Shell.run(all);
    }

    private void refused(Path file, String flag, String why, Object... words) throws Exception {
        byte[] before = Files.readAllBytes(file);
        Shell said = Shell.run(words);
        assertEquals(2, said.code(), said.err() + List.of(words));
        assertTrue(said.complaint().contains(flag + ": " + file + " " + why), said.complaint());
        assertArrayEquals(before, Files.readAllBytes(file), List.of(words).toString());
    }

    @Test
    void noFlagTakesWhatACommandReads() throws Exception {
        String reads = "is what the command reads";
        for (String flag : List.of("--json", "--csv", "--reliability")) {
            refused(weights, flag, reads, "evaluate", weights, "--data-dir", data, flag, weights);
        }
        Path link = Files.createSymbolicLink(folder.resolve("link.json"), weights);
        refused(link, "--json", reads, "evaluate", weights, "--data-dir", data, "--json", link);
        for (String flag : List.of("--json", "--svg")) {
            refused(weights, flag, reads, "ensemble", weights, weights, "--data-dir", data, flag, weights);
        }
        Path picture = folder.resolve("picture.png");
        ImageIO.write(new BufferedImage(28, 28, BufferedImage.TYPE_BYTE_GRAY), "png", picture.toFile());
        refused(picture, "--json", reads, "predict", weights, picture, "--data-dir", data, "--json", picture);
        Path table = folder.resolve("rows.csv");
        Files.writeString(table, "label,a\n" + "x,1\ny,2\n".repeat(30));
        refused(table, "--csv", reads, "train", table, "--method", "sgd", "--epochs", 1, "--csv", table);
    }

    @Test
    void noFlagTakesAFileOfARun() throws Exception {
        String ofARun = "is a file of a run";
        Path config = run.resolve("config.json");
        refused(config, "--json", ofARun, "report", run, "--json", config);
        refused(config, "--csv", ofARun, "runs", run, "--csv", config);
        refused(config, "--csv", ofARun, "train", "--resume", run, "--csv", config);
        refused(config, "--metrics-csv", ofARun, "train", "--resume", run, "--metrics-csv", config);
        Path scores = run.resolve("seed-1/sgd/scores.json");
        refused(scores, "--json", ofARun, "evaluate", weights, "--data-dir", data, "--json", scores);
    }

    @Test
    void otherKindsOfFilesStayAndOlderResultsAreReplaced() throws Exception {
        Path other = folder.resolve("other.pt");
        Files.writeString(other, "mine");
        refused(
                other,
                "--json",
                "exists, and is by its name",
                "evaluate",
                weights,
                "--data-dir",
                data,
                "--json",
                other);
        Path results = folder.resolve("results.json");
        for (int i = 0; i < 2; i++) {
            assertEquals(
                    0,
                    Shell.run("evaluate", weights, "--data-dir", data, "--json", results)
                            .code());
        }
    }

    /** A report shows a table under the settings that made it. */
    @Test
    void resultsOfAnotherRunAreRefused() throws Exception {
        Path other = folder.resolve("other");
        assertEquals(0, train("mnist", other, "--data-dir", data, "--lr", 0.01).code());
        Files.copy(
                other.resolve("results.json"),
                run.resolve("results.json"),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Shell said = Shell.run("report", run);
        assertEquals(1, said.code(), said.err());
        assertTrue(
                said.complaint().contains("results.json: is of another run than the config.json beside it"),
                said.complaint());
    }

    /** Its path is in the file as it is; only messages cut and clean it. */
    @Test
    void netsOfDataWithALongOrOddPathCanBeMeasured() throws Exception {
        for (String odd : List.of("a".repeat(120) + "/" + "b".repeat(120), "line\nbreak")) {
            Path pictures = folder.resolve(odd);
            for (String name : List.of("one", "two")) {
                Path of = Files.createDirectories(pictures.resolve(name));
                for (int i = 0; i < 12; i++) {
                    BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
                    image.getRaster().setSample(i % 8, name.equals("one") ? 0 : 7, 0, 200);
                    ImageIO.write(image, "png", of.resolve(i + ".png").toFile());
                }
            }
            Path out = folder.resolve("own" + odd.length());
            Shell trained = Shell.run(
                    "train",
                    pictures,
                    "--method",
                    "sgd",
                    "--model",
                    "mlp",
                    "--image-size",
                    8,
                    "--epochs",
                    1,
                    "--batch-size",
                    4,
                    "--threads",
                    1,
                    "--device",
                    "cpu",
                    "--out",
                    out);
            assertEquals(0, trained.code(), trained.err());
            Shell said = Shell.run("evaluate", out.resolve("seed-1/sgd/sgd.safetensors"), "--threads", 1);
            assertEquals(0, said.code(), said.err());
        }
    }
}
