package io.basin.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples do what they say, with the public API alone, in so many lines. */
class ExamplesTest {
    @TempDir
    Path folder;

    private static String printed(Consumer<String[]> program, String... args) {
        PrintStream out = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try {
            program.accept(args);
        } finally {
            System.setOut(out);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static double last(String what, String printed) {
        Matcher m = Pattern.compile(what + " ([0-9.]+)").matcher(printed);
        double value = Double.NaN;
        while (m.find()) value = Double.parseDouble(m.group(1));
        return value;
    }

    @Test
    void ownVectorsPicturesAndLoopsAreLearned() {
        assertTrue(last("accuracy", printed(OwnVectors::main)) > 0.9);
        String pictures = printed(OwnPictures::main);
        assertTrue(last("accuracy", pictures) > 0.9, pictures);
        String first = Samples.quadrants(Samples.points())[0] == 0 ? "row" : "column";
        assertTrue(pictures.startsWith(first + System.lineSeparator()), pictures);
        String loop = printed(OwnLoop::main);
        assertTrue(last("accuracy", loop) > 0.9, loop);
        assertEquals(6, loop.split("gradient").length - 1);
    }

    /** The variance of what is regressed is above 0.7, and a coin has a loss of 0.69. */
    @Test
    void numbersAndTagsAreLearned() {
        String[] losses = printed(Targets::main).split("\\R");
        assertTrue(last("loss", losses[0]) < 0.1, losses[0]);
        assertTrue(last("loss", losses[1]) < 0.2, losses[1]);
    }

    @Test
    void aFileIsEnoughToPredictAndWeightsHaveNames() {
        assertEquals(
                "true",
                printed(SaveAndLoad::main, folder.resolve("net.safetensors").toString())
                        .strip());
        String named = printed(WeightsByName::main);
        assertTrue(named.endsWith("1.5" + System.lineSeparator()), named);
        // fc2: 128 x 10 weights and 10 biases.
        assertTrue(
                Pattern.compile("fc2 +Dense +\\(10\\) +1,290\\R").matcher(named).find(), named);
    }

    /** Between the outer braces; what an example shows must not grow by what the API makes it repeat. */
    @Test
    void theyAreShort() throws IOException {
        Map<String, Integer> most = Map.of(
                "OwnVectors",
                15,
                "OwnPictures",
                15,
                "OwnLoop",
                20,
                "Targets",
                15,
                "SaveAndLoad",
                12,
                "WeightsByName",
                10);
        for (String name : most.keySet()) {
            List<String> lines = Files.readAllLines(Path.of("src/test/java/io/basin/examples", name + ".java"));
            int open = 0;
            while (!lines.get(open).startsWith("public final class")) open++;
            long inside = lines.subList(open + 1, lines.size() - 1).stream()
                    .filter(l -> !l.isBlank())
                    .count();
            assertTrue(inside <= most.get(name), name + " has " + inside + " lines");
        }
    }
}
