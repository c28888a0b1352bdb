package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.data.Photos;
import io.basin.device.Distortion;
import io.basin.io.Json;
import io.basin.train.ModelHeader;
import io.basin.train.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Colour jitter, cutout and mixup from the command line to the files of nets, and what files say where there are none. */
class DistortedCommandsTest {
    @TempDir
    Path folder;

    private Shell compare(Path data, String out, Object... more) {
        List<Object> args = new ArrayList<>(List.of("compare", data, "--methods", "sgd,swa", "--device", "cpu"));
        args.addAll(List.of("--threads", 1, "--epochs", 2, "--batch-size", 8, "--model", "small-cnn"));
        args.addAll(List.of("--image-size", 16, "--seeds", 1, "--out", folder.resolve(out)));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private Path net(String run, String method) {
        return folder.resolve(run).resolve("seed-1").resolve(method).resolve(method + ".safetensors");
    }

    private static Object[] all(double mixup) {
        return new Object[] {
            "--augment", "crop_flip", "--color-jitter", 0.4, "--cutout", 4, "--mixup", mixup, "--label-smoothing", 0.1
        };
    }

    @Test
    void allOfThemTogetherTrainAndAreKeptInTheNetsFiles() throws Exception {
        Path data = Photos.write(folder.resolve("paint"), 20);
        Shell trained = compare(data, "run", all(0.2));
        assertEquals(0, trained.code(), trained.err());
        Map<String, String> header = ModelHeader.of(net("run", "swa")).header();
        assertEquals("0.4 4 0.2", header.get("jitter") + " " + header.get("cutout") + " " + header.get("mixup"));
        JsonNode kept = Json.read(folder.resolve("run").resolve("config.json")).at("/settings/data");
        assertEquals("0.4 4 0.2", kept.get("jitter") + " " + kept.get("cutout") + " " + kept.get("mixup"));

        Shell again = compare(data, "again", all(0.2));
        assertEquals(0, again.code(), again.err());
        assertEquals(-1, Files.mismatch(net("run", "swa"), net("again", "swa")));

        Object[] connect = {
            "connect",
            net("run", "sgd"),
            net("run", "swa"),
            "--points",
            3,
            "--epochs",
            0.5,
            "--batch-size",
            8,
            "--device",
            "cpu",
            "--threads",
            1,
            "--out",
            folder.resolve("c")
        };
        Shell connected = Shell.run(connect);
        assertEquals(0, connected.code(), connected.err());
    }

    @Test
    void aRunGoesOnWithTheDistortionThatItBeganWithAlone() {
        Path data = Photos.write(folder.resolve("paint"), 20);
        assertEquals(0, compare(data, "run", all(0.2)).code());
        requireRefusal("run", "--mixup 0.2, now 0.3", "--mixup", 0.3);
        requireRefusal("run", "--cutout 4, now 0", "--color-jitter", 0, "--cutout", 0, "--mixup", 0);
        Shell plain = compare(data, "plain");
        assertEquals(0, plain.code(), plain.err());
        requireRefusal("plain", "--mixup 0, now 0.2", "--mixup", 0.2);
    }

    private void requireRefusal(String run, String said, Object... flags) {
        Shell resumed =
                Shell.run(Stream.concat(Stream.of("compare", "--resume", folder.resolve(run)), Arrays.stream(flags))
                        .toArray());
        assertEquals(2, resumed.code(), resumed.err());
        assertTrue(resumed.complaint().contains(said), resumed.complaint());
    }

    /** Files and fingerprints of runs that began before there were distortions. */
    @Test
    void whatIsNotDistortedIsWrittenAsBefore() throws Exception {
        Path data = Photos.write(folder.resolve("paint"), 20);
        assertEquals(0, compare(data, "run").code());
        for (String file : List.of("config.json", "results.json")) {
            String text = Files.readString(folder.resolve("run").resolve(file));
            for (String word : List.of("jitter", "cutout", "mixup", "distortion"))
                assertFalse(text.contains(word), file);
        }
        Map<String, String> header = ModelHeader.of(net("run", "swa")).header();
        assertFalse(header.containsKey("jitter") || header.containsKey("cutout") || header.containsKey("mixup"));
        Settings.Data plain = new Settings.Data(8, 2, true, 10, 0);
        assertEquals(
                "dataset=d, model=m, momentum=0.9, weightDecay=5.0E-4, nesterov=false, decayEverything=true, smoothing=0.0,"
                        + " precision=FP32, batch=8, pad=2, flip=true, validation=10, trainSamples=0",
                new Settings("d", "m").with(plain).identity());
        Settings.Data mixed = new Settings.Data(8, 2, true, 10, 0, 0, new Distortion(0, 0, 0.2));
        assertTrue(new Settings("d", "m").with(mixed).identity().endsWith("mixup=0.2"));
    }

    @Test
    void whatDoesNotFitTheSamplesIsRefused() throws Exception {
        Path data = Photos.write(folder.resolve("paint"), 20);
        Shell wide = compare(data, "wide", "--cutout", 16);
        assertEquals(2, wide.code(), wide.err());
        assertTrue(wide.complaint().contains("--cutout 16 is not below the image's 16 x 16"), wide.complaint());
        assertFalse(Files.exists(folder.resolve("wide")));
        Path table = folder.resolve("table.csv");
        StringBuilder rows = new StringBuilder("a,b,label\n");
        for (int i = 0; i < 80; i++)
            rows.append(i % 7)
                    .append(',')
                    .append(i % 5)
                    .append(',')
                    .append(i % 2)
                    .append('\n');
        Files.writeString(table, rows);
        Object[] words = {
            "train",
            table,
            "--method",
            "sgd",
            "--epochs",
            1,
            "--batch-size",
            8,
            "--device",
            "cpu",
            "--out",
            folder.resolve("t")
        };
        Object[] jitter = Stream.concat(Arrays.stream(words), Stream.of("--color-jitter", 0.4))
                .toArray();
        assertTrue(Shell.run(jitter).complaint().contains("--color-jitter and --cutout change pictures"));
        Object[] mixup =
                Stream.concat(Arrays.stream(words), Stream.of("--mixup", 1)).toArray();
        Shell mixed = Shell.run(mixup);
        assertEquals(0, mixed.code(), mixed.err());
    }
}
