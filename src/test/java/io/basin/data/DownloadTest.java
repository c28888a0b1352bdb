package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.CatalogEntry.RemoteFile;
import io.basin.io.Sha256;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 30, unit = TimeUnit.SECONDS)
class DownloadTest {
    private static final byte[] CONTENT = content();
    private static final byte[] PACKED = Written.gzip(CONTENT);
    private static final String NAME = "file.gz";

    @TempDir
    Path folder;

    private LoopbackServer server;

    @BeforeEach
    void start() throws Exception {
        server = new LoopbackServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void aFileIsFetchedCheckedAndReported() throws Exception {
        server.on(NAME, LoopbackServer.file(PACKED));
        List<Long> steps = new ArrayList<>();
        Progress progress = (task, total, unit) -> {
            assertEquals("downloading file.gz", task);
            assertEquals(PACKED.length, total);
            assertEquals("B", unit);
            return steps::add;
        };
        Path file = fetch(progress, "");
        assertEquals(folder.resolve(NAME), file);
        assertArrayEquals(PACKED, Files.readAllBytes(file));
        assertEquals(PACKED.length, steps.stream().mapToLong(Long::longValue).sum());
        assertEquals(List.of(NAME), present());
    }

    @Test
    void aFileThatIsThereAndRightIsNotFetchedAgain() throws Exception {
        Files.write(folder.resolve(NAME), PACKED);
        fetch("");
        assertEquals(List.of(), server.requests);
    }

    @Test
    void aFileThatIsThereAndWrongIsReplaced() throws Exception {
        server.on(NAME, LoopbackServer.file(PACKED));
        Files.write(folder.resolve(NAME), new byte[100]);
        fetch("");
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
    }

    @Test
    void aRecompressedFileOfTheSameContentIsAccepted() throws Exception {
        server.on(NAME, LoopbackServer.file(CONTENT));
        fetch("");
        assertArrayEquals(CONTENT, Files.readAllBytes(folder.resolve(NAME)));
    }

    @Test
    void redirectsAreFollowedAlsoWhenResuming() throws Exception {
        server.on("old/" + NAME, LoopbackServer.redirect(server.address() + "new/" + NAME));
        server.on("new/" + NAME, LoopbackServer.file(PACKED));
        Files.write(folder.resolve(NAME + ".part"), Arrays.copyOf(PACKED, 1000));
        fetch("old/");
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
        assertEquals(List.of("/old/file.gz bytes=1000-", "/new/file.gz bytes=1000-"), server.requests);
    }

    @Test
    void aBrokenTransferIsContinuedWhereItStopped() throws Exception {
        int half = PACKED.length / 2 + 1;
        server.on(NAME, LoopbackServer.dropping(PACKED, half));
        fetch("");
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
        assertEquals(2, server.requests.size());
        assertTrue(server.requests.get(1).startsWith("/file.gz bytes="), server.requests.toString());
        assertEquals(List.of(NAME), present());
    }

    @Test
    void whatHasArrivedIsKeptForTheNextRun() throws Exception {
        server.on(NAME, LoopbackServer.dropping(PACKED, 3000));
        String message = failure("");
        assertTrue(message.contains("after 5 attempts"), message);
        assertEquals(List.of(NAME + ".part"), present());
        long kept = Files.size(folder.resolve(NAME + ".part"));
        assertTrue(kept > 0 && kept < PACKED.length, "kept " + kept);
        try (LoopbackServer other = new LoopbackServer()) {
            other.on(NAME, LoopbackServer.file(PACKED));
            fetchFrom(List.of(other.address()), packed(), Progress.NONE);
            assertEquals(List.of("/file.gz bytes=" + kept + "-"), other.requests);
        }
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
        assertEquals(List.of(NAME), present());
    }

    @Test
    void aServerThatIgnoresRangesIsReadFromTheStart() throws Exception {
        server.on(NAME, LoopbackServer.whole(PACKED));
        Files.write(folder.resolve(NAME + ".part"), new byte[PACKED.length + 10]);
        fetch("");
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
        assertEquals(1, server.requests.size());
    }

    @Test
    void aPartThatIsAlreadyWholeIsTaken() throws Exception {
        server.on(NAME, LoopbackServer.file(PACKED));
        Files.write(folder.resolve(NAME + ".part"), PACKED);
        fetch("");
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
    }

    @Test
    void aPartOfAnotherFileIsThrownAwayAndFetchedFromTheStart() throws Exception {
        server.on(NAME, LoopbackServer.file(PACKED));
        Files.write(folder.resolve(NAME + ".part"), new byte[500]);
        fetch("");
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
        assertEquals(List.of("/file.gz bytes=500-", "/file.gz"), server.requests);
    }

    @Test
    void aWrongFileIsRefusedAndNothingIsLeftBehind() throws Exception {
        byte[] wrong = CONTENT.clone();
        wrong[5]++;
        server.on(NAME, LoopbackServer.file(Written.gzip(wrong)));
        String message = failure("");
        assertTrue(message.contains("the file has the SHA-256 " + Sha256.of(wrong)), message);
        assertTrue(message.contains("not the published " + Sha256.of(CONTENT)), message);
        assertEquals(List.of(), present());
        assertEquals(1, server.requests.size());
    }

    @Test
    void aDamagedFileIsRefusedAndNothingIsLeftBehind() throws Exception {
        byte[] damaged = PACKED.clone();
        Arrays.fill(damaged, 2000, 2100, (byte) 0);
        server.on(NAME, LoopbackServer.file(damaged));
        assertTrue(failure("").contains("the file is not the published one ("));
        assertEquals(List.of(), present());
    }

    @Test
    void aServerThatSendsWithoutEndIsCutOff() throws Exception {
        server.on(NAME, LoopbackServer.file(new byte[CONTENT.length + (1 << 17)]));
        assertTrue(failure("").contains("it sends more than the"));
        assertEquals(List.of(), present());
    }

    @Test
    void anArchiveIsCheckedAsItIs() throws Exception {
        server.on(NAME, LoopbackServer.file(PACKED));
        RemoteFile archive = new RemoteFile(NAME, PACKED.length, Sha256.of(PACKED), false);
        fetchFrom(List.of(server.address()), archive, Progress.NONE);
        assertEquals(List.of(NAME), present());
        Files.delete(folder.resolve(NAME));
        RemoteFile other = new RemoteFile(NAME, PACKED.length, Sha256.of(CONTENT), false);
        assertThrows(DataException.class, () -> fetchFrom(List.of(server.address()), other, Progress.NONE));
        assertEquals(List.of(), present());
    }

    @Test
    void mirrorsAreTriedInTheirOrder() throws Exception {
        server.on("a/" + NAME, LoopbackServer.status(404));
        server.on("b/" + NAME, LoopbackServer.file(Written.gzip(new byte[10])));
        server.on("c/" + NAME, LoopbackServer.file(PACKED));
        fetch("a/", "b/", "c/");
        assertEquals(List.of("/a/file.gz", "/b/file.gz", "/c/file.gz"), server.requests);
        assertArrayEquals(PACKED, Files.readAllBytes(folder.resolve(NAME)));
    }

    @Test
    void whenAllFailTheErrorSaysWhatEachDidAndWhatToDo() {
        server.on("a/" + NAME, LoopbackServer.status(404));
        server.on("b/" + NAME, LoopbackServer.status(503));
        String base = server.address();
        assertEquals(
                "set: cannot download file.gz [" + base + "a/file.gz: HTTP status 404; " + base
                        + "b/file.gz: HTTP status 503, after 5 attempts]. Check the network and run the command again (what has arrived"
                        + " is kept), set BASIN_MIRROR to the address of a copy, or put the file into " + folder
                        + " yourself",
                failure("a/", "b/"));
    }

    @Test
    void aServerThatFallsSilentIsGivenUp() throws Exception {
        server.on(NAME, (exchange, offset) -> {
            exchange.sendResponseHeaders(200, PACKED.length);
            exchange.getResponseBody().write(PACKED, 0, 100);
            exchange.getResponseBody().flush();
            sleepUntilInterrupted();
        });
        Download impatient = new Download(null, Duration.ofMillis(200), Duration.ZERO, name -> null);
        CatalogEntry entry = entry(List.of(server.address()), packed());
        String message = assertThrows(
                        DataException.class, () -> impatient.fetch(entry, packed(), folder, Progress.NONE))
                .getMessage();
        assertTrue(message.contains("nothing arrived for"), message);
        assertFalse(present().contains(NAME));
    }

    @Test
    void anAddressThatIsNoneIsAClearError() {
        String message = assertThrows(
                        DataException.class,
                        () -> fetchFrom(List.of("no address/", "ftp://127.0.0.1/"), packed(), Progress.NONE))
                .getMessage();
        assertTrue(message.contains("no address/file.gz: no valid address"), message);
        assertTrue(message.contains("ftp://127.0.0.1/file.gz: no valid address"), message);
    }

    @Test
    void aMirrorOfTheUserReplacesTheCatalogues() throws Exception {
        server.on("mine/set/" + NAME, LoopbackServer.file(PACKED));
        Download download = new Download(server.address() + "mine", Duration.ofSeconds(5), Duration.ZERO, name -> null);
        download.fetch(entry(List.of("http://127.0.0.1:1/"), packed()), packed(), folder, Progress.NONE);
        assertEquals(List.of("/mine/set/file.gz"), server.requests);
    }

    @Test
    void fetchingASetPutsItWhereItIsFoundAgain() throws Exception {
        for (RemoteFile file : small().downloads()) {
            server.on("small/" + file.name(), LoopbackServer.file(PACKED));
        }
        Locator locator = new Locator(name -> null, folder.resolve("system"), folder.resolve("cache"));
        DataStore store = new DataStore(
                locator, new Download(server.address(), Duration.ofSeconds(5), Duration.ZERO, name -> null));
        Location fetched = store.fetch(small(), null, Progress.NONE);
        assertEquals(folder.resolve("cache/small"), fetched.folder());
        assertEquals(fetched, locator.locate(small(), null));
        assertTrue(Verifier.verify(fetched, Progress.NONE).stream().allMatch(FileStatus::ok));
        Location named = store.fetch(small(), folder.resolve("mine"), Progress.NONE);
        assertEquals(folder.resolve("mine/small"), named.folder());
        assertEquals(named, locator.locate(small(), folder.resolve("mine")));
    }

    private static CatalogEntry small() {
        List<CatalogEntry.DataFile> files = List.of(
                new CatalogEntry.DataFile("a", CONTENT.length, Sha256.of(CONTENT)),
                new CatalogEntry.DataFile("b", CONTENT.length, Sha256.of(CONTENT)));
        List<RemoteFile> downloads = files.stream()
                .map(file -> new RemoteFile(file.name() + ".gz", file.bytes(), file.sha256(), true))
                .toList();
        return new CatalogEntry(
                "small",
                "none",
                CatalogEntry.Format.IDX,
                List.of("http://127.0.0.1:1/"),
                downloads,
                files,
                List.of("a"));
    }

    private static byte[] content() {
        byte[] content = new byte[100_000];
        new Random(3).nextBytes(content);
        return content;
    }

    private static RemoteFile packed() {
        return new RemoteFile(NAME, CONTENT.length, Sha256.of(CONTENT), true);
    }

    private static CatalogEntry entry(List<String> mirrors, RemoteFile file) {
        return new CatalogEntry(
                "set", "none", CatalogEntry.Format.IDX, mirrors, List.of(file), List.of(), List.of("a"));
    }

    private Path fetch(String... paths) {
        return fetch(Progress.NONE, paths);
    }

    private Path fetch(Progress progress, String... paths) {
        List<String> mirrors =
                Arrays.stream(paths).map(path -> server.address() + path).toList();
        return fetchFrom(mirrors, packed(), progress);
    }

    private Path fetchFrom(List<String> mirrors, RemoteFile file, Progress progress) {
        return new Download(null, Duration.ofSeconds(5), Duration.ZERO, name -> null)
                .fetch(entry(mirrors, file), file, folder, progress);
    }

    private String failure(String... paths) {
        return assertThrows(DataException.class, () -> fetch(paths)).getMessage();
    }

    private List<String> present() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    private static void sleepUntilInterrupted() {
        try {
            Thread.sleep(20_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
