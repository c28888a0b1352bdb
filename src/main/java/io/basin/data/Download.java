package io.basin.data;

import io.basin.data.CatalogEntry.RemoteFile;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.IOException;
import java.net.Authenticator;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;

/**
 * Downloads files so that under a file's own name there is only ever the whole and checked file.
 *
 * <p>Bytes go to {@code NAME.part}. A transfer that breaks off leaves it, and the next attempt, also of a later run,
 * asks for the rest only. When all is there, the SHA-256 decides: right, and the part is renamed in one step; wrong,
 * and it is deleted. A part that was continued may be wrong because the server's file has changed meanwhile, so it is
 * fetched once more from the start before the server is given up. A server that is busy or drops the connection is asked
 * again after growing pauses, or when it says; then the next mirror. Processes that want the same file take turns, so that
 * all but the first find it there.
 */
public final class Download {
    /** System property and environment variable with an address to use instead of the catalogue's. */
    public static final String PROPERTY = "basin.mirror";

    public static final String VARIABLE = "BASIN_MIRROR";

    private static final int ATTEMPTS = 5;
    /** A server that wants to be left alone for longer is given up. */
    private static final Duration MOST_WAIT = Duration.ofSeconds(60);

    private static final String TUNNELS = "jdk.http.auth.tunneling.disabledSchemes";

    private final String mirror;
    private final Duration idle;
    private final Duration pause;
    private final Proxies proxies;
    private HttpClient client;

    /**
     * @param mirror address to use instead of those of the catalogue, or null; files are at
     *     {@code mirror/data-set-name/file-name}
     * @param idle a transfer in which nothing arrives for so long is broken off
     * @param pause time before the second attempt at the same server; it doubles with each
     * @param environment the value of an environment variable, or null: proxies are taken from there
     */
    public Download(String mirror, Duration idle, Duration pause, UnaryOperator<String> environment) {
        if (mirror != null && mirror.isBlank()) {
            throw new IllegalArgumentException(VARIABLE + " is set and empty: name an address, or unset it");
        }
        this.mirror = mirror == null ? null : mirror.strip();
        this.idle = idle;
        this.pause = pause;
        proxies = new Proxies(environment);
    }

    /**
     * Patient timeouts; the mirror of the property {@value #PROPERTY} or else of the variable {@value #VARIABLE}, if
     * any.
     */
    public static Download standard() {
        String mirror = System.getProperty(PROPERTY, System.getenv(VARIABLE));
        return new Download(mirror, Duration.ofSeconds(60), Duration.ofSeconds(1), System::getenv);
    }

    /**
     * Downloads one file into a folder, which is made if need be. A file that is there and passes its check is kept.
     *
     * @return the file
     * @throws DataException if no server gave a file that passes its check; the message lists what each did
     */
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
                    "Free space there, make the folder writable, or name another with --data-dir",
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
    private String fetchFrom(String address, Path part, RemoteFile file, Progress progress) throws IOException {
        String failure = "";
        Duration wait = Duration.ZERO;
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            if (attempt > 0) {
                Duration growing = pause.multipliedBy(1L << attempt - 1);
                sleep(wait.compareTo(growing) > 0 ? wait : growing, failure, progress);
            }
            boolean resumed = Files.exists(part) && Files.size(part) > 0;
            Outcome outcome = transfer(address, part, file, progress);
            if (outcome.isFinal) {
                return outcome.failure;
            }
            wait = outcome.delay;
            failure = outcome.failure;
            if (failure == null) {
                failure = check(part, file);
                if (failure == null) {
                    return null;
                }
                Files.deleteIfExists(part);
                if (!resumed) {
                    return failure;
                }
            }
        }
        return failure + ", after " + ATTEMPTS + " attempts";
    }

    /** What is wrong with a file that should be the given one, or null. */
    private static String check(Path path, RemoteFile file) {
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
     * One request; {@code failure} is null if the body arrived whole, {@code isFinal} if asking again is of no use,
     * {@code delay} what the server wants to pass first.
     */
    private record Outcome(String failure, boolean isFinal, Duration delay) {
        Outcome(String failure, boolean isFinal) {
            this(failure, isFinal, Duration.ZERO);
        }
    }

    /** @throws IOException if the part cannot be written: no other server helps */
    private Outcome transfer(String address, Path path, RemoteFile file, Progress progress) throws IOException {
        Part part = new Part(path, file.mostBytes(), progress);
        HttpResponse<Void> response;
        String through = "";
        try (part) {
            URI uri = URI.create(address);
            through = proxies.describe(uri);
            HttpRequest.Builder request = HttpRequest.newBuilder(uri);
            if (part.offset() > 0) {
                request.header("Range", "bytes=" + part.offset() + "-");
            }
            response = await(client(uri).sendAsync(request.build(), part::subscriber), part);
        } catch (IllegalArgumentException e) {
            return new Outcome("no valid address (" + Reason.of(e) + ")", true);
        } catch (IOException e) {
            if (part.failure() != null && !part.overlong()) throw part.failure();
            if (part.overlong()) {
                Files.deleteIfExists(path);
            }
            return new Outcome(Reason.of(e) + through, part.overlong());
        }
        int status = response.statusCode();
        if (status == 200 || status == 206 && part.received() > 0) {
            boolean tooShort = !file.decompressed() && Files.size(path) < file.bytes();
            return new Outcome(tooShort ? "the transfer ended early" : null, false);
        }
        if (part.offset() > 0 && (status == 416 || status == 206)) {
            // There is nothing after what we have, or the server gave another piece: the check decides, or we start
            // again.
            return new Outcome(null, false);
        }
        boolean passing = status == 408 || status == 425 || status == 429 || status >= 500;
        Duration wait = wait(response);
        boolean tooLong = wait.compareTo(MOST_WAIT) > 0;
        String asks = passing && tooLong ? ", asks to wait " + wait.toSeconds() + " s" : "";
        return new Outcome("HTTP status " + status + asks + through, !passing || tooLong, wait);
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

    /** Waits as long as bytes arrive. */
    private HttpResponse<Void> await(CompletableFuture<HttpResponse<Void>> response, Part part) throws IOException {
        long slice = Math.max(1, Math.min(idle.toMillis() / 4, 1000));
        long last = System.nanoTime();
        long seen = 0;
        while (true) {
            try {
                HttpResponse<Void> done = response.get(slice, TimeUnit.MILLISECONDS);
                if (part.failure() != null) {
                    throw part.failure();
                }
                return done;
            } catch (TimeoutException e) {
                if (part.received() != seen) {
                    seen = part.received();
                    last = System.nanoTime();
                }
                if (part.failure() != null || System.nanoTime() - last > idle.toNanos()) {
                    response.cancel(true);
                    throw part.failure() != null
                            ? part.failure()
                            : new IOException("nothing arrived for " + idle.toSeconds() + " s");
                }
            } catch (InterruptedException e) {
                response.cancel(true);
                throw interrupted(e);
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
            }
        }
    }

    private static void sleep(Duration time, String failure, Progress progress) {
        String task = (failure == null ? "another piece than asked for" : failure) + "; trying again in "
                + time.toSeconds() + " s";
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
