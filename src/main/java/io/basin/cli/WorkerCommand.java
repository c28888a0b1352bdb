package io.basin.cli;

import io.basin.io.FormatException;
import io.basin.rounds.SharedFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "worker",
        description = {
            "Works on a job of 'basin rounds', 'surface' or 'connect' that lies in a folder, until that ends.",
            "Any number of workers may join, on this machine or any that sees the folder, and leave at any moment."
        },
        footer = {
            "",
            "Examples:",
            "  basin worker runs/job",
            "  basin worker /shared/job --id rack-7 --data-dir /data/fashion-mnist"
        })
final class WorkerCommand implements Runnable {
    private static final List<String> COMMANDS = List.of("rounds", "surface", "connect");

    @Parameters(
            paramLabel = "DIR",
            description =
                    "the job's folder, which 'basin rounds --out DIR' made, or 'surface' or 'connect' with --carrier folder")
    private Path folder;

    @Option(
            names = "--id",
            description =
                    "name of this worker, which no other of the job may have, nor be 'driver'; default its process and a number")
    private String id;

    @Option(names = "--data-dir", description = "where the job's data lie on this machine; default where the job says")
    private Path dataDir;

    @Option(names = "--device", description = "default the job's")
    private String device;

    @Option(names = "--threads", description = "default the job's")
    private Integer threads;

    @Override
    public void run() {
        String name = id != null ? id : ProcessHandle.current().pid() + "-" + System.nanoTime() % 100_000;
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
            throw new IllegalArgumentException(
                    "--id: a worker's name is up to 64 letters, digits and any of ._-, got '" + id + "'");
        }
        String why = SharedFolder.work(
                folder, job().shares(), name, share -> System.err.println("worker " + name + ": " + share));
        System.err.println("worker " + name + ": " + why);
    }

    /** The command that made the folder, with this machine's places. */
    private Carriers.Carried job() {
        Path file = folder.resolve(Configuration.FILE);
        List<String> words = new ArrayList<>(Resumption.kept(file));
        if (words.isEmpty() && !Files.exists(file)) {
            throw new IllegalArgumentException(folder + " holds no " + Configuration.FILE
                    + ": start a job there with 'basin rounds DATASET --out " + folder + "'");
        }
        replace(words, "--data-dir", dataDir);
        replace(words, "--device", device);
        replace(words, "--threads", threads);
        if (!words.isEmpty() && COMMANDS.contains(words.get(0))) return (Carriers.Carried) Main.parsed(words);
        throw new FormatException(
                file.toString(), "is not of a job for workers: those are jobs of " + String.join(", ", COMMANDS));
    }

    private static void replace(List<String> words, String flag, Object value) {
        if (value == null) return;
        words.removeIf(w -> w.startsWith(flag + "="));
        words.add(flag + "=" + value);
    }

    /** Starts a worker in a process of its own, named by its number: one of an earlier driver may live a moment longer. */
    static List<String> command(Path folder) {
        List<String> words = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        words.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        String classPath = System.getProperty("java.class.path");
        words.addAll(List.of("-cp", classPath, "io.basin.cli.Main", "worker", folder.toString()));
        return words;
    }
}
