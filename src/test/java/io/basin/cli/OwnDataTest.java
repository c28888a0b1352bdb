package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Photos;
import io.basin.data.TablesTest;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
        for (String numbers : List.of("a.csv", "parts/train.csv", "a.npz", "arrays/y.npy")) {
            Path file = folder.resolve(numbers);
            Files.createDirectories(file.getParent());
            Files.write(file, new byte[0]);
            Path set = file.getParent().equals(folder) ? file : file.getParent();
            for (String flag : List.of("--skip-bad", "--grey"))
                assertTrue(run("train", set, "--method", "sgd", flag)
                        .complaint()
                        .contains("are for folders of pictures, and " + set + " holds numbers"));
        }
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
        exportsRawNumbers(net("run", "swa"), "net.onnx");
        asksRowsOfTheNet(table, net("run", "swa"), net("run", "sgd"));
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

    private void exportsRawNumbers(Path net, String name) throws IOException {
        Path onnx = folder.resolve(name);
        assertEquals(0, run("export", net, "--out", onnx).code());
        String said = new String(Files.readAllBytes(onnx), StandardCharsets.ISO_8859_1);
        assertTrue(
                said.contains("float32 (batch, 2, 1, 1), raw numbers, of the columns x, y in this order; the graph"
                        + " normalises them"),
                said.substring(Math.max(0, said.length() - 600)));
        assertTrue(said.contains("[\"x\",\"y\"]") && !said.contains("255"));
    }

    /** Columns are found by their names, wherever they stand, as long as the table that has these is there. */
    private void asksRowsOfTheNet(Path table, Path net, Path other) throws IOException {
        Path rows = Files.writeString(folder.resolve("rows.csv"), "y,label,x\n3,?,25\n3,?,1\n9,,22\n");
        Object[] on = {"--device", "cpu", "--threads", 1};
        Path answers = folder.resolve("answers.csv");
        Shell asked = run("predict", net, other, rows, "--top", 1, "--csv", answers, on[0], on[1], on[2], on[3]);
        assertEquals(0, asked.code(), asked.err());
        List<String> words =
                asked.out().lines().map(l -> l.replaceAll(" [0-9.]+%$", "")).toList();
        assertEquals(List.of(rows + "[0]:  far", rows + "[1]:  near", rows + "[2]:  far"), words);
        List<String> lines = Files.readAllLines(answers);
        assertEquals("image,vote,rank,label,name,probability", lines.get(0));
        assertTrue(lines.get(2).startsWith(rows + "[1],,1,1,near,"), lines.get(2));
        Path more = Files.writeString(folder.resolve("more.csv"), "x;y\n1;3\n");
        Shell json = run("predict", net, rows, more, "--json", "-", on[0], on[1], on[2], on[3]);
        assertEquals(4, Json.parse(json.out(), "out").size(), json.out() + json.err());
        assertEquals(
                Json.parse(json.out(), "out").at("/1/classes"),
                Json.parse(json.out(), "out").at("/3/classes"),
                "the same row");
        Path wrong = Files.writeString(folder.resolve("wrong.csv"), "x,z\n1,2\n");
        Shell refused = run("predict", net, wrong);
        assertEquals(1, refused.code());
        assertTrue(
                refused.complaint().contains(wrong + ": has the columns x, z, and the net takes x, y"),
                refused.complaint());
        Path text = Files.writeString(folder.resolve("text.csv"), "x,y\n1,wide\n");
        assertTrue(run("predict", net, text).complaint().contains("line 2, column 'y' is 'wide'"));
        Path away = Files.move(table, folder.resolve("away.csv"));
        Path turned = Files.writeString(folder.resolve("turned.csv"), "y,x\n3,1\n");
        Shell known = run("predict", net, turned, "--top", 1, on[0], on[1], on[2], on[3]);
        assertTrue(known.out().startsWith(turned + "[0]:  near "), known.out() + known.err());
        assertFalse(known.err().contains("columns"), known.err());
        exportsRawNumbers(net, "later.onnx");
        asksOlderFiles(without(net, "columns"), more, wrong, away);
        Files.move(away, table);
    }

    /** Files of before this one name no columns; those of the table count as long as it is there. */
    private void asksOlderFiles(Path net, Path rows, Path wrong, Path away) {
        Object[] on = {"--device", "cpu", "--threads", 1};
        Shell unknown = run("predict", net, rows, "--top", 1, on[0], on[1], on[2], on[3]);
        assertEquals(0, unknown.code(), unknown.err());
        assertTrue(unknown.err().contains("columns are taken in their order"), unknown.err());
        assertTrue(unknown.out().startsWith(rows + "[0]:  near "), unknown.out());
        assertTrue(run("predict", net, wrong, "--data-dir", away).complaint().contains("the net takes x, y"));
    }

    /** The same weights, whose header does not say one thing. */
    private Path without(Path net, String key) {
        Path older = folder.resolve("older.safetensors");
        SafetensorsWriter writer = Safetensors.writer();
        try (Safetensors in = Safetensors.open(net)) {
            in.tensors()
                    .forEach((n, t) -> writer.add(
                            n, t.shape().stream().mapToLong(Long::longValue).toArray(), in.floats(n)));
            in.metadata().forEach((k, v) -> {
                if (!k.equals(key)) writer.metadata(k, v);
            });
        }
        writer.write(older);
        return older;
    }

    /** The wanted size reaches the net and its file; a missing --data says that one's own will do. */
    @Test
    void aNetForOnesOwnPicturesIsImportedAtTheirSize() throws IOException {
        Path data = Photos.write(folder.resolve("paint"), 20);
        Path made = folder.resolve("made.safetensors");
        Path run = folder.resolve("run");
        Object[] small = {"train", data, "--method", "sgd", "--model", "small-cnn", "--image-size", 20, "--out", run};
        Object[] quick = {"--epochs", 1, "--batch-size", 8, "--device", "cpu"};
        Shell fresh = run(Stream.of(small, quick).flatMap(Stream::of).toArray());
        assertEquals(0, fresh.code(), fresh.err());
        Path net;
        try (Stream<Path> files = Files.walk(run)) {
            net = files.filter(f -> f.endsWith("sgd.safetensors")).findFirst().orElseThrow();
        }
        Path plain = folder.resolve("plain.safetensors");
        assertEquals(
                0, run("export", net, "--format", "safetensors", "--out", plain).code());
        Shell taken = run("import", plain, "--model", "small-cnn", "--data", data, "--image-size", 20, "--out", made);
        assertEquals(0, taken.code(), taken.err());
        try (Safetensors in = Safetensors.open(made)) {
            assertEquals(data + "?image-size=20", in.metadata().get("dataset"));
            assertEquals("[3,20,20]", in.metadata().get("input"));
            assertEquals("pixels", in.metadata().get("samples"));
        }
        Shell without = run("import", plain, "--model", "small-cnn", "--out", folder.resolve("none"));
        assertTrue(without.complaint().contains("data of your own"), without.complaint());
        Object[] twenty = {"--data", "cifar10", "--image-size", 20, "--out", folder.resolve("none")};
        Object[] again = {"import", plain, "--model", "small-cnn"};
        Shell published = run(Stream.of(again, twenty).flatMap(Stream::of).toArray());
        assertTrue(published.complaint().contains("--image-size is for --data that"), published.complaint());
    }

    @Test
    void aNetOfArraysAnswersArraysOfItsKind() throws IOException {
        double[] pixels = new double[80 * 36];
        double[] labels = new double[80];
        for (int i = 0; i < pixels.length; i++) pixels[i] = i / 36 % 2 == 0 ? 200 : i % 40;
        for (int i = 0; i < labels.length; i++) labels[i] = i % 2;
        Path set = TablesTest.npz(
                folder.resolve("set.npz"),
                Map.of(
                        "images", TablesTest.npy("|u1", "80, 6, 6", 1, pixels),
                        "labels", TablesTest.npy("<i8", "80,", 8, labels)));
        Shell compared = compare(set, "run", "--model", "mlp", "--seeds", 1);
        assertEquals(0, compared.code(), compared.err());
        double[] two = Arrays.copyOfRange(pixels, 0, 72);
        Path rows = TablesTest.npz(folder.resolve("rows.npz"), Map.of("x", TablesTest.npy("|u1", "2, 6, 6", 1, two)));
        Path single = Files.write(folder.resolve("rows.npy"), TablesTest.npy("|u1", "2, 6, 6", 1, two));
        for (Path file : List.of(rows, single)) {
            Shell asked = run("predict", net("run", "swa"), file, "--top", 1, "--device", "cpu");
            assertEquals(0, asked.code(), asked.err());
            assertTrue(
                    asked.out().matches("(?s)\\Q" + file + "[0]:  0 \\E.*\\Q" + file + "[1]:  1 \\E.*"), asked.out());
        }
        Path floats = Files.write(folder.resolve("floats.npy"), TablesTest.npy("<f4", "2, 6, 6", 4, two));
        Shell refused = run("predict", net("run", "swa"), floats);
        assertEquals(1, refused.code());
        assertTrue(
                refused.complaint()
                        .contains("holds samples of (1,6,6) in other numbers than uint8, and the net takes"
                                + " (1,6,6) in uint8"),
                refused.complaint());
    }
}
