package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.Folders;
import io.basin.io.Json;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Computes shares for a caller's own {@link Carrier}, which brings bytes to workers and back. One thread at a time uses it. */
@Api
public final class ShareWorker implements AutoCloseable {
    private final Shares.Maker maker;

    /** Opens a device and takes the data there. */
    public ShareWorker(Shares shares) {
        maker = shares.open();
    }

    /** The driver's {@code job.json}: a worker for which this differs would compute something else. */
    public String job() {
        return Json.line(RoundFolder.Job.of(maker.identity(), maker.splits(), false));
    }

    /**
     * One share, a pure function of its arguments, by way of files: these are what is checked.
     *
     * @param begin the round's, as {@link ShareFiles#begin} has it
     * @param before as {@link ShareFiles#before} has it; null for none
     * @param by who computes it, for people
     * @return what {@link ShareFiles#hand} takes
     * @throws io.basin.train.DivergedException where the loss or a weight is no longer finite, naming worker and round
     */
    public byte[] compute(int round, int share, byte[] begin, byte @Nullable [] before, String by) {
        try {
            Path place = Files.createTempDirectory("basin-share");
            try {
                Path first = Files.write(place.resolve("begin.safetensors"), begin);
                Path taken = before == null ? null : Files.write(place.resolve("before.safetensors"), before);
                Path made = place.resolve("made.safetensors");
                maker.make(new Shares.Task(round, share, first, taken), () -> false)
                        .write(made, by);
                return Files.readAllBytes(made);
            } finally {
                Folders.remove(place);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot write a file into " + System.getProperty("java.io.tmpdir") + ": " + Reason.of(e), e);
        }
    }

    @Override
    public void close() {
        maker.close();
    }
}
