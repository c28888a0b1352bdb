package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Drives a job whose rounds do not follow from one another, such as the measuring of points: has a round's shares computed, and hands
 * their results over in their order. Killed at any moment it finds again what was handed over.
 */
@Api
public final class ShareRun implements AutoCloseable {
    private final RoundFolder folder;
    private final Shares shares;
    private final boolean anyDevice;
    private final Supplier<Carrier> opening;
    private @Nullable Carrier carrier;

    /**
     * @param folder existing, with no other driver
     * @param anyDevice whether workers may have devices that round differently
     * @param carrier opened when there is something to be computed, and closed by this
     */
    public ShareRun(Path folder, Shares shares, boolean anyDevice, Supplier<Carrier> carrier) {
        this.folder = new RoundFolder(folder);
        this.shares = shares;
        this.anyDevice = anyDevice;
        opening = carrier;
    }

    /**
     * A round.
     *
     * @param number from 0; the same when the job goes on
     * @param identity as of {@link Shares.Maker#identity}
     * @param splits the driver's
     * @param begin writes the round's file, always the same
     * @param known results that exist already, by share
     */
    public record Round(
            int number, String identity, Splits splits, Consumer<Path> begin, Map<Integer, Shares.Made> known) {}

    /**
     * Computes the shares that were not handed over yet.
     *
     * @param read of a share's file
     * @param handed called once for each share, by one thread at a time
     */
    public <T> List<T> run(Round round, Function<Path, T> read, Runnable handed) {
        int number = round.number();
        folder.drive(RoundFolder.Job.of(round.identity(), round.splits(), anyDevice));
        folder.forget(number);
        folder.begin(number, round.begin());
        round.known().forEach((share, made) -> made.write(folder.share(number, share), "an earlier run"));
        int all = folder.count(shares, number);
        Runnable one = () -> {
            synchronized (this) {
                handed.run();
            }
        };
        for (long i = folder.done(number, all); i > 0; i--) one.run();
        if (carrier == null) carrier = opening.get();
        carrier.run(number, one);
        return IntStream.range(0, all)
                .mapToObj(share -> read.apply(folder.share(number, share)))
                .toList();
    }

    /** Tells workers that there is nothing left to do; the results are with the caller. */
    public void done() {
        if (folder.job().isEmpty()) return;
        folder.forget(Integer.MAX_VALUE);
        folder.end("the job is done");
    }

    @Override
    public void close() {
        if (carrier != null) carrier.close();
    }
}
