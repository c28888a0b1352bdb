package io.basin.rounds;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.Disk;
import io.basin.io.Folders;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.text.Format;
import io.basin.train.Checkpoint;
import io.basin.train.Splits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The files of a job, which are all that its processes share: each appears whole or not at all, and none changes once it is there, but
 * for claims.
 *
 * <pre>
 *   job.json                     what every worker must have the same: plan, settings, data, device
 *   ended.json                   why workers may leave
 *   workers/ID                   locked by the worker of that name
 *   round-00001/weights.safetensors, velocity.safetensors     what the round begins with
 *               share-0.safetensors                           what a share handed over
 *               share-0.claim, share-0.failed                 who computes it; why it cannot be
 * </pre>
 */
final class RoundFolder {
    private static final String WEIGHTS = "weights.safetensors";
    private static final String VELOCITY = "velocity.safetensors";
    private static final String JOB = "job.json";
    private static final String ENDED = "ended.json";

    private final Path folder;

    RoundFolder(Path folder) {
        this.folder = folder;
    }

    Path path() {
        return folder;
    }

    /** Values that must be the same for every worker. */
    record Job(
            String identity,
            String data,
            String device,
            boolean anyDevice,
            @Nullable String version) {
        static Job of(String identity, Splits splits, boolean anyDevice) {
            String version = RoundFolder.class.getPackage().getImplementationVersion();
            String said = version == null ? "(unpackaged)" : version;
            return new Job(identity, splits.fingerprint(), splits.device().describe(), anyDevice, said);
        }

        /** @throws IllegalArgumentException where {@code own} would compute something else */
        void requireSame(Job own, Path file) {
            if (!Objects.equals(version, own.version)) {
                throw new IllegalArgumentException(file + " is of a job of Basin " + version + ", and this is Basin "
                        + own.version + ", which may compute other bits: use the version that began it");
            }
            if (!identity.equals(own.identity)) {
                throw new IllegalArgumentException(file + " is of another job than is planned here: there " + identity
                        + ", here " + own.identity
                        + "; go on with the flags, the version of Basin and the class path that began it");
            }
            if (!data.equals(own.data)) {
                throw new IllegalArgumentException(file + " is of a job on other data: there " + data + ", here "
                        + own.data + "; name the folder of the job's data with `dataDir`");
            }
            if (!device.equals(own.device) && !anyDevice && !own.anyDevice) {
                throw new IllegalArgumentException(file + " asks for " + device + ", and this worker has " + own.device
                        + ", which rounds differently: choose the same with `device` and `threads`, or start the job with"
                        + " `anyDevice`, where the bits will depend on who computes what");
            }
        }
    }

    /**
     * Begins the job, or goes on with it: takes back {@link #end} and what failed.
     *
     * @throws IllegalArgumentException where another lies there
     */
    void drive(Job own) {
        job().ifPresent(there -> there.requireSame(own, jobFile()));
        AtomicFile.sweep(folder);
        rounds().forEach(r -> AtomicFile.sweep(round(r)));
        delete(folder.resolve(ENDED));
        rounds().forEach(r -> Folders.list(round(r)).stream()
                .filter(f -> f.toString().endsWith(".failed"))
                .forEach(RoundFolder::delete));
        Json.write(jobFile(), own);
    }

    /** Empty before the job begins. */
    Optional<Job> job() {
        Path file = folder.resolve(JOB);
        return Files.exists(file) ? Optional.of(Json.as(Json.read(file), Job.class)) : Optional.empty();
    }

    Path jobFile() {
        return folder.resolve(JOB);
    }

    /** Tells workers to leave. */
    void end(String why) {
        Json.write(folder.resolve(ENDED), Map.of("why", why));
    }

    Optional<String> ended() {
        Path file = folder.resolve(ENDED);
        return Files.exists(file) ? Optional.of(Json.read(file).path("why").asText()) : Optional.empty();
    }

    Path round(int round) {
        return folder.resolve(Format.of("round-%05d", round + 1));
    }

    Path weights(int round) {
        return round(round).resolve(WEIGHTS);
    }

    Path share(int round, int worker) {
        return round(round).resolve("share-" + worker + ".safetensors");
    }

    Path claim(int round, int worker) {
        return round(round).resolve("share-" + worker + ".claim");
    }

    private Path failed(int round, int worker) {
        return round(round).resolve("share-" + worker + ".failed");
    }

    /** Rounds that have begun and are not removed, in their order. */
    List<Integer> rounds() {
        return Folders.list(folder).stream()
                .map(f -> f.getFileName().toString())
                .filter(n -> n.matches("round-\\d{5,9}"))
                .map(n -> Integer.parseInt(n.substring(6)) - 1)
                .filter(r -> Files.exists(weights(r)))
                .sorted()
                .toList();
    }

    /** The round that is being computed, -1 before the first. */
    int newest() {
        List<Integer> all = rounds();
        return all.isEmpty() ? -1 : all.get(all.size() - 1);
    }

    /** Begins a round; its weights come last, as they say that it has begun. */
    void begin(int round, ModelState weights, @Nullable ModelState velocity) {
        begin(round, file -> {
            if (velocity != null) velocity.write(file.resolveSibling(VELOCITY), Map.of());
            weights.write(file, Map.of("round", Integer.toString(round)));
        });
    }

    /** Begins a round with the file that {@code write} makes. */
    void begin(int round, Consumer<Path> write) {
        Folders.make(round(round));
        write.accept(weights(round));
    }

    /** Shares of a round that has begun. */
    int count(Shares shares, int round) {
        return shares.count(round, weights(round));
    }

    Shares.Task task(Shares shares, int round, int share) {
        int before = shares.before(round, share);
        return new Shares.Task(round, share, weights(round), before < 0 ? null : share(round - 1, before));
    }

    @Nullable
    ModelState velocity(int round) {
        Path file = round(round).resolve(VELOCITY);
        return Files.exists(file) ? ModelState.read(file) : null;
    }

    /** Whether a share was handed over. */
    boolean has(int round, int worker) {
        return Files.exists(share(round, worker));
    }

    /** How many of a round's shares were handed over. */
    long done(int round, int all) {
        return IntStream.range(0, all).filter(w -> has(round, w)).count();
    }

    /** The shares that were handed over. */
    ShareRunner.Result result(int round, int worker) {
        Path file = share(round, worker);
        try (Safetensors in = Safetensors.open(file)) {
            return new ShareRunner.Result(ModelState.of(in), Checkpoint.metrics(file, in.metadata()));
        }
    }

    void fail(int round, int worker, String why) {
        Json.write(failed(round, worker), Map.of("worker", worker, "why", why));
    }

    /** Why a share of this round cannot be computed. */
    Optional<String> failure(int round, int shares) {
        return IntStream.range(0, shares)
                .mapToObj(w -> failed(round, w))
                .filter(Files::exists)
                .map(f -> Json.read(f))
                .map((JsonNode n) -> n.path("why").asText())
                .findFirst();
    }

    /** Removes rounds before {@code first}, whose weights and moments are no longer needed. */
    void forget(int first) {
        rounds().stream().filter(r -> r < first).map(this::round).forEach(Folders::remove);
    }

    static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // Another process writes into that folder in this moment; the next round removes it.
            return;
        }
    }

    /**
     * Workers of a shared folder run the job that lies in it.
     *
     * @throws IllegalArgumentException where everybody may write into it, or this user not, or its job is another user's
     */
    void requireTrusted() {
        PosixFileAttributes at;
        UserPrincipal job;
        try {
            at = Files.readAttributes(folder, PosixFileAttributes.class);
            job = Files.exists(jobFile()) ? Files.getOwner(jobFile()) : at.owner();
        } catch (IOException e) {
            throw Disk.unreadable(folder, e);
        } catch (UnsupportedOperationException noPosix) {
            return;
        }
        if (at.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IllegalArgumentException(folder + ": everybody may write there, and workers trust what they find:"
                    + " take that away with 'chmod o-w " + folder + "'");
        }
        if (!Files.isWritable(folder)) {
            throw new IllegalArgumentException(folder + ": this user may not write there, and workers do: ask "
                    + at.owner().getName() + ", whose it is, for a group's right ('chmod -R g+w " + folder + "')");
        }
        if (!job.equals(at.owner())) {
            throw new IllegalArgumentException(
                    folder + " belongs to " + at.owner().getName() + ", and its job to " + job.getName()
                            + ": start the job in a folder of one's own");
        }
    }

    /** @throws UncheckedIOException naming the folder where it is gone */
    void requireThere() {
        if (Files.isDirectory(folder)) return;
        String gone = folder + ": the job's folder is gone: put it back, or mount it again, and go on there";
        throw new UncheckedIOException(gone, new IOException(gone));
    }
}
