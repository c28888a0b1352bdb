package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Photos;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.io.Safetensors;
import io.basin.nn.Nets;
import io.basin.train.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever has another program's weights and no data yet says what the net predicts, and gets a file that knows it. */
class ImportWithoutDataTest {
    @TempDir
    Path folder;

    private Path theirs;

    @BeforeEach
    void save() {
        theirs = folder.resolve("theirs.safetensors");
        try (Device device = Devices.open("cpu", 1);
                Model model = new Model(device, Nets.build("lenet-bn", Shape.of(1, 28, 28), 4)).initialise(5)) {
            model.save(theirs);
        }
    }

    private Shell taken(Path out, Object... more) {
        List<Object> all = new ArrayList<>(List.of("import", theirs, "--model", "lenet-bn", "--out", out));
        all.addAll(List.of(more));
        return Shell.run(all.toArray());
    }

    @Test
    void aNetOfPicturesIsAskedExportedAndTrainedOn() throws IOException {
        Path out = folder.resolve("in.safetensors");
        Path names = Files.writeString(folder.resolve("names.txt"), "ant\nbee\n\ncat\ndog\n");
        Object[] flags = {"--num-classes", 4, "--image-size", 28, "--mean", 0.25, "--std", 0.5, "--class-names", names};
        Shell in = taken(out, flags);
        assertEquals(
                out + ": lenet-bn for 4 classes of pictures of (1,28,28), 14 tensors of " + theirs + "\n",
                in.out(),
                in.err());
        Path picture = Photos.write(folder.resolve("a.png"), Photos.picture(40, 30, 0, 1));
        Shell asked = Shell.run("predict", out, picture, "--top", 4, "--device", "cpu", "--threads", 1);
        assertEquals(0, asked.code(), asked.err());
        for (String name : List.of("ant", "bee", "cat", "dog"))
            assertTrue(asked.out().contains(name), asked.out());
        assertEquals(0, Shell.run("export", out).code());
        Shell measured = Shell.run("evaluate", out, "--device", "cpu");
        assertEquals(1, measured.code());
        assertTrue(measured.complaint().contains(out + ": was imported without data"), measured.complaint());
        goesOnFrom(out);
    }

    /** Data that come later are those that count; the net must fit them. */
    private void goesOnFrom(Path net) throws IOException {
        Path data = Shell.grey(folder.resolve("data"), 60, 20);
        Object[] flags = {"--data-dir", data, "--model", "lenet-bn", "--method", "sgd", "--epochs", 2};
        Object[] more = {"--from", net, "--from-epochs", 1, "--batch-size", 10, "--validation", 10};
        Object[] on = {"--device", "cpu", "--threads", 1, "--out", folder.resolve("run")};
        Shell other = Shell.run(Stream.of(new Object[] {"train", "mnist"}, flags, more, on)
                .flatMap(Stream::of)
                .toArray());
        assertTrue(
                other.complaint().contains("--from: " + net + " predicts 4 classes, and mnist has 10")
                        && other.complaint().contains("basin import --new-head"),
                other.out() + other.complaint());
        Path ten = folder.resolve("ten.safetensors");
        Object[] head = {"--num-classes", 10, "--new-head", "--image-size", 28, "--mean", 0.25, "--std", 0.5};
        assertEquals(0, taken(ten, head).code());
        Object[] whole = {"--from", ten, "--batch-size", 10, "--validation", 10, "--lr", 1e-7, "--wd", 0};
        Shell trained = Shell.run(Stream.of(new Object[] {"train", "mnist"}, flags, whole, on)
                .flatMap(Stream::of)
                .toArray());
        assertEquals(0, trained.code(), trained.err());
        assertTrue(trained.err().contains("was trained elsewhere on samples normalised otherwise"), trained.err());
        Path after = folder.resolve("run/seed-1/sgd/sgd.safetensors");
        isAskedBeside(ten, after, net);
        // All of the budget is left, and hardly moves it.
        try (Safetensors begun = Safetensors.open(ten);
                Safetensors ended = Safetensors.open(after)) {
            assertArrayEquals(begun.floats("conv2.weight"), ended.floats("conv2.weight"), 1e-4f);
        }
    }

    /** A net of data that answers beside one of none: their files say all; what measures needs the same data for both. */
    private void isAskedBeside(Path bare, Path trained, Path other) throws IOException {
        Path picture = Photos.write(folder.resolve("b.png"), Photos.picture(28, 28, 0, 1));
        Shell both = Shell.run("predict", bare, trained, picture, "--device", "cpu", "--threads", 1);
        assertEquals(0, both.code(), both.err());
        Shell unlike = Shell.run("predict", other, trained, picture, "--device", "cpu");
        assertTrue(unlike.complaint().contains("whose class 1 is "), unlike.complaint());
        assertTrue(unlike.complaint().contains("imported again with the other's data"), unlike.complaint());
        for (String command : List.of("evaluate", "ensemble")) {
            String said = Shell.run(command, trained, bare, "--device", "cpu").complaint();
            assertTrue(
                    said.contains(bare + " was imported without data, and " + trained + " was trained on mnist"), said);
            assertTrue(said.contains("basin import --data"), said);
        }
        Path mean = folder.resolve("no.safetensors");
        String said = Shell.run("average", trained, bare, "--out", mean).complaint();
        assertTrue(said.contains("imported without data: 'basin import' can name them"), said);
    }

    @Test
    void weightsForAnotherNumberOfChannelsSayWhatToDo() {
        Path net = folder.resolve("grey.safetensors");
        Object[] flags = {"--num-classes", 3, "--new-head", "--image-size", 28, "--mean", 0.25, "--std", 0.5};
        assertEquals(0, taken(net, flags).code());
        Path paint = Photos.write(folder.resolve("paint"), 12);
        List<Object> words = new ArrayList<>(List.of("train", paint, "--method", "sgd", "--model", "lenet-bn"));
        words.addAll(List.of("--image-size", 28, "--from", net, "--from-epochs", 1, "--epochs", 2));
        words.addAll(List.of("--batch-size", 8, "--device", "cpu", "--out", folder.resolve("run")));
        String said = Shell.run(words.toArray()).complaint();
        assertTrue(said.contains("--from: " + net + " takes samples of 1 channel, and those of " + paint), said);
        assertTrue(said.contains("have 3: read pictures as grey ones with --grey"), said);
    }

    @Test
    void theMeanOfTwoKnowsWhatEachKnew() throws IOException {
        Path a = folder.resolve("a.safetensors");
        Object[] flags = {"--num-classes", 4, "--image-size", 28, "--mean", 0.25, "--std", 0.5};
        assertEquals(0, taken(a, flags).code());
        Path b = Files.copy(a, folder.resolve("b.safetensors"));
        Path mean = folder.resolve("mean.safetensors");
        Shell measured = Shell.run("average", a, b, "--out", mean, "--device", "cpu");
        assertTrue(measured.complaint().contains("'average' needs none with --no-bn-update"), measured.complaint());
        assertEquals(
                0, Shell.run("average", a, b, "--no-bn-update", "--out", mean).code());
        Path picture = Photos.write(folder.resolve("a.png"), Photos.picture(40, 30, 0, 1));
        Shell asked = Shell.run("predict", mean, picture, "--device", "cpu", "--threads", 1);
        assertEquals(0, asked.code(), asked.err());
        Path names = Files.writeString(folder.resolve("names.txt"), "ant\nbee\ncat\ndog\n");
        Path c = folder.resolve("c.safetensors");
        Object[] named = {"--class-names", names};
        assertEquals(
                0,
                taken(c, Stream.of(flags, named).flatMap(Stream::of).toArray()).code());
        Shell other = Shell.run("average", a, c, "--no-bn-update", "--out", folder.resolve("no.safetensors"));
        String differ = a + " was trained on data whose class 1 is '0', and in that of " + c + " it is 'ant'";
        assertTrue(other.complaint().contains(differ), other.complaint());
        assertTrue(other.complaint().contains("--class-names), such as 0, 1, 2, 3"), other.complaint());
        Shell curve = Shell.run("connect", a, b, "--device", "cpu", "--out", folder.resolve("curve"));
        assertTrue(curve.complaint().contains(a + ": was imported without data"), curve.complaint());
    }

    /** What torchvision's weights of ResNets were trained on is what is meant where nothing is said. */
    @Test
    void theUsualPicturesAreThoseOfTorchvision() {
        Path made = folder.resolve("resnet.safetensors");
        try (Device device = Devices.open("cpu", 1);
                Model model = new Model(device, Nets.build("resnet18", Shape.of(3, 64, 64), 7)).initialise(5)) {
            model.save(made);
        }
        Path out = folder.resolve("ten.safetensors");
        Shell head = Shell.run("import", made, "--model", "resnet18", "--num-classes", 10, "--out", out);
        assertTrue(head.complaint().contains("fc.weight [7, 512] instead of [10, 512]"), head.complaint());
        Shell in = Shell.run("import", made, "--model", "resnet18", "--num-classes", 10, "--new-head", "--out", out);
        assertEquals(0, in.code(), in.err());
        try (Safetensors file = Safetensors.open(out)) {
            assertEquals("[3,224,224]", file.metadata().get("input"));
            assertEquals("[0.485,0.456,0.406]", file.metadata().get("mean"));
            assertEquals("[0.229,0.224,0.225]", file.metadata().get("std"));
            assertEquals("pixels", file.metadata().get("samples"));
        }
    }

    @Test
    void whatIsMissingOrTooMuchIsSaid() throws IOException {
        Path out = folder.resolve("no.safetensors");
        assertTrue(
                taken(out).complaint().contains("--data is missing"), taken(out).complaint());
        Path names = Files.writeString(folder.resolve("names.txt"), "ant\nbee\n");
        Shell few = taken(out, "--num-classes", 4, "--class-names", names);
        assertTrue(few.complaint().contains("has 2 names for --num-classes 4"), few.complaint());
        Shell both = taken(out, "--data", "mnist", "--class-names", names);
        assertTrue(both.complaint().contains("--class-names goes without --data"), both.complaint());
        for (String[] bad : new String[][] {
            {"--num-classes", "1", "at least 2 classes"},
            {"--std", "50", "--std: pictures are scaled to 0..1"},
            {"--data-dir", folder.toString(), "--data-dir says where --data lie"},
            {"--num-classes", "1000000", "--num-classes must be at most 65536"},
            {"--mean", ",", "--mean: has 0 numbers, and samples have 1 channel"},
            {"--mean", "0.1,0.2", "--mean: 2 numbers"}
        }) {
            List<Object> args = new ArrayList<>(List.of(bad[0], bad[1]));
            if (!bad[0].equals("--num-classes")) args.addAll(List.of("--num-classes", 4));
            if (bad[0].equals("--std")) args.addAll(List.of("--mean", 0.5));
            if (bad[0].equals("--mean")) args.addAll(List.of("--std", "0.1,0.2"));
            Shell refused = taken(out, args.toArray());
            assertEquals(2, refused.code());
            assertTrue(refused.complaint().contains(bad[2]), refused.complaint());
        }
        Shell half = taken(out, "--num-classes", 4, "--mean", 0.5);
        assertTrue(half.complaint().contains("--mean and --std belong together"), half.complaint());
        Shell wide = taken(out, "--num-classes", 4, "--image-size", 28);
        assertTrue(wide.complaint().contains("of another shape: conv1.weight"), wide.complaint());
    }
}
