package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Photos;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Data of one's own at the command line, from a folder of pictures to the classes of a new one. */
class OwnDataTest {
    @TempDir
    Path folder;

    private static Shell run(Object... args) {
        return Shell.run(args);
    }

    private Shell compare(Path data, String out, Object... more) {
        List<Object> args = new ArrayList<>(List.of("compare", data, "--methods", "sgd,swa", "--device", "cpu"));
        args.addAll(List.of("--threads", 1, "--epochs", 4, "--batch-size", 8, "--out", folder.resolve(out)));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private Path net(String run, String method) {
        return folder.resolve(run).resolve("seed-1").resolve(method).resolve(method + ".safetensors");
    }

    @Test
    void aFolderOfPicturesIsComparedMeasuredResumedAndAsked() throws IOException {
        Path data = Photos.write(folder.resolve("paint"), 20);
        Shell compared = compare(data, "run", "--model", "small-cnn", "--image-size", 20, "--seeds", 1);
        assertEquals(0, compared.code(), compared.err());
        assertTrue(compared.out().startsWith("paint, small-cnn: 4.0 epochs"), compared.out());
        Path net = net("run", "swa");
        try (Safetensors in = Safetensors.open(net)) {
            assertEquals(data + "?image-size=20", in.metadata().get("dataset"));
            assertEquals("[\"blue\",\"green\",\"red\"]", in.metadata().get("classes"));
            assertEquals("[3,20,20]", in.metadata().get("input"));
            assertTrue(in.metadata().get("data").startsWith("51 training and 9 test images, SHA-256 "));
        }
        Shell evaluated = run("evaluate", net, net("run", "sgd"), "--device", "cpu", "--threads", 1);
        assertEquals(0, evaluated.code(), evaluated.err());
        assertTrue(evaluated.out().contains("small-cnn on paint: accuracy "), evaluated.out());
        Shell more = run("compare", "--resume", folder.resolve("run"), "--seeds", 2);
        assertEquals(0, more.code(), more.err());
        assertTrue(Files.exists(folder.resolve("run/seed-2/swa/swa.safetensors")));

        Path wide = Photos.write(folder.resolve("new.jpg"), Photos.picture(90, 41, 2, 3));
        Shell asked = run("predict", net, net("run", "sgd"), wide, "--top", 1, "--device", "cpu");
        assertEquals(0, asked.code(), asked.err());
        assertTrue(asked.out().startsWith(wide + ":  red "), asked.out());
        Shell strict = run("predict", net, wide, "--strict-size");
        assertEquals(1, strict.code(), strict.err());
        assertTrue(
                strict.complaint().contains("is 90 x 41, the net needs 20 x 20: scale it, or leave --strict-size out"));
    }

    @Test
    void picturesThatMayNotLieOnTheDeviceStreamToItAndMakeTheSameNet() throws IOException {
        Path data = Photos.write(folder.resolve("paint"), 20);
        Object[] small = {"--model", "small-cnn", "--image-size", 12, "--seeds", 1};
        Shell lies = compare(data, "lies", small);
        assertFalse(lies.err().contains("stream"), lies.err());
        Object[] streaming =
                Stream.concat(Stream.of(small), Stream.of("--data-memory", 0)).toArray();
        Shell streams = compare(data, "streams", streaming);
        assertEquals(0, streams.code(), streams.err());
        assertTrue(
                streams.err().contains("its samples stay in the host's memory and stream to the device"),
                streams.err());
        assertEquals(-1, Files.mismatch(net("lies", "swa"), net("streams", "swa")));
        String results = Files.readString(folder.resolve("streams/results.json"));
        assertTrue(results.contains("test samples, streamed from the host"), results);
    }

    @Test
    void landscapesAndMeansFindTheDataByTheFilesAlone() {
        Path data = Photos.write(folder.resolve("paint"), 20);
        assertEquals(
                0,
                compare(data, "run", "--model", "mlp", "--image-size", 8, "--seeds", 1)
                        .code());
        Path sgd = net("run", "sgd");
        Path swa = net("run", "swa");
        Object[][] commands = {
            {"width", sgd, "--directions", 1, "--points", 3, "--out", folder.resolve("w")},
            {"connect", sgd, swa, "--points", 3, "--epochs", 0.5, "--batch-size", 8, "--out", folder.resolve("c")},
            {"ensemble", sgd, swa},
            {"average", sgd, swa, "--out", folder.resolve("mean.safetensors")}
        };
        for (Object[] command : commands) {
            Object[] all = Stream.concat(Stream.of(command), Stream.of("--device", "cpu", "--threads", 1))
                    .toArray();
            Shell done = run(all);
            assertEquals(0, done.code(), command[0] + ": " + done.err());
        }
        Path green = Photos.write(folder.resolve("new.png"), Photos.picture(8, 8, 1, 3));
        Shell asked = run("predict", folder.resolve("mean.safetensors"), green, "--json", "-", "--device", "cpu");
        assertEquals(
                "green", Json.parse(asked.out(), "out").at("/0/classes/0/name").asText(), asked.out());
    }

    @Test
    void changedAndMovedDataAreToldApart() throws IOException {
        Path data = Photos.write(folder.resolve("paint"), 12);
        Shell trained = run(
                "train",
                data,
                "--method",
                "sgd",
                "--model",
                "mlp",
                "--image-size",
                8,
                "--epochs",
                1,
                "--batch-size",
                8,
                "--device",
                "cpu",
                "--threads",
                1,
                "--out",
                folder.resolve("run"));
        assertEquals(0, trained.code(), trained.err());
        Path net = net("run", "sgd");
        Path moved = Files.move(data, folder.resolve("elsewhere"));
        Shell lost = run("evaluate", net);
        assertEquals(1, lost.code());
        assertTrue(lost.complaint().contains(data + ": is not there"), lost.complaint());
        assertTrue(lost.complaint().contains("--data-dir"), lost.complaint());
        assertEquals(
                0, run("evaluate", net, "--data-dir", moved, "--device", "cpu").code());
        Path new1 = Photos.write(folder.resolve("new.png"), Photos.picture(8, 8, 1, 3));
        assertEquals(0, run("predict", net, new1, "--device", "cpu").code(), "predict needs no data");
        Photos.write(moved.resolve("red/p0.png"), Photos.picture(8, 8, 0, 1));
        Shell changed = run("evaluate", net, "--data-dir", moved, "--device", "cpu");
        assertEquals(2, changed.code());
        assertTrue(changed.complaint().contains("was trained on other data than were found in " + moved));
    }

    @Test
    void partsOfTheirOwnAreUsedAndFlagsThatDoNotFitAreRefused() throws IOException {
        Path data = folder.resolve("paint");
        Photos.write(data.resolve("train"), 12);
        Photos.write(data.resolve("val"), 3);
        Photos.write(data.resolve("test"), 2);
        Object[] base = {"train", data, "--method", "sgd", "--model", "mlp", "--image-size", "8", "--epochs", "1"};
        Object[] on = {"--batch-size", "8", "--device", "cpu", "--threads", "1", "--out", folder.resolve("run")};
        Object[] all = Stream.concat(Stream.of(base), Stream.of(on)).toArray();
        Shell trained = run(all);
        assertEquals(0, trained.code(), trained.err());
        try (Safetensors in = Safetensors.open(net("run", "sgd"))) {
            assertEquals("9", in.metadata().get("validation"));
            assertTrue(in.metadata().get("data").startsWith("36 training, 9 validation and 6 test images"));
        }
        Shell held = run("train", data, "--method", "sgd", "--validation", 5);
        assertEquals(2, held.code());
        assertTrue(held.complaint().contains("has 9 samples for validation in a part of their own"), held.complaint());
        Shell named = run("train", "mnist", "--method", "sgd", "--image-size", 8);
        assertEquals(2, named.code());
        assertTrue(named.complaint().contains("are for data of your own"), named.complaint());
        Shell unknown = run("train", "nmist", "--method", "sgd", "--grey");
        assertTrue(unknown.complaint().contains("did you mean 'mnist'"), unknown.complaint());
        assertFalse(Shell.run("schedule", data, "--image-size", 8, "--batch-size", 8)
                .out()
                .isEmpty());
    }

    @Test
    void aTableIsTrainedOnAndMeasuredByItsFileAlone() throws IOException {
        StringBuilder rows = new StringBuilder("x,y,label\n");
        for (int i = 0; i < 120; i++) {
            rows.append(i % 7 + (i % 2 == 0 ? 20 : 0)).append(',').append(i % 11);
            rows.append(i % 2 == 0 ? ",far\n" : ",near\n");
        }
        Path table = Files.writeString(folder.resolve("points.csv"), rows);
        Shell compared = compare(table, "run", "--seeds", 1);
        assertEquals(0, compared.code(), compared.err());
        assertTrue(compared.out().startsWith("points.csv, mlp: "), compared.out());
        Shell evaluated = run("evaluate", net("run", "swa"), "--device", "cpu");
        assertTrue(
                evaluated.out().startsWith("mlp on points.csv: accuracy 100.00 %"), evaluated.out() + evaluated.err());
        Shell asked =
                run("predict", net("run", "swa"), Photos.write(folder.resolve("a.png"), Photos.picture(9, 9, 0, 1)));
        assertTrue(asked.complaint().contains("take numbers as they are and no pictures"), asked.complaint());
        Shell moved = run("train", table, "--method", "sgd", "--augment", "crop_flip");
        assertEquals(2, moved.code());
        assertTrue(moved.complaint().contains("--augment moves pictures"), moved.complaint());
        Shell convolved = run("train", table, "--method", "sgd", "--model", "lenet-bn", "--batch-size", 10);
        assertTrue(
                convolved.complaint().contains("the net lenet-bn does not fit samples of (2,1,1)"),
                convolved.out() + convolved.err());
        Shell sized = run("train", table, "--method", "sgd", "--image-size", 9);
        assertTrue(sized.complaint().contains("are for folders of pictures"), sized.complaint());
    }
}
