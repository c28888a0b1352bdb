package io.basin.data;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A web server on the loopback interface whose files misbehave as told. */
final class LoopbackServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /** Requests so far: path, and the Range header if there is one. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    LoopbackServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.start();
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/";
    }

    /** Answers requests of one path. */
    LoopbackServer on(String path, Answer answer) {
        server.createContext("/" + path, exchange -> {
            String range = exchange.getRequestHeaders().getFirst("Range");
            requests.add(exchange.getRequestURI().getPath() + (range == null ? "" : " " + range));
            try (exchange) {
                answer.to(exchange, range == null ? 0 : offset(range));
            }
        });
        return this;
    }

    private static int offset(String range) {
        return Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    }

    /** What is sent; {@code offset} is where the client wants to begin. */
    interface Answer {
        void to(HttpExchange exchange, int offset) throws IOException;
    }

    /** Sends the file, or its rest if that was asked for. */
    static Answer file(byte[] file) {
        return dropping(file, Integer.MAX_VALUE);
    }

    /** As {@link #file}, but breaks off after so many bytes of every response. */
    static Answer dropping(byte[] file, int after) {
        return (exchange, offset) -> {
            if (offset >= file.length) {
                exchange.sendResponseHeaders(416, -1);
                return;
            }
            if (offset > 0) {
                exchange.getResponseHeaders()
                        .add("Content-Range", "bytes " + offset + "-" + (file.length - 1) + "/" + file.length);
            }
            exchange.sendResponseHeaders(offset > 0 ? 206 : 200, file.length - offset);
            int count = Math.min(after, file.length - offset);
            exchange.getResponseBody().write(file, offset, count);
            exchange.getResponseBody().flush();
            if (count < file.length - offset) {
                throw new IOException("breaks off");
            }
        };
    }

    /** Always the whole file. */
    static Answer whole(byte[] file) {
        return (exchange, offset) -> file(file).to(exchange, 0);
    }

    static Answer status(int status) {
        return (exchange, offset) -> exchange.sendResponseHeaders(status, -1);
    }

    /** Answers so many requests with a status, asking to wait, and the others as {@code then} does. */
    static Answer busy(int times, int status, String retryAfter, Answer then) {
        AtomicInteger left = new AtomicInteger(times);
        return (exchange, offset) -> {
            if (left.getAndDecrement() <= 0) {
                then.to(exchange, offset);
                return;
            }
            if (retryAfter != null) exchange.getResponseHeaders().add("Retry-After", retryAfter);
            exchange.sendResponseHeaders(status, -1);
        };
    }

    /** Sends a piece every so often. */
    static Answer slow(byte[] file, int piece, long millis) {
        return (exchange, offset) -> {
            exchange.sendResponseHeaders(200, file.length);
            for (int at = 0; at < file.length; at += piece) {
                exchange.getResponseBody().write(file, at, Math.min(piece, file.length - at));
                exchange.getResponseBody().flush();
                try {
                    Thread.sleep(millis);
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        };
    }

    static Answer redirect(String to) {
        return (exchange, offset) -> {
            exchange.getResponseHeaders().add("Location", to);
            exchange.sendResponseHeaders(302, -1);
        };
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
