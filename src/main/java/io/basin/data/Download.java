package io.basin.data;

import io.basin.Nullable;
import io.basin.data.CatalogEntry.RemoteFile;
import io.basin.io.AtomicFile;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Authenticator;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/**
 * Downloads files so that under a file's own name there is only ever the whole and checked file.
 *
 * <p>Bytes go to {@code NAME.part}. A transfer that breaks off leaves it, and the next attempt, also of a later run, asks for the
 * rest only. When all is there, the SHA-256 decides: right, and the part is renamed in one step; wrong, and it is deleted. A part
 * that was continued may be wrong because the server's file has changed meanwhile, so it is fetched once more from the start before
 * the server is given up. A server that is busy or drops the connection is asked again after growing pauses, or when it says; then
 * the next mirror. Processes that want the same file take turns, so that all but the first find it there.
 */
public final class Download {
    /** System property and environment variable with an address to use instead of the catalogue's. */
    public static final String PROPERTY = "basin.mirror";

    public static final String VARIABLE = "BASIN_MIRROR";

    private static final int ATTEMPTS = 5;
    /** A server that wants to be left alone for longer is given up. */
    private static final Duration MOST_WAIT = Duration.ofSeconds(60);

    private static final String TUNNELS = "jdk.http.auth.tunneling.disabledSchemes";

    private final @Nullable String mirror;
    private final Duration idle;
    private final Duration pause;
    private final Proxies proxies;
    private @Nullable HttpClient client;

    /**
     * @param mirror address to use instead of those of the catalogue, or null; files are at
     *     {@code mirror/data-set-name/file-name}
     * @param idle a transfer in which nothing arrives for so long is broken off
     * @param pause time before the second attempt at the same server; it doubles with each
     * @param environment the value of an environment variable, or null: proxies are taken from there
     */
    public Download(@Nullable String mirror, Duration idle, Duration pause, UnaryOperator<String> environment) {
        if (mirror != null && mirror.isBlank()) {
            throw new IllegalArgumentException(VARIABLE + " is set and empty: name an address, or unset it");
        }
        this.mirror = mirror == null ? null : mirror.strip();
        this.idle = idle;
        this.pause = pause;
        proxies = new Proxies(environment);
    }

    /** Patient timeouts; the mirror of the property {@value #PROPERTY} or else of the variable {@value #VARIABLE}, if any. */
    public static Download standard() {
        String mirror = System.getProperty(PROPERTY, System.getenv(VARIABLE));
        return new Download(mirror, Duration.ofSeconds(60), Duration.ofSeconds(1), System::getenv);
    }

    /** Downloads one file into a folder, which is made if need be. A file that is there and passes its check is kept. */
    public Path fetch(CatalogEntry entry, RemoteFile file, Path folder, Progress progress) {
        Path target = folder.resolve(file.name());
        Path part = folder.resolve(file.name() + ".part");
        List<String> failures = new ArrayList<>();
        try {
            Files.createDirectories(folder);
            if (whole(target, file)) return target;
            PartLock lock = PartLock.acquire(part, progress);
            try (lock) {
                if (whole(target, file)) return target;
                for (String address : addresses(entry, file)) {
                    String failure = fetchFrom(address, part, file, progress);
                    if (failure == null) {
                        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                        return target;
                    }
                    failures.add(address + ": " + failure);
                }
            }
        } catch (IOException e) {
            throw DataException.of(
                    target.toString(),
                    "cannot be written (" + Reason.of(e) + ")",
                    "Free space there, make the folder writable, or name another with `dataDir`",
                    e);
        }
        throw DataException.of(
                entry.name(),
                "cannot download " + file.name() + " [" + String.join("; ", failures) + "]",
                "Check the network and run the command again (what has arrived is kept), set " + VARIABLE
                        + " to the address of a copy, or put the file into " + folder + " yourself");
    }

    private static boolean whole(Path target, RemoteFile file) {
        return Files.isRegularFile(target) && check(target, file) == null;
    }

    private List<String> addresses(CatalogEntry entry, RemoteFile file) {
        if (mirror != null) {
            return List.of(mirror + (mirror.endsWith("/") ? "" : "/") + entry.name() + "/" + file.name());
        }
        return entry.mirrors().stream().map(base -> base + file.name()).toList();
    }

    /** Tries one server; returns null when {@code part} is the whole and checked file, else the reason for people. */
    private @Nullable String fetchFrom(String address, Path part, RemoteFile file, Progress progress)
            throws IOException {
        URI uri;
        try {
            uri = URI.create(address);
            HttpRequest.newBuilder(uri);
        } catch (IllegalArgumentException e) {
            return "no valid address (" + Reason.of(e) + ")";
        }
        String failure = "";
        Duration wait = Duration.ZERO;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (attempt > 0) {
                Duration growing = pause.multipliedBy(1L << attempt - 1);
                sleep(wait.compareTo(growing) > 0 ? wait : growing, failure, progress);
            }
            boolean resumed = Files.exists(part) && Files.size(part) > 0;
            wait = Duration.ZERO;
            try {
                transfer(uri, part, file, progress);
                failure = check(part, file);
                if (failure == null) return null;
                Files.deleteIfExists(part);
                if (!resumed) return failure;
            } catch (ServerException e) {
                failure = e.getMessage() + proxies.describe(uri);
                if (e.isFinal) return failure;
                wait = e.wait;
            }
        }
        return failure + ", after " + ATTEMPTS + " attempts";
    }

    /** The fault of a file that should be the given one, or null. */
    private static @Nullable String check(Path path, RemoteFile file) {
        try {
            String sum = file.decompressed() ? Capped.sha256(path, file.bytes()) : Sha256.ofFile(path);
            return sum.equals(file.sha256())
                    ? null
                    : "the file has the SHA-256 " + sum + ", not the published " + file.sha256();
        } catch (IOException e) {
            return "the file is not the published one (" + Reason.of(e) + ")";
        }
    }

    /**
     * A server's fault; {@code isFinal} if asking again does not help, {@code wait} the time it asks to pass first. Trouble with
     * the disk stays an {@link IOException}, as no other server helps there.
     */
    private static final class ServerException extends Exception {
        private static final long serialVersionUID = 1;
        private final boolean isFinal;
        private final Duration wait;

        ServerException(String reason, boolean isFinal, Duration wait) {
            super(reason);
            this.isFinal = isFinal;
            this.wait = wait;
        }

        ServerException(String reason) {
            this(reason, false, Duration.ZERO);
        }
    }

    /** One request; the check decides about what it brought. */
    private void transfer(URI uri, Path part, RemoteFile file, Progress progress) throws IOException, ServerException {
        long present = Files.exists(part) ? Files.size(part) : 0;
        long offset = present <= file.mostBytes() ? present : 0;
        // Before the request, whose building has Java read the setting for proxies' logins.
        HttpClient sender = client(uri);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        if (offset > 0) request.header("Range", "bytes=" + offset + "-");
        HttpResponse<InputStream> response =
                await(sender.sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream()));
        if (take(response, part, offset, file, progress)) {
            boolean tooShort = !file.decompressed() && Files.size(part) < file.bytes();
            if (tooShort) throw new ServerException("the transfer ended early");
            return;
        }
        int status = response.statusCode();
        // There is nothing after what we have, or the server gave another piece: the check decides, or we start again.
        if (offset > 0 && (status == 416 || status == 206)) return;
        boolean passing = status == 408 || status == 425 || status == 429 || status >= 500;
        Duration wait = wait(response);
        boolean tooLong = wait.compareTo(MOST_WAIT) > 0;
        String asks = passing && tooLong ? ", asks to wait " + wait.toSeconds() + " s" : "";
        throw new ServerException("HTTP status " + status + asks, !passing || tooLong, wait);
    }

    /**
     * Writes the body of a 200 from the start, and of the 206 that was asked for at the end; false where nothing of either came.
     * Bytes that arrive before a transfer breaks off stay.
     */
    private boolean take(HttpResponse<InputStream> response, Path part, long offset, RemoteFile file, Progress progress)
            throws IOException, ServerException {
        String range = response.headers().firstValue("Content-Range").orElse("");
        boolean resumed = response.statusCode() == 206 && range.startsWith("bytes " + offset + "-");
        long from = resumed ? offset : 0;
        try (InputStream body = response.body()) {
            if (response.statusCode() != 200 && !resumed) return false;
            long size = response.headers().firstValueAsLong("Content-Length").orElse(-1);
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    Progress.Counter counter =
                            progress.start("downloading " + file.name(), size < 0 ? -1 : from + size, "B")) {
                channel.truncate(from).position(from);
                counter.step(from);
                try {
                    copy(body, channel, file.mostBytes(), counter);
                } catch (ServerException e) {
                    if (e.isFinal) Files.deleteIfExists(part);
                    throw e;
                } finally {
                    AtomicFile.force(channel);
                }
                return !resumed || channel.position() > offset;
            }
        }
    }

    private void copy(InputStream body, FileChannel to, long most, Progress.Counter counter)
            throws IOException, ServerException {
        byte[] piece = new byte[1 << 16];
        for (int n = read(body, piece); n >= 0; n = read(body, piece)) {
            if (to.position() + n > most) {
                String much = "it sends more than the " + most + " bytes that the file can have";
                throw new ServerException(much, true, Duration.ZERO);
            }
            ByteBuffer bytes = ByteBuffer.wrap(piece, 0, n);
            while (bytes.hasRemaining()) to.write(bytes);
            counter.step(n);
        }
    }

    private int read(InputStream body, byte[] piece) throws ServerException {
        return await(CompletableFuture.supplyAsync(() -> {
            try {
                return body.read(piece);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }));
    }

    /** Of the header Retry-After, which holds seconds or a date; none where it holds neither. */
    private static Duration wait(HttpResponse<?> response) {
        String said = response.headers().firstValue("Retry-After").orElse("0").strip();
        if (said.matches("\\d{1,9}")) return Duration.ofSeconds(Long.parseLong(said));
        try {
            Instant when = DateTimeFormatter.RFC_1123_DATE_TIME.parse(said, Instant::from);
            Duration left = Duration.between(Instant.now(), when);
            return left.isNegative() ? Duration.ZERO : left;
        } catch (DateTimeException e) {
            return Duration.ZERO;
        }
    }

    /** The next bytes, if they come in time. */
    private <T> T await(CompletableFuture<T> coming) throws ServerException {
        try {
            return coming.get(idle.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            coming.cancel(true);
            throw new ServerException("nothing arrived for " + idle.toSeconds() + " s");
        } catch (InterruptedException e) {
            coming.cancel(true);
            throw interrupted(e);
        } catch (ExecutionException e) {
            throw new ServerException(Reason.of(Objects.requireNonNullElse(e.getCause(), e)));
        }
    }

    private static void sleep(Duration time, String failure, Progress progress) {
        String task = failure + "; trying again in " + time.toSeconds() + " s";
        try (Progress.Counter counter = progress.start(task, -1, "s")) {
            Thread.sleep(time.toMillis());
            counter.step(time.toSeconds());
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static DataException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new DataException("the download was interrupted; run the command again to continue it", e);
    }

    /** Made on first use: it starts a thread, and most runs download nothing. */
    private synchronized HttpClient client(URI uri) {
        if (client != null) return client;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NORMAL)
                .connectTimeout(Duration.ofSeconds(20))
                .proxy(proxies);
        Authenticator login = proxies.login(uri);
        if (login != null) {
            // Java sends no password in the clear to a proxy for https unless told: here the user has told it.
            if (System.getProperty(TUNNELS) == null) System.setProperty(TUNNELS, "");
            builder.authenticator(login);
        }
        client = builder.build();
        return client;
    }
}
