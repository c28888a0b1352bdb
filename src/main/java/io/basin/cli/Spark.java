package io.basin.cli;

import io.basin.compare.Comparison;
import io.basin.data.Progress;
import io.basin.io.AtomicFile;
import io.basin.io.Disk;
import io.basin.io.FolderLock;
import io.basin.io.Folders;
import io.basin.rounds.Carrier;
import io.basin.rounds.Shares;
import io.basin.spark.SharesSource;
import io.basin.spark.SparkCarrier;
import io.basin.spark.SparkPool;
import io.basin.spark.TaskDevice;
import io.basin.text.Printable;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Work on Spark's executors, which take it up from the words of a command as a resumed run does. Nothing else knows Spark, which need not be there. */
final class Spark {
    /** The master that spark-submit names. */
    private static final String SUBMIT = "submit";

    private Spark() {}

    /** The command line that made a job. */
    private record Words(List<String> words) implements SharesSource {
        private static final long serialVersionUID = 1;

        @Override
        public Shares make() {
            Carriers.Carried command = (Carriers.Carried) Main.parsed(words);
            command.on().givenBy(TaskDevice::name);
            return command.shares();
        }
    }

    /** A comparison's run on its way to an executor. */
    private record Task(List<String> words, long seed, List<String> methods, String folder) implements Serializable {
        private static final long serialVersionUID = 1;
    }

    static Carrier carrier(Path folder, Shares shares, List<String> words, String master) {
        return started(master, () -> new SparkCarrier(folder, shares, new Words(List.copyOf(words)), master(master)));
    }

    /** Has runs of a comparison trained, and puts what comes of them into its folder. */
    static void train(List<Comparison.Unit> units, List<String> words, Path folder, String master, Progress progress) {
        if (units.isEmpty()) return;
        List<String> own = List.copyOf(words);
        List<Task> tasks = units.stream()
                .map(u -> new Task(own, u.seed(), List.copyOf(u.methods()), u.folder()))
                .toList();
        try (SparkPool pool = started(master, () -> new SparkPool(master(master)));
                Progress.Counter counter = progress.start("runs on " + pool.describe(), tasks.size(), "runs")) {
            List<Map<String, byte[]>> made = pool.map("the runs", tasks, Spark::files, () -> counter.step(1));
            for (int i = 0; i < tasks.size(); i++)
                keep(folder.resolve(tasks.get(i).folder()), made.get(i));
        }
    }

    private static String master(String named) {
        return named.equals(SUBMIT) ? "" : named;
    }

    private static <T> T started(String master, Supplier<T> start) {
        try {
            return start.get();
        } catch (LinkageError e) {
            throw new IllegalArgumentException(
                    "--spark: Spark is not on the class path, or Java is closed to it: run this with 'spark-submit --class"
                            + " io.basin.cli.Main basin.jar COMMAND ... --spark submit'",
                    e);
        } catch (Exception e) {
            // Spark throws what it does not declare.
            throw new IllegalArgumentException(
                    "--spark " + Printable.of(master) + ": Spark does not start there (" + Reason.of(e)
                            + "): name a master such as local[2] or spark://host:7077",
                    e);
        }
    }

    /** On an executor: trains, and hands over the files by name. */
    private static Map<String, byte[]> files(Task task) throws IOException {
        Path place = Files.createTempDirectory("basin-run");
        try {
            RunOptions.unit(
                    task.words(),
                    new Comparison.Unit(task.seed(), task.methods(), task.folder()),
                    place,
                    TaskDevice::name);
            Path made = place.resolve(task.folder());
            Map<String, byte[]> files = new TreeMap<>();
            for (Path file : Folders.walk(made)) {
                if (!Files.isRegularFile(file) || FolderLock.isMark(file)) continue;
                files.put(made.relativize(file).toString(), Disk.reading(file, () -> Files.readAllBytes(file)));
            }
            return files;
        } finally {
            Folders.remove(place);
        }
    }

    /** The file that marks the run as ended comes last. */
    private static void keep(Path folder, Map<String, byte[]> files) {
        files.entrySet().stream()
                .sorted(Comparator.comparing(
                        (Map.Entry<String, byte[]> f) -> f.getKey().equals("scores.json")))
                .forEach(f -> {
                    Path file = folder.resolve(f.getKey());
                    Folders.make(Objects.requireNonNull(file.toAbsolutePath().getParent()));
                    AtomicFile.write(file, f.getValue());
                });
    }
}
