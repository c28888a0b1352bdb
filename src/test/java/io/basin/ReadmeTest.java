package io.basin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** README's programs compile as they stand and do what the text beside them says. */
class ReadmeTest {
    private static final Pattern PROGRAM = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern NAME = Pattern.compile("public (?:final )?class (\\w+)");

    @TempDir
    Path folder;

    /** One and a half screens of what a visitor needs, and pictures and files that exist. */
    @Test
    void theReadmeIsShortAndItsLinksLead() throws IOException {
        for (String name : List.of("README.md", "bench/README.md")) {
            Path file = Path.of(name);
            String text = Files.readString(file);
            assertTrue(name.startsWith("bench") || text.lines().count() <= 140, name);
            Matcher links = Pattern.compile("\\]\\(([^)#:]+)\\)").matcher(text);
            while (links.find()) {
                assertTrue(Files.exists(file.resolveSibling(links.group(1))), name + " links to " + links.group(1));
            }
        }
    }

    private static List<String> programs() throws IOException {
        return PROGRAM.matcher(Files.readString(Path.of("README.md")))
                .results()
                .map((MatchResult m) -> m.group(1))
                .toList();
    }

    /** Writes each program of the README into a file of its own. */
    static List<Path> writePrograms(Path folder, UnaryOperator<String> edit) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String program : programs()) {
            Matcher m = NAME.matcher(program);
            assertTrue(m.find(), "a program without a class: " + program);
            files.add(Files.writeString(folder.resolve(m.group(1) + ".java"), edit.apply(program)));
        }
        return files;
    }

    /** Compiles all programs of the README together and returns what the main method of {@code name} prints. */
    private String run(String name, String... args) throws Exception {
        return run(program -> program, name, args);
    }

    private String run(UnaryOperator<String> edit, String name, String... args) throws Exception {
        List<String> command = new ArrayList<>();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String classPath = Jvm.classPath();
        command.addAll(List.of("-cp", classPath, "-d", folder.toString()));
        writePrograms(folder, edit).forEach(f -> command.add(f.toString()));
        int failed = ToolProvider.getSystemJavaCompiler().run(null, said, said, command.toArray(String[]::new));
        assertEquals(0, failed, said.toString());
        PrintStream old = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (URLClassLoader loader =
                new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) args);
        } finally {
            System.setOut(old);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aNetOfTenLinesTrainsWithSwa() throws Exception {
        String said = run("Mine", "0.02");
        assertTrue(said.matches("(?s).*SWA: [0-9.]+ % of the test images.*"), said);
        double accuracy = Double.parseDouble(said.replaceAll("(?s).*SWA: ([0-9.]+) %.*", "$1"));
        assertTrue(accuracy > 30, said);
    }

    /** As where a GPU opens, on fewer images: the software GPU takes its time, and is never taken unasked. */
    @Test
    void itTrainsOnAGpuAsWell() throws Exception {
        if (!Cuda.works()) return;
        String few = "new io.basin.data.TrainTest(io.basin.data.SyntheticSet.synthetic(5512, 28, 28, 1, 10, 1),"
                + " io.basin.data.SyntheticSet.synthetic(200, 28, 28, 1, 10, 2))";
        String said = run(
                program -> program.replace("Devices.best()", "Devices.open(\"cuda\", 0)")
                        .replace("DataSets.load(\"fashion-mnist\")", few),
                "Mine",
                "0.5");
        assertTrue(said.matches("(?s).*SWA: [0-9.]+ % of the test images.*"), said);
    }

    @Test
    void aNetOfTheReadersOwnTrainsOnTheCommandLine() throws Exception {
        Matcher line = Pattern.compile("(?m)^java -cp target/basin\\.jar:classes (.*) --model (\\w+) (.*)$")
                .matcher(Files.readString(Path.of("bench/README.md")));
        assertTrue(line.find(), "no such line");
        Path source = Files.writeString(folder.resolve(line.group(2) + ".java"), """
                import io.basin.device.Shape;
                import io.basin.nn.*;

                public class %s implements java.util.function.Supplier<Graph> {
                    public Graph get() {
                        return Nets.mlp(Shape.of(1, 28, 28), 10, 16);
                    }
                }
                """.formatted(line.group(2)));
        String classPath = Jvm.classPath();
        ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-cp", classPath, "-d", folder.toString(), source.toString());
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath + File.pathSeparator + folder));
        command.addAll(List.of((line.group(1) + " --model " + line.group(2) + " " + line.group(3)).split(" ")));
        command.addAll(List.of("--epochs", "0.05", "--device", "cpu", "--out", folder + "/run"));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        assertTrue(Files.exists(folder.resolve("run/seed-1/swa/swa.safetensors")), said);
    }

    @Test
    void theNetHasTenLines() throws IOException {
        String program = programs().stream()
                .filter(p -> p.contains("class Mine"))
                .findFirst()
                .orElseThrow();
        String net = program.substring(program.indexOf("static Graph net"));
        net = net.substring(0, net.indexOf("\n    }\n") + 7);
        assertTrue(net.lines().count() <= 10, net);
    }

    @Test
    void itSaysWhatTheBitsOfAResultDependOn() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        assertTrue(readme.contains(
                "Bits depend on the device, the number of threads and the processor's instruction set"));
    }

    @Test
    void everyFlagThatIsShownExists() throws IOException {
        String readme = Files.readString(Path.of("README.md")) + Files.readString(Path.of("bench/README.md"));
        StringBuilder sources = new StringBuilder();
        try (var files = Files.walk(Path.of("src/main/java/io/basin/cli"))) {
            for (Path f : files.filter(p -> p.toString().endsWith(".java")).toList())
                sources.append(Files.readString(f));
        }
        Matcher commands = Pattern.compile("basin\\.jar ([^\n`]*)").matcher(readme);
        int seen = 0;
        while (commands.find()) {
            Matcher flags = Pattern.compile("--[a-z0-9-]+").matcher(commands.group(1));
            while (flags.find()) {
                seen++;
                assertTrue(
                        sources.indexOf("\"" + flags.group() + "\"") >= 0, flags.group() + " in " + commands.group());
            }
        }
        assertTrue(seen > 5, "no commands were found");
    }
}
