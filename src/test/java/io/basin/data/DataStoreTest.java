package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.FileStatus.State;
import io.basin.data.Location.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where data sets are looked for, what is read there, and what a check of it says; downloads are in DownloadTest. */
class DataStoreTest {
    @TempDir
    Path root;

    private final Map<String, String> environment = new HashMap<>();
    private DataStore store;

    @BeforeEach
    void surroundings() {
        Locator locator = new Locator(environment::get, root.resolve("system"), root.resolve("cache"));
        // Nothing listens on port 1: a download that should not happen fails.
        store = new DataStore(
                locator, new Download("http://127.0.0.1:1/", Duration.ofSeconds(1), Duration.ZERO, name -> null));
    }

    @Test
    void aNamedFolderMayHoldTheFilesOrASubfolderOfTheSetsName() throws Exception {
        Written.idxFolder(root.resolve("own"));
        Location direct = store.locate("mnist", root.resolve("own"));
        assertEquals(Place.DATA_DIR, direct.place());
        assertEquals(root.resolve("own"), direct.folder());
        assertEquals(
                root.resolve("own/train-labels-idx1-ubyte.gz"), direct.files().get(1));
        Written.idxFolder(root.resolve("own/mnist"));
        assertEquals(
                root.resolve("own/mnist"),
                store.locate("mnist", root.resolve("own")).folder());
    }

    @Test
    void placesAreSearchedInTheirOrder() throws Exception {
        assertEquals(Place.NOWHERE, store.locate("mnist", null).place());
        assertFalse(store.locate("mnist", null).present());
        assertEquals(root.resolve("cache/mnist"), store.locate("mnist", null).folder());
        Written.idxFolder(root.resolve("cache/mnist"));
        assertEquals(Place.CACHE, store.locate("mnist", null).place());
        Written.idxFolder(root.resolve("system/mnist"));
        assertEquals(Place.SYSTEM, store.locate("mnist", null).place());
    }

    @Test
    void theVariablesFolderIsUsedOrRefusedAndNeverReplaced() throws Exception {
        Written.idxFolder(root.resolve("system/mnist"));
        Written.idxFolder(root.resolve("cache/mnist"));
        Path mine = root.resolve("mine");
        environment.put("BASIN_DATA", mine.toString());
        refused(
                "mine does not exist, so it does not hold mnist",
                "Looked in " + mine.resolve("mnist"),
                "unset BASIN_DATA");
        Files.createDirectories(mine);
        refused("$BASIN_DATA: the folder " + mine + " does not hold mnist", "'basin data fetch mnist'");
        Written.idxFolder(mine.resolve("mnist"));
        assertEquals(Place.ENVIRONMENT, store.locate("mnist", null).place());
        for (String name : List.of("train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-labels-idx1-ubyte")) {
            Path file = mine.resolve("mnist").resolve(name);
            Path aside = Files.move(file, root.resolve("aside"));
            refused("a part of mnist only and lacks " + name.replace(".gz", ""), "'basin data fetch mnist'");
            Files.move(aside, file);
        }
        refusedFor("fashion-mnist", "does not hold fashion-mnist");
        environment.put(
                "BASIN_DATA", mine.resolve("mnist/t10k-labels-idx1-ubyte").toString());
        refused("is a file, so it does not hold mnist");
    }

    @Test
    void aSetThatLiesElsewhereInTheNamedFolderIsPointedOut() throws Exception {
        Written.idxFolder(root.resolve("mine/data/mnist"));
        environment.put("BASIN_DATA", root.resolve("mine").toString());
        refused("files of these names are in " + root.resolve("mine/data/mnist"));
        environment.put("BASIN_DATA", Written.idxFolder(root.resolve("flat")).toString());
        refused("files of these names are in " + root.resolve("flat"));
        Path nested = root.resolve("mine");
        assertTrue(message(() -> store.locate("mnist", nested)).contains("are in " + root.resolve("mine/data/mnist")));
    }

    @Test
    void aTildeIsTheHomeFolderAndAnEmptyNameIsRefused() throws Exception {
        String home = System.getProperty("user.home");
        Written.idxFolder(root.resolve("mine/mnist"));
        try {
            System.setProperty("user.home", root.toString());
            environment.put("BASIN_DATA", "~/mine");
            assertEquals(root.resolve("mine/mnist"), store.locate("mnist", null).folder());
            environment.clear();
            assertEquals(
                    root.resolve("mine/mnist"),
                    store.locate("mnist", Path.of("~/mine")).folder());
        } finally {
            System.setProperty("user.home", home);
        }
        for (String value : List.of("", "  ", "~someone/data")) {
            environment.put("BASIN_DATA", value);
            String said = assertThrows(IllegalArgumentException.class, () -> store.locate("mnist", null))
                    .getMessage();
            assertTrue(said.startsWith("$BASIN_DATA is "), said);
        }
    }

    /** Images from one place and labels from another, or two files that claim to be the same. */
    @Test
    void filesOfTwoPlacesOrTwoContentsAreNotMixed() throws Exception {
        Path own = Written.idxFolder(root.resolve("own"));
        Path inner = Files.createDirectories(own.resolve("mnist"));
        Files.copy(own.resolve("train-images-idx3-ubyte"), inner.resolve("train-images-idx3-ubyte"));
        assertTrue(message(() -> store.locate("mnist", own)).contains(inner + " holds a part of mnist only"));
        Path other = Written.idxFolder(root.resolve("other"));
        Path gzip = other.resolve("train-images-idx3-ubyte.gz");
        Files.write(gzip, Written.gzip(Written.idx(20, 4, 3)));
        assertTrue(store.locate("mnist", other).present());
        byte[] changed = Written.idx(20, 4, 3);
        changed[30]++;
        Files.write(gzip, Written.gzip(changed));
        assertTrue(message(() -> store.locate("mnist", other)).contains("differs from train-images-idx3-ubyte.gz"));
    }

    @Test
    void aDownloadGoesWhereTheSetIsLookedFor() {
        environment.put("BASIN_DATA", root.resolve("mine").toString());
        String message = message(() -> store.fetch("mnist", null, Progress.NONE));
        assertTrue(message.contains("into " + root.resolve("mine/mnist") + " yourself"), message);
    }

    private void refused(String... words) {
        refusedFor("mnist", words);
    }

    private void refusedFor(String name, String... words) {
        String said = message(() -> store.load(name, null, Progress.NONE));
        for (String word : words) assertTrue(said.contains(word), said);
        assertEquals(said, message(() -> store.verify(name, null, Progress.NONE)));
    }

    @Test
    void aNamedFolderWithoutTheFilesIsAnErrorThatSaysWhatToDo() throws Exception {
        Written.idxFolder(root.resolve("cache/mnist"));
        Path empty = Files.createDirectories(root.resolve("empty"));
        assertEquals(
                "--data-dir: the folder " + empty + " does not hold mnist. Looked in " + empty.resolve("mnist")
                        + " and "
                        + empty + " for train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz],"
                        + " t10k-images-idx3-ubyte[.gz], t10k-labels-idx1-ubyte[.gz]. Name another folder, put the"
                        + " files there ('basin data fetch mnist --data-dir " + empty + "' can), or leave --data-dir"
                        + " out to use or download a cached copy",
                message(() -> store.load("mnist", empty, Progress.NONE)));
        String absent = message(() -> store.load("cifar10", root.resolve("absent"), Progress.NONE));
        assertTrue(absent.contains("absent does not exist, so it does not hold cifar10"), absent);
        assertTrue(absent.contains("cifar-10-binary.tar.gz, or data_batch_1.bin"), absent);
    }

    @Test
    void ownImagesInTheFormatAreReadThoughTheyAreNotThePublishedOnes() throws Exception {
        Written.idxFolder(root.resolve("own"));
        List<String> events = new ArrayList<>();
        TrainTest both = store.load("mnist", root.resolve("own"), recording(events));
        assertEquals("mnist train (20, 4, 3, 1), 10 classes", both.train().toString());
        assertEquals("mnist test (10, 4, 3, 1), 10 classes", both.test().toString());
        assertEquals(List.of("reading mnist, 4 files", "2", "2", "closed"), events);
        for (FileStatus status : store.verify("mnist", root.resolve("own"), Progress.NONE)) {
            assertEquals(State.DIFFERENT, status.state());
            assertFalse(status.ok());
            assertTrue(status.detail().contains("published is"), status.detail());
        }
    }

    @Test
    void trainAndTestOfDifferentShapeAreADataException() throws Exception {
        Path own = Written.idxFolder(root.resolve("own"));
        Files.write(own.resolve("t10k-images-idx3-ubyte.gz"), Written.gzip(Written.idx(10, 4, 4)));
        String message = message(() -> store.load("mnist", own, Progress.NONE));
        assertTrue(message.contains("its training images are 4 x 3, its test images 4 x 4"), message);
    }

    @Test
    void cifarIsFoundAsArchiveAsFolderAndAsUnpackedArchive() throws Exception {
        Path own = Files.createDirectories(root.resolve("own"));
        Files.write(own.resolve("cifar-10-binary.tar.gz"), Written.gzip(Written.cifar10Tar(2)));
        Location archive = store.locate("cifar10", own);
        assertEquals(List.of(own.resolve("cifar-10-binary.tar.gz")), archive.files());
        assertEquals(10, store.load("cifar10", own, Progress.NONE).train().count());
        Path unpacked = Files.createDirectories(own.resolve("cifar10/cifar-10-batches-bin"));
        for (String name : CifarFormat.CIFAR10.fileNames()) {
            Files.write(unpacked.resolve(name), Written.cifar(1, 3, 1));
        }
        assertEquals(unpacked, store.locate("cifar10", own).folder());
        assertEquals(15, store.load("cifar10", own, Progress.NONE).train().count());
        assertEquals(15, store.load("cifar10", unpacked, Progress.NONE).train().count());
    }

    @Test
    void membersOfAnArchiveAreVerifiedOneByOne() throws Exception {
        Path own = Files.createDirectories(root.resolve("own"));
        Path archive = own.resolve("cifar-10-binary.tar.gz");
        byte[] tar = Written.cifar10Tar(2);
        Files.write(archive, Written.gzip(tar));
        List<FileStatus> statuses = store.verify("cifar10", own, Progress.NONE);
        assertEquals(6, statuses.size());
        assertTrue(statuses.stream().allMatch(status -> status.state() == State.DIFFERENT));
        assertEquals(
                archive + " (cifar-10-batches-bin/test_batch.bin)",
                statuses.get(5).where());
        Files.write(archive, Written.tar(Written.member("a/data_batch_2.bin", '0', new byte[3])));
        assertEquals(
                List.of(State.MISSING, State.DIFFERENT, State.MISSING, State.MISSING, State.MISSING, State.MISSING),
                states("cifar10", own));
        Files.write(archive, java.util.Arrays.copyOf(tar, 7000));
        assertEquals(State.UNREADABLE, states("cifar10", own).get(5));
    }

    @Test
    void verifyingWhatIsNowhereSaysMissing() {
        assertEquals(List.of(State.MISSING, State.MISSING, State.MISSING, State.MISSING), states("mnist", null));
    }

    @Test
    void verifyingReadsADecompressionBombNoFurtherThanTwiceThePublishedLength() throws Exception {
        Path own = Written.idxFolder(root.resolve("own"));
        Files.write(own.resolve("train-labels-idx1-ubyte.gz"), Written.gzip(new byte[1 << 20]));
        Files.write(own.resolve("t10k-images-idx3-ubyte.gz"), new byte[] {0x1F, (byte) 0x8B, 1});
        assertEquals(
                List.of(State.DIFFERENT, State.UNREADABLE, State.UNREADABLE, State.DIFFERENT), states("mnist", own));
    }

    @Test
    void aFailedDownloadLeavesTheCacheWithoutAFile() {
        String message = message(() -> store.load("mnist", null, Progress.NONE));
        assertTrue(
                message.startsWith("mnist: cannot download train-images-idx3-ubyte.gz [http://127.0.0.1:1/"), message);
        assertFalse(store.locate("mnist", null).present());
    }

    private List<State> states(String name, Path dataDir) {
        return store.verify(name, dataDir, Progress.NONE).stream()
                .map(FileStatus::state)
                .toList();
    }

    private static String message(org.junit.jupiter.api.function.Executable call) {
        return assertThrows(DataException.class, call).getMessage();
    }

    private static Progress recording(List<String> events) {
        return (task, total, unit) -> {
            events.add(task + ", " + total + " " + unit);
            return new Progress.Counter() {
                @Override
                public void step(long units) {
                    events.add(String.valueOf(units));
                }

                @Override
                public void close() {
                    events.add("closed");
                }
            };
        };
    }
}
