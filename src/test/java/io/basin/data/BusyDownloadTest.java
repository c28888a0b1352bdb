package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.data.CatalogEntry.RemoteFile;
import io.basin.io.Sha256;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Servers that are busy, processes that want the same file, and proxies on the way. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class BusyDownloadTest {
    private static final byte[] CONTENT = content();
    private static final String NAME = "file.bin";

    @TempDir
    Path folder;

    private LoopbackServer server;
    private final List<String> said = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void start() throws Exception {
        server = new LoopbackServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static byte[] content() {
        byte[] content = new byte[100_000];
        new Random(3).nextBytes(content);
        return content;
    }

    /** A child process: fetches the file from an address into a folder and says what happens. */
    public static void main(String[] args) {
        fetch(List.of(args[0]), Path.of(args[1]), System.getenv(), (task, total, unit) -> {
            System.out.println(task);
            return steps -> {};
        });
    }

    private static Path fetch(List<String> mirrors, Path folder, Map<String, String> environment, Progress progress) {
        RemoteFile file = new RemoteFile(NAME, CONTENT.length, Sha256.of(CONTENT), false);
        CatalogEntry entry = new CatalogEntry(
                "set", "none", CatalogEntry.Format.IDX, mirrors, List.of(file), List.of(), List.of("a"));
        return new Download(null, Duration.ofSeconds(20), Duration.ofMillis(10), environment::get)
                .fetch(entry, file, folder, progress);
    }

    private Path fetch(String... mirrors) {
        return fetch(List.of(mirrors), folder, Map.of(), (task, total, unit) -> {
            said.add(task);
            return steps -> {};
        });
    }

    private void requireWhole() throws Exception {
        assertArrayEquals(CONTENT, Files.readAllBytes(folder.resolve(NAME)));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(folder.resolve(NAME)), files.toList());
        }
    }

    @Test
    void aBusyServerIsAskedAgain() throws Exception {
        for (int status : new int[] {408, 429, 500, 502, 503, 504}) {
            String path = status + "/";
            server.on(path + NAME, LoopbackServer.busy(3, status, null, LoopbackServer.file(CONTENT)));
            fetch(server.address() + path);
            requireWhole();
            assertEquals(4, server.requests.size());
            assertTrue(said.contains("HTTP status " + status + "; trying again in 0 s"), said.toString());
            Files.delete(folder.resolve(NAME));
            server.requests.clear();
        }
    }

    @Test
    void aServerThatHangsUpBeforeItAnswersIsAskedAgain() throws Exception {
        server.on(NAME, LoopbackServer.busy(2, 200, null, LoopbackServer.file(CONTENT)));
        try (ServerSocket rude = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            CompletableFuture.runAsync(() -> hangUp(rude));
            fetch("http://127.0.0.1:" + rude.getLocalPort() + "/", server.address());
        }
        requireWhole();
    }

    private static void hangUp(ServerSocket rude) {
        while (true) {
            try (Socket call = rude.accept()) {
                call.getInputStream().read();
            } catch (IOException e) {
                return;
            }
        }
    }

    @Test
    void theTimeThatAServerAsksForIsWaitedAndTheNextMirrorTakenWhereItIsTooLong() throws Exception {
        server.on("s/" + NAME, LoopbackServer.busy(1, 503, "1", LoopbackServer.file(CONTENT)));
        long before = System.nanoTime();
        fetch(server.address() + "s/");
        assertTrue(System.nanoTime() - before >= 1_000_000_000L);
        Files.delete(folder.resolve(NAME));
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(
                Instant.now().plusSeconds(3600).atOffset(ZoneOffset.UTC));
        server.on("a/" + NAME, LoopbackServer.busy(99, 429, "3600", null));
        server.on("b/" + NAME, LoopbackServer.busy(99, 503, date, null));
        server.on("c/" + NAME, LoopbackServer.file(CONTENT));
        server.requests.clear();
        fetch(server.address() + "a/", server.address() + "b/", server.address() + "c/");
        assertEquals(List.of("/a/" + NAME, "/b/" + NAME, "/c/" + NAME), server.requests);
        requireWhole();
    }

    @Test
    void aSecondProcessWaitsForTheFirstAtAServerWithoutRanges() throws Exception {
        server.on(NAME, LoopbackServer.slow(CONTENT, 10_000, 100));
        Process first = child();
        awaitPart();
        fetch(server.address());
        assertEquals(0, first.waitFor());
        assertEquals(1, server.requests.size());
        assertEquals(List.of("another process (" + first.pid() + ") is downloading " + NAME + ".part; waiting"), said);
        requireWhole();
    }

    @Test
    void aSecondThreadWaitsToo() throws Exception {
        server.on(NAME, LoopbackServer.slow(CONTENT, 10_000, 50));
        CompletableFuture<Path> other = CompletableFuture.supplyAsync(() -> fetch(server.address()));
        fetch(server.address());
        other.get();
        assertEquals(1, server.requests.size());
        requireWhole();
    }

    @Test
    void theLockOfAKilledProcessBlocksNobody() throws Exception {
        server.on(NAME, LoopbackServer.slow(CONTENT, 1000, 1000));
        Process killed = child();
        awaitPart();
        killed.destroyForcibly().waitFor();
        try (LoopbackServer other = new LoopbackServer()) {
            other.on(NAME, LoopbackServer.file(CONTENT));
            fetch(other.address());
            assertTrue(other.requests.get(0).contains("bytes="), "the killed one's bytes are kept");
        }
        requireWhole();
    }

    private Process child() throws Exception {
        return child(server.address(), Map.of()).start();
    }

    private ProcessBuilder child(String address, Map<String, String> proxies) {
        ProcessBuilder child = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElse("java"),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        Jvm.classPath(),
                        BusyDownloadTest.class.getName(),
                        address,
                        folder.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.INHERIT);
        child.environment()
                .keySet()
                .removeIf(name -> name.toLowerCase(java.util.Locale.ROOT).endsWith("_proxy"));
        child.environment().putAll(proxies);
        return child;
    }

    private void awaitPart() throws Exception {
        Path part = folder.resolve(NAME + ".part");
        while (Files.notExists(part) || Files.size(part) == 0) Thread.sleep(10);
    }

    @Test
    void whatCannotBeWrittenIsNotBlamedOnTheServer() throws Exception {
        server.on(NAME, LoopbackServer.file(CONTENT));
        Files.createDirectory(folder.resolve(NAME + ".part"));
        String message =
                assertThrows(DataException.class, () -> fetch(server.address())).getMessage();
        assertTrue(message.startsWith(folder.resolve(NAME) + ": cannot be written ("), message);
        assertTrue(message.contains("make the folder writable, or name another with `dataDir`"), message);
        Path file = Files.write(folder.resolve("file"), new byte[1]);
        String none = assertThrows(
                        DataException.class,
                        () -> fetch(List.of(server.address()), file.resolve("in"), Map.of(), Progress.NONE))
                .getMessage();
        assertTrue(none.contains("cannot be written ("), none);
    }

    @Test
    void aProxyOfTheEnvironmentIsAskedForForeignHosts() throws Exception {
        server.on(NAME, LoopbackServer.file(CONTENT));
        for (String name : List.of("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")) {
            // No such host: only a proxy can know it.
            fetch(List.of("http://data.invalid/"), folder, Map.of(name, server.address()), Progress.NONE);
            requireWhole();
            Files.delete(folder.resolve(NAME));
        }
        String bare = server.address().replaceAll("http://|/$", "");
        fetch(List.of("http://data.invalid/"), folder, Map.of("http_proxy", bare), Progress.NONE);
        requireWhole();
    }

    @Test
    void hostsInNoProxyAreAskedDirectly() throws Exception {
        server.on(NAME, LoopbackServer.file(CONTENT));
        for (String spared : List.of("127.0.0.1", "*", "other.org, 127.0.0.1", "0.0.1", ".0.0.1")) {
            for (String name : List.of("no_proxy", "NO_PROXY")) {
                Map<String, String> environment = Map.of("http_proxy", "http://127.0.0.1:1", name, spared);
                fetch(List.of(server.address()), folder, environment, Progress.NONE);
                requireWhole();
                Files.delete(folder.resolve(NAME));
            }
        }
        Map<String, String> other = Map.of("http_proxy", "http://127.0.0.1:1", "no_proxy", "7.0.0.1");
        String message = assertThrows(
                        DataException.class, () -> fetch(List.of(server.address()), folder, other, Progress.NONE))
                .getMessage();
        assertTrue(message.contains("(through the proxy 127.0.0.1:1 of http_proxy)"), message);
    }

    /** In a process of its own, as Java reads once whether a tunnel may be asked for with a password. */
    @Test
    void aProxyForHttpsIsAskedForATunnelAndToldTheLogin() throws Exception {
        try (ServerSocket proxy = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            List<String> heard = Collections.synchronizedList(new ArrayList<>());
            CompletableFuture.runAsync(() -> refuse(proxy, heard));
            String address = "http://me:p%40ss@127.0.0.1:" + proxy.getLocalPort();
            Path complaint = folder.resolve("complaint");
            Process child = child(
                            "https://data.invalid/", Map.of("HTTPS_PROXY", address, "http_proxy", "http://127.0.0.1:1"))
                    .redirectError(complaint.toFile())
                    .start();
            assertEquals(1, child.waitFor());
            String message = Files.readString(complaint);
            assertEquals("CONNECT data.invalid:443 HTTP/1.1", heard.get(0), message);
            String login = "Proxy-Authorization: Basic "
                    + Base64.getEncoder().encodeToString("me:p@ss".getBytes(StandardCharsets.UTF_8));
            assertTrue(heard.contains(login), heard.toString());
            assertTrue(message.contains("of HTTPS_PROXY)"), message);
            assertFalse(message.contains("p%40ss") || message.contains("p@ss"), message);
        }
    }

    /** Asks for a login, then says no. */
    private static void refuse(ServerSocket proxy, List<String> heard) {
        while (!proxy.isClosed()) {
            try (Socket call = proxy.accept()) {
                BufferedReader in =
                        new BufferedReader(new InputStreamReader(call.getInputStream(), StandardCharsets.ISO_8859_1));
                boolean login = false;
                for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
                    heard.add(line);
                    login |= line.startsWith("Proxy-Authorization");
                }
                String answer = "HTTP/1.1 " + (login ? 403 : 407) + " No\r\nProxy-Authenticate: Basic realm=\"x\"\r\n"
                        + "Content-Length: 0\r\nConnection: close\r\n\r\n";
                call.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
            } catch (IOException e) {
                heard.add(e.toString());
            }
        }
    }

    @Test
    void aProxyThatIsNoneIsNamedByItsVariable() {
        for (String value : List.of("socks5://127.0.0.1:1", "not a proxy", "http://", "ftp://h:1", "http://h:port")) {
            String message = assertThrows(
                            DataException.class,
                            () -> fetch(List.of(server.address()), folder, Map.of("http_proxy", value), Progress.NONE))
                    .getMessage();
            assertTrue(
                    message.contains("http_proxy holds no address of an HTTP proxy: write http://HOST:PORT"), message);
        }
    }
}
