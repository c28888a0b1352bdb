package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.Disk;
import io.basin.io.Folders;
import io.basin.io.Json;
import io.basin.io.LockOwner;
import io.basin.io.Notices;
import io.basin.text.Reason;
import io.basin.text.Require;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/** Processes of this machine, which this starts, starts again where they die, and ends. They are workers of the job's folder. */
@Api
public final class Processes implements Carrier {
    /** Deaths of one process, in a row without a finished round, after which something must be wrong. */
    private static final int MOST_DEATHS = 3;

    /** Variable that tells a worker whose it is: when that process has ended, so has the worker. */
    static final String DRIVER = "BASIN_DRIVER";

    private final RoundFolder folder;
    private final Shares shares;
    private final IntFunction<List<String>> command;
    private final List<Process> running = new ArrayList<>();
    private final int[] deaths;

    /**
     * @param command that starts the worker of that number
     */
    public Processes(Path folder, Shares shares, int count, IntFunction<List<String>> command) {
        this.folder = new RoundFolder(folder);
        this.shares = shares;
        this.command = command;
        Require.atLeast("slots", count, 1);
        deaths = new int[count];
    }

    @Override
    public String describe() {
        return deaths.length + " processes";
    }

    @Override
    public void run(int round, Runnable handed) {
        while (running.size() < deaths.length) running.add(start(running.size()));
        SharedFolder.await(folder, shares, round, handed, () -> {
            watch();
            return false;
        });
        Arrays.fill(deaths, 0);
    }

    private void watch() {
        for (int i = 0; i < running.size(); i++) {
            if (running.get(i).isAlive()) continue;
            int code = running.get(i).exitValue();
            if (++deaths[i] > MOST_DEATHS) {
                String why = "worker process " + i + " ended " + deaths[i] + " times in one round, last with exit code "
                        + code + ": " + last(log(i)) + "; mend that, see " + log(i) + ", and go on with `resume`";
                throw new UncheckedIOException(why, new IOException(why));
            }
            Notices.note("worker process " + i + " ended with exit code " + code + ", see " + log(i)
                    + "; another takes its place");
            running.set(i, start(i));
        }
    }

    private Path log(int number) {
        return Folders.make(folder.path().resolve("workers")).resolve("process-" + number + ".log");
    }

    /** What a worker complained of last. */
    private static String last(Path log) {
        return Disk.reading(log, () -> Files.readString(log, StandardCharsets.ISO_8859_1))
                .lines()
                .filter(line -> line.startsWith("basin: "))
                .reduce("it says nothing of it", (a, b) -> b.substring(7));
    }

    private Process start(int number) {
        ProcessBuilder builder = new ProcessBuilder(command.apply(number));
        builder.environment().put(DRIVER, Json.line(LockOwner.current()));
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log(number).toFile()));
        try {
            return builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot start worker process " + number + " (" + Reason.of(e) + "): try fewer with `slots`", e);
        }
    }

    /** Whether the process has ended that started this one; null, and never, where none did. */
    static BooleanSupplier orphaned(@Nullable String driver) {
        if (driver == null) return () -> false;
        LockOwner owner = Json.as(Json.parse(driver, DRIVER), LockOwner.class);
        return () -> !owner.lives();
    }

    @Override
    public void close() {
        // They see that the job has ended; one that does not is doing work that is no longer needed.
        running.forEach(Process::destroy);
        for (Process p : running) {
            try {
                p.waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                p.destroyForcibly();
            }
        }
    }
}
