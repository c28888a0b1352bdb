package io.basin.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What every message must be: a sentence for people, without Java's types, fields and constants. {@link Shell} and {@link Child}
 * hold all that the suite's runs complain of against it.
 */
final class MessageForm {
    private static final Pattern QUOTED = Pattern.compile("'[^']*'|\"[^\"]*\"|\\S*/\\S*|\\S+\\.\\w{2,}\\b");
    private static final Pattern TYPE = Pattern.compile("\\b(?:[a-z]\\w*\\.)+[A-Z]\\w*|\\b\\w+(?:Exception|Error)\\b");
    private static final Pattern CAMEL = Pattern.compile("\\b[a-z]+[A-Z]\\w*");
    private static final Pattern CONSTANT = Pattern.compile("\\b[A-Z][A-Z0-9_]{2,}\\b");
    private static final Set<String> NAMES =
            Set.of("oneDNN", "cuDNN", "cuBLAS", "cuCtxGetDevice", "cuCtxSetCurrent", "cudaValue", "cudaSlope");
    private static final Set<String> CONSTANTS = constants();

    private MessageForm() {}

    /** What is wrong with the form of {@code message}; empty where nothing is. */
    static List<String> faults(String message) {
        List<String> faults = new ArrayList<>();
        if (message.chars().anyMatch(c -> c < ' ' && c != '\t')) faults.add("control characters");
        if (message.length() > 5000) faults.add("endless");
        if (TYPE.matcher(message.replaceAll("\\S*/\\S*|'[^']*'", "")).find()) faults.add("a type's name");
        if (message.matches(".*\\bnull\\b.*")) faults.add("null");
        String plain = QUOTED.matcher(message).replaceAll(" ");
        Matcher camel = CAMEL.matcher(plain);
        while (camel.find()) if (!NAMES.contains(camel.group())) faults.add("a field's name, " + camel.group());
        Matcher capitals = CONSTANT.matcher(plain);
        while (capitals.find()) if (CONSTANTS.contains(capitals.group())) faults.add("a constant, " + capitals.group());
        return faults;
    }

    /** @throws AssertionError naming a line of {@code err} that is a complaint of bad form */
    static void check(String err) {
        err.lines().filter(line -> line.startsWith("basin: ")).forEach(line -> {
            List<String> faults = new ArrayList<>(faults(line));
            if (line.split("\\s+").length < 4) faults.add("no sentence");
            if (!faults.isEmpty()) throw new AssertionError(faults + " in: " + line);
        });
    }

    /** Of every enum in the main code. What stands for a word in help (FILE, FP32's like) is none. */
    private static Set<String> constants() {
        Pattern body = Pattern.compile("\\benum \\w+ (?:implements \\w+ )?\\{([^;{}]*)", Pattern.DOTALL);
        Set<String> all = new TreeSet<>();
        try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                Matcher enums = body.matcher(Files.readString(file));
                while (enums.find()) {
                    String code = enums.group(1).replaceAll("(?s)/\\*.*?\\*/|//[^\n]*|\\([^()]*\\)", " ");
                    for (String name : code.split("[\\s,]+"))
                        if (CONSTANT.matcher(name).matches()) all.add(name);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        // The formats' own names of types.
        all.removeAll(Set.of("F16", "F32", "F64", "I64", "I32", "BF16", "BOOL", "IDX", "ONNX", "NPZ"));
        return all;
    }
}
