package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A Maven project outside of ours that depends on what a release would publish: it gets README's programs to compile and train,
 * nothing twice, and nothing of the command line's. Maven takes everything else from the repository that this build used.
 */
class OutsideProjectIT {
    private static final String VERSION = System.getProperty("basin.version");
    private static final Path PUBLISHED = Path.of(System.getProperty("basin.staging"), "io", "basin", "basin", VERSION);
    private static final String CLASSES = "target/classes";
    private static final String NATIVE_ACCESS = "--enable-native-access=ALL-UNNAMED";
    /** One thread: on a busy machine two of them wait for each other far longer than they compute. */
    private static final String ONE_CORE = "-XX:ActiveProcessorCount=1";

    /** Imports of what is neither ours nor Java's. */
    private static final Pattern FOREIGN =
            Pattern.compile("(?m)^import (static )?(?!java\\.|io\\.basin\\.)|^import io\\.basin\\.torch");

    private static Path project;
    private static String dependencies;

    @BeforeAll
    static void anOutsideProjectIsBuilt() throws Exception {
        project = Files.createTempDirectory("outside");
        Path pom = Files.copy(Path.of("src/test/outside/pom.xml"), project.resolve("pom.xml"));
        assertTrue(
                Files.readString(pom).contains("<version>" + VERSION + "</version>"), pom + " names another version");
        Path sources = Files.createDirectories(project.resolve("src/main/java"));
        ReadmeTest.writePrograms(sources, program -> program);
        copyExamples(sources);
        List<String> maven = new ArrayList<>(List.of(System.getProperty("basin.maven"), "-B", "-q"));
        if (System.getProperty("basin.network").endsWith("true")) maven.add("-o");
        maven.add("-Dmaven.repo.local=" + repository());
        maven.addAll(List.of("-Dmdep.outputFile=class-path.txt", "compile", "dependency:build-classpath"));
        run(maven.toArray(String[]::new));
        dependencies = Files.readString(project.resolve("class-path.txt")).strip();
    }

    /** They compile with what we publish alone, but for those that show another library at work, and for tests. */
    private static void copyExamples(Path sources) throws IOException {
        Path from = Path.of("src/test/java");
        Path to = Files.createDirectories(sources.resolve("io/basin/examples"));
        int copied = 0;
        try (Stream<Path> examples = Files.list(from.resolve("io/basin/examples"))) {
            for (Path example : examples.toList()) {
                String source = Files.readString(example);
                if (FOREIGN.matcher(source).find()) continue;
                Files.copy(example, to.resolve(example.getFileName()));
                copied++;
            }
        }
        assertTrue(copied >= 14, copied + " examples");
    }

    /** By hand: JUnit's temporary folders warn of each link. */
    @AfterAll
    static void itIsDeleted() throws IOException {
        try (Stream<Path> all = Files.walk(project)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        }
    }

    /** The local repository with what we published in the place of any other Basin. */
    private static Path repository() throws IOException {
        Path local = Path.of(System.getProperty("basin.repository"));
        Path ours = project.resolve("repository");
        linkAll(local, ours, "io");
        linkAll(local.resolve("io"), ours.resolve("io"), "basin");
        Files.createSymbolicLink(ours.resolve("io/basin"), Path.of(System.getProperty("basin.staging"), "io", "basin"));
        return ours;
    }

    private static void linkAll(Path from, Path to, String except) throws IOException {
        Files.createDirectories(to);
        if (!Files.isDirectory(from)) return;
        try (Stream<Path> entries = Files.list(from)) {
            for (Path entry : entries.toList()) {
                String name = entry.getFileName().toString();
                if (!name.equals(except)) Files.createSymbolicLink(to.resolve(name), entry);
            }
        }
    }

    /** What a command printed to either stream; it must end well. */
    private static String run(String... command) throws Exception {
        return feed("", command);
    }

    private static String feed(String input, String... command) throws Exception {
        Path in = Files.writeString(project.resolve("input.txt"), input);
        Path out = project.resolve("output.txt");
        Process process = new ProcessBuilder(command)
                .directory(project.toFile())
                .redirectErrorStream(true)
                .redirectInput(in.toFile())
                .redirectOutput(out.toFile())
                .start();
        try {
            assertTrue(process.waitFor(5, TimeUnit.MINUTES), () -> "hangs: " + String.join(" ", command));
        } finally {
            process.destroyForcibly();
        }
        String said = Files.readString(out);
        assertEquals(0, process.exitValue(), () -> String.join(" ", command) + "\n" + said);
        return said;
    }

    private static String tool(Path java, String name) {
        return java.resolve("bin").resolve(name).toString();
    }

    private static Path ourJava() {
        return Path.of(System.getProperty("java.home"));
    }

    /** The newest JDK beside the one that runs the tests, where there is one: it warns of more. */
    private static Path newestJava() throws IOException {
        try (Stream<Path> homes = Files.list(ourJava().toRealPath().getParent())) {
            Map<Integer, Path> versions = new TreeMap<>(Map.of(Runtime.version().feature(), ourJava()));
            for (Path home : homes.filter(h -> Files.isExecutable(h.resolve("bin/jshell")))
                    .toList()) {
                String release = Files.readString(home.resolve("release"));
                versions.put(Integer.parseInt(release.replaceAll("(?s).*JAVA_VERSION=\"(\\d+).*", "$1")), home);
            }
            return ((TreeMap<Integer, Path>) versions).lastEntry().getValue();
        }
    }

    private static List<Path> jars() {
        return Stream.of(dependencies.split(File.pathSeparator)).map(Path::of).toList();
    }

    private static void assertTrained(String said) {
        assertTrue(said.matches("(?s).*SWA: [0-9.]+ % of the test images.*"), said);
        List<String> warnings = said.lines()
                .filter(line -> line.toLowerCase(Locale.ROOT).contains("warn"))
                .toList();
        assertEquals(List.of(), warnings, said);
    }

    @Test
    void noClassReachesAConsumerTwice() throws IOException {
        Map<String, Path> seen = new TreeMap<>();
        List<String> twice = new ArrayList<>();
        for (Path jar : jars()) {
            for (String name : classes(jar)) {
                Path other = seen.put(name, jar);
                if (other != null) twice.add(name + ": " + other.getFileName() + ", " + jar.getFileName());
            }
        }
        assertTrue(seen.containsKey("io/basin/device/Device.class"), seen.size() + " classes");
        assertEquals(List.of(), twice);
    }

    private static List<String> classes(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream()
                    .map(Object::toString)
                    .filter(n -> n.endsWith(".class") && !n.startsWith("META-INF/") && !n.equals("module-info.class"))
                    .toList();
        }
    }

    @Test
    void neitherALoggingBindingNorThePartsOfTheCommandLineReachAConsumer() throws IOException {
        List<String> unwanted = new ArrayList<>();
        for (Path jar : jars()) {
            try (JarFile file = new JarFile(jar.toFile())) {
                for (String name : List.of(
                        "META-INF/services/org.slf4j.spi.SLF4JServiceProvider",
                        "org/slf4j/impl/StaticLoggerBinder.class",
                        "picocli/CommandLine.class",
                        "me/tongfei/progressbar/ProgressBar.class",
                        "org/jfree/chart/JFreeChart.class",
                        "de/erichseifert/vectorgraphics2d/VectorGraphics2D.class",
                        "org/junit/jupiter/api/Test.class")) {
                    if (file.getEntry(name) != null) unwanted.add(jar.getFileName() + ": " + name);
                }
            }
        }
        assertEquals(List.of(), unwanted);
    }

    @Test
    void theMainArtifactIsOursAloneAndNamesItsModuleAndLicence() throws IOException {
        Path thin = PUBLISHED.resolve("basin-" + VERSION + ".jar");
        assertEquals(
                List.of(),
                classes(thin).stream().filter(n -> !n.startsWith("io/basin/")).toList());
        try (JarFile jar = new JarFile(thin.toFile())) {
            var manifest = jar.getManifest().getMainAttributes();
            assertEquals("io.basin", manifest.getValue("Automatic-Module-Name"));
            assertEquals(VERSION, manifest.getValue("Implementation-Version"));
            assertTrue(jar.getEntry("META-INF/LICENSE") != null, "no licence");
            assertTrue(jar.getEntry("io/basin/kernels/step.cu") != null, "no kernels");
            boolean compiler = Files.exists(Path.of("/usr/bin/cc"));
            assertEquals(compiler, jar.getEntry("io/basin/kernels/linux-x86_64/libbasinstep.so") != null, "C kernel");
        }
    }

    @Test
    void sourcesJavadocAndTheCommandLineAreArtifactsBesideIt() throws IOException {
        try (JarFile sources = new JarFile(
                        PUBLISHED.resolve("basin-" + VERSION + "-sources.jar").toFile());
                JarFile javadoc = new JarFile(
                        PUBLISHED.resolve("basin-" + VERSION + "-javadoc.jar").toFile());
                JarFile cli = new JarFile(
                        PUBLISHED.resolve("basin-" + VERSION + "-cli.jar").toFile())) {
            assertTrue(sources.getEntry("io/basin/device/Device.java") != null);
            assertTrue(javadoc.stream().anyMatch(e -> e.getName().endsWith("io/basin/device/Device.html")));
            assertEquals(
                    "io.basin.cli.Main", cli.getManifest().getMainAttributes().getValue("Main-Class"));
        }
    }

    /** With a logging binding that takes everything: no library that we chose talks in the name of ours. */
    @Test
    void aConsumerTrainsOnOneClassPathWithoutWarnings() throws Exception {
        String binding = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(p -> p.contains("slf4j-simple"))
                .findFirst()
                .orElseThrow();
        String said = run(
                tool(newestJava(), "java"),
                NATIVE_ACCESS,
                ONE_CORE,
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=trace",
                "-cp",
                String.join(File.pathSeparator, CLASSES, dependencies, binding),
                "Mine",
                "0.02");
        assertTrained(said);
        assertEquals(
                List.of(),
                said.lines()
                        .filter(l -> !l.contains("io.basin") && !l.startsWith("SWA: "))
                        .toList());
    }

    @Test
    void aConsumerTrainsOnTheModulePath() throws Exception {
        String[] command = {tool(ourJava(), "java"), ONE_CORE, "-p", dependencies, "--add-modules", "ALL-MODULE-PATH"};
        assertTrained(run(Stream.concat(Stream.of(command), Stream.of("-cp", CLASSES, "Mine", "0.02"))
                .toArray(String[]::new)));
    }

    @Test
    void jshellTrainsWithOneClassPath() throws Exception {
        assertTrained(feed(
                "Mine.main(new String[] {\"0.02\"})\n/exit\n",
                tool(newestJava(), "jshell"),
                "-J-Djava.util.prefs.userRoot=" + project,
                "-R" + NATIVE_ACCESS,
                "-R" + ONE_CORE,
                "--class-path",
                dependencies,
                "src/main/java/Mine.java",
                "-"));
    }

    @Test
    void theCommandLineRunsOnTheNewestJavaWithoutWarnings() throws Exception {
        String cli = PUBLISHED.resolve("basin-" + VERSION + "-cli.jar").toString();
        String said = run(tool(newestJava(), "java"), ONE_CORE, "-jar", cli, "doctor");
        assertTrue(said.contains("oneDNN"), said);
        assertFalse(said.toLowerCase(Locale.ROOT).contains("warn"), said);
    }
}
