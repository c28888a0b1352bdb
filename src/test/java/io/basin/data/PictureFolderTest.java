package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Shape;
import io.basin.io.FormatException;
import io.basin.io.Notices;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class PictureFolderTest {
    @TempDir
    Path folder;

    private Path cache;
    private final List<String> tasks = new ArrayList<>();

    @BeforeEach
    void surroundings() {
        cache = folder.resolve("cache");
    }

    private TrainTest read(String options) {
        return OwnData.of(folder.resolve("paint") + options).read(cache, (task, total, unit) -> {
            tasks.add(task + " " + total + " " + unit);
            return steps -> {};
        });
    }

    private String refusal(String options) {
        return assertThrows(DataException.class, () -> read(options)).getMessage();
    }

    @Test
    void foldersAreClassesAndASixthOfEachIsTheTestPart() {
        Photos.write(folder.resolve("paint"), 12);
        TrainTest data = read("?image-size=10");
        assertEquals(Photos.CLASSES, data.train().classNames());
        assertEquals(Shape.of(3, 10, 10), data.train().sample());
        assertArrayEquals(new int[] {10, 10, 10}, data.train().classCounts());
        assertArrayEquals(new int[] {2, 2, 2}, data.test().classCounts());
        assertNull(data.validation());
        assertEquals(data.fingerprint(), read("?image-size=10").fingerprint());
        // In the middle of every picture is its class's colour: channel 2 is blue.
        for (int i = 0; i < data.test().count(); i++) {
            int label = data.test().labels()[i];
            int middle = i * 300 + (5 * 10 + 5) * 3;
            assertTrue((data.test().pixels()[middle + 2 - label] & 255) > 200);
        }
    }

    @Test
    void decodedPicturesAreKeptByTheirContentAndDecodedAgainWhereTheCopyIsDamaged() throws IOException {
        Photos.write(folder.resolve("paint"), 4);
        String first = read("").fingerprint();
        assertEquals(List.of("reading paint 12 pictures", "decoding paint 12 pictures"), tasks);
        tasks.clear();
        assertEquals(first, read("").fingerprint());
        assertEquals(List.of("reading paint 12 pictures"), tasks);
        Path kept;
        try (Stream<Path> all = Files.list(cache)) {
            kept = all.findFirst().orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(kept);
        bytes[bytes.length - 1] ^= 1;
        Files.write(kept, bytes);
        tasks.clear();
        assertEquals(first, read("").fingerprint());
        assertEquals(2, tasks.size());
        Photos.write(folder.resolve("paint/red/p0.png"), Photos.picture(30, 30, 0, 1));
        assertTrue(!first.equals(read("").fingerprint()));
    }

    @Test
    void greyPicturesMakeAGreySetAndColoursWhereAsked() {
        for (String name : List.of("a", "b")) {
            for (int i = 0; i < 3; i++) {
                BufferedImage grey = new BufferedImage(9 + i, 9, BufferedImage.TYPE_BYTE_GRAY);
                for (int p = 0; p < 81; p++) grey.getRaster().setSample(p % 9, p / 9, 0, 70 * i + 5);
                Photos.write(folder.resolve("paint/" + name + "/" + i + ".png"), grey);
            }
        }
        assertEquals(1, read("?image-size=9").train().channels());
        Photos.write(folder.resolve("paint/a/c.png"), Photos.picture(9, 9, 2, 1));
        assertEquals(3, read("?image-size=9").train().channels());
        Dataset grey = read("?image-size=9&grey").train();
        assertEquals(1, grey.channels());
    }

    @Test
    void allCorruptPicturesAreListedTogetherAndLeftOutOnlyWhenAsked() throws IOException {
        Photos.write(folder.resolve("paint"), 4);
        Files.write(folder.resolve("paint/red/broken.png"), new byte[] {1, 2, 3});
        byte[] cut = Files.readAllBytes(folder.resolve("paint/blue/p1.jpg"));
        Files.write(folder.resolve("paint/blue/p1.jpg"), Arrays.copyOf(cut, cut.length / 2));
        for (int attempt = 0; attempt < 2; attempt++) {
            String said = refusal("");
            assertTrue(said.contains("2 pictures that cannot be read: "), said);
            assertTrue(said.contains("paint/red/broken.png") && said.contains("paint/blue/p1.jpg"), said);
            assertTrue(said.contains("`skipBad`"), said);
        }
        TrainTest data = read("?image-size=32&skip-bad");
        assertEquals(11, data.train().count() + data.test().count());
    }

    @Test
    void foldersThatAreNotWhatTheyShouldBeAreNamedWithTheRemedy() throws IOException {
        assertTrue(refusal("").contains("is not there"));
        Files.createDirectories(folder.resolve("paint"));
        assertTrue(refusal("").contains("holds no folders"));
        Files.createDirectories(folder.resolve("paint/red"));
        assertTrue(refusal("").contains("paint/red: holds no pictures"));
        Photos.write(folder.resolve("paint/train"), 3);
        Photos.write(folder.resolve("paint/test/pink/a.png"), Photos.picture(9, 9, 1, 1));
        assertTrue(refusal("").contains("paint/test/pink: is of a class that the training part does not have"));
        Path other = folder.resolve("other");
        Photos.write(other.resolve("test"), 2);
        String said = assertThrows(DataException.class, () -> new OwnData(other).read(cache, Progress.NONE))
                .getMessage();
        assertTrue(said.contains("no 'train'"), said);
    }

    @Test
    void foldersCalledAlmostAsPartsAreReadAsThemAndSaidSo() throws IOException {
        for (String[] names : new String[][] {{"Train", "Test"}, {"training", "testing"}, {"train", "tests"}}) {
            Path root = folder.resolve("as-" + names[0]);
            Photos.write(root.resolve(names[0]), 3);
            Photos.write(root.resolve(names[1]), 2);
            TrainTest[] data = new TrainTest[1];
            Notices.reset();
            String said = Err.of(() -> data[0] = new OwnData(root).read(cache, Progress.NONE));
            assertEquals(Photos.CLASSES, data[0].train().classNames());
            assertEquals(9, data[0].train().count());
            assertEquals(6, data[0].test().count());
            assertTrue(said.contains("'" + names[1] + "' is read as its part 'test'"), said);
        }
        // A class of such a name, in which pictures lie and no folders.
        Photos.write(folder.resolve("paint"), 3);
        Photos.write(folder.resolve("paint/Test/a.png"), Photos.picture(9, 9, 1, 1));
        Photos.write(folder.resolve("paint/Test/b.png"), Photos.picture(9, 9, 1, 2));
        assertEquals(List.of("Test", "blue", "green", "red"), read("").train().classNames());
    }

    @Test
    void layoutsOfMoreThanOneMeaningAreRefusedByName() throws IOException {
        Photos.write(folder.resolve("paint/train"), 3);
        Photos.write(folder.resolve("paint/car/a.png"), Photos.picture(9, 9, 1, 1));
        assertTrue(refusal("").contains("holds pictures in 'car' beside 'train'"), refusal(""));
        Files.delete(folder.resolve("paint/car/a.png"));
        Notices.reset();
        String said = Err.of(() -> read(""));
        assertTrue(said.contains("left out the folders beside its parts: 'car'"), said);
        Files.createDirectories(folder.resolve("paint/test/red"));
        assertTrue(refusal("").contains("paint/test: holds no pictures"), refusal(""));
        Files.write(folder.resolve("paint/test/red/a.png"), new byte[9]);
        assertTrue(refusal("?image-size=32&skip-bad").contains("paint/test: holds no pictures that can be used"));
        Photos.write(folder.resolve("paint/val"), 1);
        Photos.write(folder.resolve("paint/valid"), 1);
        assertTrue(refusal("").contains("holds 'val', 'valid', and one part alone can be 'val'"), refusal(""));
        Path single = folder.resolve("single");
        for (int i = 0; i < 4; i++) Photos.write(single.resolve("red/" + i + ".png"), Photos.picture(9, 9, 1, i));
        assertTrue(assertThrows(DataException.class, () -> new OwnData(single).read(cache, Progress.NONE))
                .getMessage()
                .contains("samples of a single class"));
    }

    @Test
    void whatIsLeftOutIsSaidOnce() throws IOException {
        Photos.write(folder.resolve("paint"), 4);
        Photos.write(folder.resolve("paint/stray.png"), Photos.picture(9, 9, 1, 1));
        Files.createSymbolicLink(folder.resolve("paint/red/gone.png"), folder.resolve("nowhere"));
        Files.createDirectories(folder.resolve("paint/red/x.png"));
        Files.writeString(folder.resolve("paint/red/note.txt"), "a");
        for (int i = 0; i < 4; i += 2) Files.write(folder.resolve("paint/blue/p" + i + ".png"), new byte[9]);
        for (int i = 1; i < 4; i += 2) Files.write(folder.resolve("paint/blue/p" + i + ".jpg"), new byte[9]);
        Notices.reset();
        TrainTest[] data = new TrainTest[1];
        String said = Err.of(() -> data[0] = read("?image-size=32&skip-bad"));
        assertEquals(8, data[0].train().count() + data[0].test().count());
        for (String line : List.of(
                "left out pictures beside the folders of the classes (1): ",
                "left out names that lead to no file (2): ",
                "left out .txt files, which are not read (1): ",
                "left out 4 pictures that cannot be read",
                "its part 'train' has no sample of class 'blue'")) {
            assertTrue(said.contains(line), said);
        }
    }

    /** A file whose bytes the system refuses, whoever asks. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aPictureThatTheSystemDoesNotReadIsListedWithTheOthers() throws IOException {
        Photos.write(folder.resolve("paint"), 4);
        Files.createSymbolicLink(folder.resolve("paint/red/own.png"), Path.of("/proc/self/mem"));
        assertTrue(refusal("").contains("1 picture that cannot be read: "), refusal(""));
        TrainTest data = read("?image-size=32&skip-bad");
        assertEquals(12, data.train().count() + data.test().count());
    }

    @Test
    void classNamesOfAFileStandForTheFolders() throws IOException {
        Photos.write(folder.resolve("paint"), 3);
        Path names = Files.writeString(folder.resolve("names.txt"), "sea\nmeadow\nrose\n");
        assertEquals(
                List.of("sea", "meadow", "rose"),
                read("?image-size=8&class-names=" + names).train().classNames());
        Files.writeString(names, "sea\n");
        assertTrue(refusal("?image-size=8&class-names=" + names).contains("has 1 name for the 3 classes"));
        Files.writeString(names, "sea\nrose\nsea\n");
        assertTrue(refusal("?image-size=8&class-names=" + names).contains("names two classes 'sea'"));
        Files.writeString(names, "sea\n".repeat(300_000));
        for (Path endless : List.of(names, Path.of("/dev/zero"))) {
            String said = assertThrows(FormatException.class, () -> read("?image-size=8&class-names=" + endless))
                    .getMessage();
            assertTrue(said.startsWith(endless + ": "), said);
        }
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        OwnData whole = new OwnData(Path.of("/a b?/c"), 64, true, true, Path.of("/x&y"));
        assertEquals(whole, OwnData.of(whole.toString()));
        assertEquals("/a b?/c?image-size=64&grey&skip-bad&class-names=/x&y", whole.toString());
        assertEquals("c", OwnData.label(whole.toString()));
        assertEquals("mnist", OwnData.label("mnist"));
    }

    @Test
    void copiesThatWereNotUsedForLongestAreDeletedAndNoneThatMayBeInUse() throws IOException {
        Photos.write(folder.resolve("paint"), 2);
        for (int size : new int[] {8, 9, 10, 11}) read("?image-size=" + size);
        List<OwnCache.Copy> all = OwnCache.list(cache);
        assertEquals(4, all.size());
        Instant now = Instant.now();
        for (OwnCache.Copy copy : all) {
            int size = Integer.parseInt(copy.of().replaceAll(".* ([0-9]+) x .*", "$1"));
            assertEquals(folder.resolve("paint") + ", 6 pictures, " + size + " x " + size, copy.of());
            Files.setLastModifiedTime(copy.file(), FileTime.from(now.minusSeconds(1000L * size)));
        }
        // Only what was used more than an hour ago, the sizes from 4 on, may go.
        OwnCache.prune(cache, all.stream().mapToLong(OwnCache.Copy::bytes).sum());
        assertEquals(4, OwnCache.list(cache).size());
        read("?image-size=11");
        OwnCache.prune(cache, 1);
        assertEquals(List.of("11 x 11"), sizes());
        read("?image-size=8");
        OwnCache.prune(cache, 1);
        assertEquals(List.of("8 x 8", "11 x 11"), sizes());
        OwnCache.list(cache).forEach(OwnCache::delete);
        OwnCache.list(cache).forEach(OwnCache::delete);
        assertEquals(List.of(), sizes());
        assertEquals(
                6,
                read("?image-size=8").train().count()
                        + read("?image-size=8").test().count());
    }

    private List<String> sizes() {
        return OwnCache.list(cache).stream()
                .map(c -> c.of().replaceAll(".*, ", ""))
                .toList();
    }
}
