package io.basin.rounds;

import io.basin.Jvm;
import io.basin.io.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;

/** Jobs in folders, over which worker processes come and are killed with SIGKILL at random moments. */
public final class RoundKills implements AutoCloseable {
    private final Path jobs;
    private final SplittableRandom random;
    private final Workshop workshop = TinyJob.workshop(TinyJob.plan());
    private final List<Process> alive = new ArrayList<>();
    private final String undisturbed;
    private int schedules;
    private int started;
    private int kills;
    private int joins;

    /** @param folder existing and empty */
    public RoundKills(Path folder, long seed) throws Exception {
        jobs = Files.createDirectory(folder.resolve("jobs"));
        random = new SplittableRandom(seed);
        undisturbed = TinyJob.sum(TinyJob.inThreads(Files.createDirectory(folder.resolve("calm")), TinyJob.plan(), 2)
                .get(0));
    }

    /** One job to its end, with a random number of deaths and arrivals; empty where its weights have the bits of a quiet one. */
    public String schedule() throws Exception {
        while (alive.size() < 1 + random.nextInt(2)) join();
        Path job = Files.createDirectory(jobs.resolve("job-" + schedules));
        CompletableFuture<String> driven = CompletableFuture.supplyAsync(() ->
                TinyJob.sum(TinyJob.run(job, workshop, f -> new SharedFolder(f, workshop, false))
                        .get(0)));
        for (int deaths = random.nextInt(4) == 0 ? 2 : 1; deaths > 0; deaths--) {
            // Some die amid a share, some while they wait, some before they have begun.
            Thread.sleep(random.nextInt(schedules == 0 ? 1200 : 250));
            if (driven.isDone() || alive.isEmpty()) break;
            alive.remove(random.nextInt(alive.size())).destroyForcibly();
            kills++;
            if (random.nextBoolean()) join();
        }
        while (alive.isEmpty()) join();
        schedules++;
        String made = driven.get();
        // A worker that sees the end only now still writes.
        while (Files.isDirectory(job)) Folders.remove(job);
        return made.equals(undisturbed) ? "" : "schedule " + schedules + " ends with other weights";
    }

    private void join() throws Exception {
        String name = "w" + started++;
        joins++;
        Path log = jobs.resolve(name + ".txt");
        alive.add(worker(log, TinyJob.class, jobs.toString(), name, Integer.toString(schedules)));
    }

    /** A program in a small Java process of its own, whose output goes into {@code log}. */
    public static Process worker(Path log, Class<?> program, String... arguments) throws IOException {
        String classPath = Jvm.classPath();
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx128m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath,
                program.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
    }

    /** Processes that were killed amid a job. */
    public int kills() {
        return kills;
    }

    /** Processes that joined. */
    public int joins() {
        return joins;
    }

    @Override
    public void close() {
        alive.forEach(Process::destroyForcibly);
    }
}
