package io.basin.data;

import java.io.IOException;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.BodySubscribers;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The unfinished file of one transfer: takes the body of a response, at its end or from its start.
 *
 * <p>It outlives a transfer that breaks off, so that the next one goes on where this one stopped. Errors are kept
 * rather than thrown, because the body arrives on a thread of the HTTP client.
 */
final class Part implements AutoCloseable {
    private final Path path;
    private final long offset;
    private final long limit;
    private final Progress progress;
    private FileChannel channel;
    private Progress.Counter counter;
    private long length;
    private volatile IOException failure;
    private volatile long received;
    private volatile boolean overlong;

    /**
     * @param limit the transfer fails when the file would become longer than this
     */
    Part(Path path, long limit, Progress progress) throws IOException {
        this.path = path;
        this.limit = limit;
        this.progress = progress;
        long present = Files.exists(path) ? Files.size(path) : 0;
        this.offset = present <= limit ? present : 0;
    }

    /** Bytes of an earlier transfer: where this one should start. */
    long offset() {
        return offset;
    }

    /** Bytes that have arrived in this transfer. */
    long received() {
        return received;
    }

    /** What went wrong while writing, or null. */
    IOException failure() {
        return failure;
    }

    /** Whether the server sent more than the file may have. */
    boolean overlong() {
        return overlong;
    }

    /** Takes the body of a 200 from the start, of the 206 that was asked for at the end, and ignores any other. */
    BodySubscriber<Void> subscriber(ResponseInfo response) {
        boolean resumed = response.statusCode() == 206 && startsAtOffset(response);
        if (response.statusCode() != 200 && !resumed) {
            return BodySubscribers.replacing(null);
        }
        length = resumed ? offset : 0;
        long size = response.headers().firstValueAsLong("Content-Length").orElse(-1);
        try {
            channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            channel.truncate(length);
            channel.position(length);
        } catch (IOException e) {
            failure = e;
        }
        String name = path.getFileName().toString().replaceFirst("\\.part$", "");
        counter = progress.start("downloading " + name, size < 0 ? -1 : length + size, "B");
        counter.step(length);
        return BodySubscribers.ofByteArrayConsumer(this::write);
    }

    private boolean startsAtOffset(ResponseInfo response) {
        return response.headers()
                .firstValue("Content-Range")
                .map(range -> range.startsWith("bytes " + offset + "-"))
                .orElse(false);
    }

    private void write(Optional<byte[]> chunk) {
        if (chunk.isEmpty() || failure != null) {
            return;
        }
        byte[] bytes = chunk.get();
        if (length + bytes.length > limit) {
            overlong = true;
            failure = new IOException("it sends more than the " + limit + " bytes that the file can have");
            return;
        }
        try {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            length += bytes.length;
            received += bytes.length;
            counter.step(bytes.length);
        } catch (IOException e) {
            failure = e;
        }
    }

    /** Puts what has arrived on disk. */
    @Override
    public void close() throws IOException {
        if (counter != null) {
            counter.close();
        }
        if (channel != null && channel.isOpen()) {
            try (FileChannel closing = channel) {
                closing.force(true);
            }
        }
    }
}
