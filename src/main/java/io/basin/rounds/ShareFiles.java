package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.Disk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** A round's files on the driver, as bytes, for a {@link Carrier} of one's own. */
@Api
public final class ShareFiles {
    private final RoundFolder folder;
    private final RoundPlan plan;

    /** @param folder of the job */
    public ShareFiles(Path folder, RoundPlan plan) {
        this.folder = new RoundFolder(folder);
        this.plan = plan;
    }

    /** Shares of the round that nobody has handed over. */
    public List<Integer> missing(int round) {
        return IntStream.range(0, plan.rounds().get(round).shares().size())
                .filter(w -> !folder.has(round, w))
                .boxed()
                .toList();
    }

    /** What all shares of the round begin with. */
    public byte[] weights(int round) {
        return bytes(folder.weights(round));
    }

    /** The optimizer state that a share goes on with; null where its lane begins. */
    public byte @Nullable [] moments(int round, int worker) {
        int before = plan.before(round, worker);
        return before < 0 ? null : bytes(folder.share(round - 1, before));
    }

    private static byte[] bytes(Path file) {
        return Disk.reading(file, () -> Files.readAllBytes(file));
    }

    /** Keeps what {@link ShareWorker#compute} returned. */
    public void hand(int round, int worker, byte[] content) {
        // Its sum is looked at before it counts.
        ModelState.of(content);
        AtomicFile.write(folder.share(round, worker), content);
    }

    /** What every worker's {@link ShareWorker#job} must be, unless the job allows any device. */
    public String job() {
        return folder.job().map(io.basin.io.Json::line).orElse("");
    }

    /** Whether workers on devices that round differently are allowed. */
    public boolean anyDevice() {
        return folder.job().map(RoundFolder.Job::anyDevice).orElse(false);
    }
}
