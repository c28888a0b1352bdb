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
        store = new DataStore(locator, new Download("http://127.0.0.1:1/", Duration.ofSeconds(1), Duration.ZERO));
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
        environment.put("BASIN_DATA", root.resolve("mine").toString());
        assertEquals(Place.SYSTEM, store.locate("mnist", null).place());
        Written.idxFolder(root.resolve("mine/mnist"));
        assertEquals(Place.ENVIRONMENT, store.locate("mnist", null).place());
        assertEquals(Place.NOWHERE, store.locate("fashion-mnist", null).place());
    }

    @Test
    void theEnvironmentsFolderIsNotTakenForASetOfAnotherName() throws Exception {
        environment.put("BASIN_DATA", Written.idxFolder(root.resolve("mnist")).toString());
        assertEquals(Place.ENVIRONMENT, store.locate("mnist", null).place());
        assertEquals(Place.NOWHERE, store.locate("fashion-mnist", null).place());
    }

    @Test
    void aNamedFolderWithoutTheFilesIsAnErrorThatSaysWhatToDo() throws Exception {
        Written.idxFolder(root.resolve("cache/mnist"));
        Files.createDirectories(root.resolve("empty"));
        String message = message(() -> store.load("mnist", root.resolve("empty"), Progress.NONE));
        assertEquals(
                "the folder " + root.resolve("empty")
                        + " does not hold mnist. Expected in it or in its subfolder mnist:"
                        + " train-images-idx3-ubyte[.gz], train-labels-idx1-ubyte[.gz],"
                        + " t10k-images-idx3-ubyte[.gz], t10k-labels-idx1-ubyte[.gz]. Name another folder, put the"
                        + " files there (\"data fetch\" can), or leave the folder out to use or download a cached copy",
                message);
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
