package io.basin.rounds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Jvm;
import io.basin.landscape.PointJob;
import java.io.File;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real Spark of its own processes on this machine. */
@Timeout(240)
class SparkTest {
    private static final String CLASS_PATH = Jvm.classPath();
    private static final String EXECUTOR = "CoarseGrainedExecutorBackend";

    @TempDir
    Path folder;

    private final List<Process> processes = new ArrayList<>();

    /** What Spark's own scripts open on Java 17. */
    private static List<String> java() {
        List<String> words = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1"));
        Stream.of(
                        "java.lang",
                        "java.lang.invoke",
                        "java.lang.reflect",
                        "java.io",
                        "java.net",
                        "java.nio",
                        "java.util",
                        "java.util.concurrent",
                        "java.util.concurrent.atomic",
                        "sun.nio.ch",
                        "sun.nio.cs",
                        "sun.security.action",
                        "sun.util.calendar")
                .forEach(p -> words.add("--add-opens=java.base/" + p + "=ALL-UNNAMED"));
        return words;
    }

    private Process start(String name, List<String> settings, String main, String... args) throws Exception {
        List<String> command = java();
        command.addAll(settings);
        command.addAll(List.of("-cp", CLASS_PATH, main));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".txt").toFile());
        builder.environment()
                .putAll(Map.of(
                        "SPARK_HOME", home().toString(), "SPARK_SCALA_VERSION", "2.13", "SPARK_LOCAL_IP", "127.0.0.1"));
        Process made = builder.start();
        processes.add(made);
        return made;
    }

    /** An installation of Spark, as far as a worker needs one to start executors. */
    private Path home() throws Exception {
        Path jars = folder.resolve("spark/jars");
        if (Files.isDirectory(jars)) return jars.getParent();
        Files.createDirectories(jars);
        for (String entry : CLASS_PATH.split(File.pathSeparator)) {
            Path jar = Path.of(entry);
            if (entry.endsWith(".jar")) Files.createSymbolicLink(jars.resolve(jar.getFileName()), jar.toAbsolutePath());
        }
        return jars.getParent();
    }

    private static List<String> ownClasses() {
        String folders = String.join(
                File.pathSeparator,
                Arrays.stream(CLASS_PATH.split(File.pathSeparator))
                        .filter(e -> !e.endsWith(".jar"))
                        .toList());
        return List.of(
                "-Dspark.executor.extraClassPath=" + folders,
                "-Dspark.executor.memory=512m",
                "-Dspark.executor.cores=1",
                "-Dspark.executor.extraJavaOptions=-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
                "-Dspark.driver.host=127.0.0.1");
    }

    @Test
    void anExecutorThatIsKilledAmidARoundDoesNotShowInTheBits() throws Exception {
        String expected =
                TinyJob.sum(TinyJob.inThreads(Files.createDirectory(folder.resolve("calm")), SparkJob.plan(), 2)
                        .get(0));
        String master = cluster();
        Path job = Files.createDirectory(folder.resolve("job"));
        Process driver = start("driver", ownClasses(), SparkJob.class.getName(), job.toString(), master);
        int killed = 0;
        RoundFolder files = new RoundFolder(job);
        while (driver.isAlive()) {
            if (killed == 0 && files.newest() >= 2) {
                Optional<ProcessHandle> executor = executors().findAny();
                if (executor.isPresent() && executor.get().destroyForcibly()) killed++;
            }
            driver.waitFor(5, TimeUnit.MILLISECONDS);
        }
        String said = Files.readString(folder.resolve("driver.txt"));
        assertEquals(0, driver.exitValue(), said);
        assertEquals(1, killed, "an executor was killed: " + said);
        assertTrue(said.lines().anyMatch(expected::equals), said);
    }

    /** Rows of a plane's cells are shares like any other. */
    @Test
    void aPlaneMeasuredOnSparkHasTheBitsOfOneThatIsMeasuredHere() throws Exception {
        List<String> sums = new ArrayList<>();
        for (String how : List.of("spark", "threads")) {
            Path into = Files.createDirectory(folder.resolve(how));
            Process job =
                    start("plane-" + how, ownClasses(), PointJob.class.getName(), how, into.toString(), "local[2]");
            String said = said("plane-" + how, job);
            sums.add(said.lines()
                    .filter(l -> l.matches("[0-9a-f]{64}"))
                    .findFirst()
                    .orElse(said));
        }
        assertEquals(sums.get(1), sums.get(0));
    }

    private String said(String name, Process of) throws Exception {
        assertTrue(of.waitFor(100, TimeUnit.SECONDS));
        return Files.readString(folder.resolve(name + ".txt"));
    }

    /** A master and two workers of one core each. */
    private String cluster() throws Exception {
        String port = Integer.toString(freePort());
        String master = "spark://127.0.0.1:" + port;
        String deploy = "org.apache.spark.deploy.";
        List<String> here = List.of("--host", "127.0.0.1", "--webui-port", "0");
        List<String> words = new ArrayList<>(here);
        words.addAll(List.of("--port", port));
        start("master", List.of(), deploy + "master.Master", words.toArray(String[]::new));
        for (String worker : List.of("worker-1", "worker-2")) {
            String work = folder.resolve(worker).toString();
            words = new ArrayList<>(here);
            words.addAll(List.of("--cores", "1", "--memory", "600m", "--work-dir", work, master));
            start(worker, List.of(), deploy + "worker.Worker", words.toArray(String[]::new));
        }
        return master;
    }

    private Stream<ProcessHandle> executors() {
        return processes.stream()
                .flatMap(p -> p.toHandle().descendants())
                .filter(p -> p.info().commandLine().orElse("").contains(EXECUTOR));
    }

    private static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @AfterEach
    void end() throws Exception {
        // Before JUnit does, which warns of each.
        try (Stream<Path> links = Files.list(home().resolve("jars"))) {
            for (Path link : links.toList()) Files.delete(link);
        }
        processes.forEach(p -> {
            p.descendants().forEach(ProcessHandle::destroyForcibly);
            p.destroyForcibly();
        });
    }
}
