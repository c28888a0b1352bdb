package io.basin.cli;

import io.basin.rounds.Carrier;
import io.basin.rounds.Processes;
import io.basin.rounds.SharedFolder;
import io.basin.rounds.Shares;
import io.basin.rounds.Threads;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The flags that say who computes the shares of a job. */
final class Carriers {
    enum Where {
        THREADS,
        PROCESSES,
        FOLDER
    }

    @Option(
            names = "--carrier",
            description =
                    "who computes, each with one thread unless --threads says otherwise: threads, processes, or folder:"
                            + " this process and every 'basin worker DIR'; default of 'rounds' threads, else this process alone")
    private Where where;

    @Option(
            names = "--spark",
            paramLabel = "MASTER",
            description =
                    "on executors of Apache Spark: local[2], spark://host:7077, or submit for the one that spark-submit names;"
                            + " Spark's own settings pass through; default --carrier's")
    private String spark;

    @Option(names = "--slots", description = "workers that compute at once, threads or processes; default all cores")
    private Integer slots;

    /** A command that others may work on, as another process takes it up. */
    interface Carried {
        Shares shares();

        /** Its data and device. */
        Flags.On on();
    }

    /** Whether a flag names any. */
    boolean are() {
        return where != null || spark != null || slots != null;
    }

    /** @throws IllegalArgumentException naming a flag that would be without effect; before any work is done */
    void require(Flags.Output run) {
        if (spark != null && where != null)
            throw new IllegalArgumentException("--carrier: the executors of --spark compute; name one of the two");
        if (slots != null && (spark != null || where == Where.FOLDER)) {
            throw new IllegalArgumentException("--slots counts threads or processes, and "
                    + (spark == null ? "--carrier folder" : "--spark") + " starts none here: leave it out");
        }
        if (run.anyDevice && run.resume == null && spark == null && (where == null || where == Where.THREADS)) {
            throw new IllegalArgumentException("--any-device: this process alone computes, on one device: leave it out"
                    + " until it is resumed on another");
        }
    }

    /** Threads of a device where the flag does not say: those of several workers have to be the same on every machine. */
    int usualThreads() {
        return are() ? 1 : 0;
    }

    /**
     * @param folder which holds its configuration already
     * @param most workers that have something to do
     */
    Carrier open(Path folder, Shares shares, int most) {
        if (spark != null)
            return Spark.carrier(folder, shares, Resumption.kept(folder.resolve(Configuration.FILE)), spark);
        int cores = Runtime.getRuntime().availableProcessors();
        int count = Math.max(1, Math.min(most, slots != null ? slots : cores));
        return switch (where == null ? Where.THREADS : where) {
            case THREADS -> new Threads(folder, shares, count);
            case PROCESSES -> new Processes(folder, shares, count, i -> WorkerCommand.command(folder));
            case FOLDER -> new SharedFolder(folder, shares, true);
        };
    }
}
