package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.Disk;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** A round's files on the driver, as bytes, for a caller's own {@link Carrier}. */
@Api
public final class ShareFiles {
    private final RoundFolder folder;
    private final Shares shares;

    /** @param folder of the job */
    public ShareFiles(Path folder, Shares shares) {
        this.folder = new RoundFolder(folder);
        this.shares = shares;
    }

    /** Shares of the round that were not handed over yet. */
    public List<Integer> missing(int round) {
        return IntStream.range(0, folder.count(shares, round))
                .filter(w -> !folder.has(round, w))
                .boxed()
                .toList();
    }

    /** The file that all shares of the round begin with. */
    public byte[] begin(int round) {
        return bytes(folder.weights(round));
    }

    /** The file from which a share goes on, such as the optimizer's state; null where its lane begins. */
    public byte @Nullable [] before(int round, int share) {
        Path before = folder.task(shares, round, share).before();
        return before == null ? null : bytes(before);
    }

    private static byte[] bytes(Path file) {
        return Disk.reading(file, () -> Files.readAllBytes(file));
    }

    /**
     * Keeps what {@link ShareWorker#compute} returned.
     *
     * @throws FormatException where it was damaged on its way
     */
    public void hand(int round, int share, byte[] content) {
        Path file = folder.share(round, share);
        AtomicFile.write(file, content);
        try {
            Safetensors.open(file).close();
        } catch (FormatException damaged) {
            RoundFolder.delete(file);
            throw damaged;
        }
    }

    /** The {@link ShareWorker#job} of every worker, unless the job allows any device. */
    public String job() {
        return folder.job().map(Json::line).orElse("");
    }

    /** Whether workers on devices that round differently are allowed. */
    public boolean anyDevice() {
        return folder.job().map(RoundFolder.Job::anyDevice).orElse(false);
    }
}
