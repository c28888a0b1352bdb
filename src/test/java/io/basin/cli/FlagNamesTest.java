package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** Only the command line knows flags: the engine names parameters, and each that a flag sets is shown as that flag. */
class FlagNamesTest {
    private static final Pattern COMMENT = Pattern.compile("//[^\n]*|/\\*.*?\\*/", Pattern.DOTALL);
    private static final Pattern LITERAL = Pattern.compile("\"(\\\\.|[^\"\\\\\n])*\"");
    private static final Pattern QUOTED = Pattern.compile("`([^`]*)`");
    /** NVIDIA's compiler has flags too. */
    private static final Set<String> COMPILER =
            Set.of("\"--fmad=\"", "\"--gpu-architecture=\"", "\"--std=c++17\"", "\"--generate-line-info\"");
    /** No flag sets them: arguments of the library's own methods, whose records say what the flags do. */
    private static final Set<String> ARGUMENTS = Set.of(
            "resamples",
            "rates",
            "alpha",
            "pull",
            "cycle",
            "start",
            "swaStart",
            "warmFraction",
            "labels",
            "classNames",
            "schedule",
            "splits");

    private static Map<String, List<String>> literals() throws IOException {
        Map<String, List<String>> all = new TreeMap<>();
        Path main = Path.of("src/main/java/io/basin");
        try (Stream<Path> files = Files.walk(main)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                if (file.startsWith(main.resolve("cli"))) continue;
                Matcher m =
                        LITERAL.matcher(COMMENT.matcher(Files.readString(file)).replaceAll(""));
                List<String> found = all.computeIfAbsent(main.relativize(file).toString(), f -> new ArrayList<>());
                while (m.find()) found.add(m.group());
            }
        }
        return all;
    }

    @Test
    void noTextOutsideTheCommandLineNamesAFlag() throws IOException {
        List<String> flags = new ArrayList<>();
        literals()
                .forEach((file, texts) -> texts.stream()
                        .filter(t -> t.matches(".*(?<!var\\()--[A-Za-z].*") && !COMPILER.contains(t))
                        .forEach(t -> flags.add(file + ": " + t)));
        assertEquals(List.of(), flags);
    }

    @Test
    void everyParameterThatTheEngineNamesHasItsFlag() throws IOException {
        Set<String> unknown = new TreeSet<>();
        int[] named = {0};
        Map<String, List<String>> all = literals();
        // No command averages foreign arrays.
        all.keySet().removeIf(file -> file.startsWith("average/") || file.equals("methods/PostHocEma.java"));
        all.forEach((file, texts) -> texts.forEach(text -> {
            Matcher m = QUOTED.matcher(text);
            while (m.find()) {
                named[0]++;
                String name = m.group(1);
                boolean known = !FlagNames.said('`' + name + '`').startsWith("`")
                        || ARGUMENTS.contains(name)
                        || name.equals("%s");
                if (!known) unknown.add(file + ": " + name);
            }
        }));
        assertTrue(named[0] > 50, named[0] + " names");
        assertEquals(Set.of(), unknown);
    }

    /** What would be shown for a parameter is what sets it, and nothing else does. */
    @Test
    void aFlagChangesTheParametersThatItIsShownForAndNoOther() {
        for (CommandLine.Model.OptionSpec option :
                new CommandLine(new TrainingOptions()).getCommandSpec().options()) {
            String flag = option.longestName();
            if (Set.of(
                            "--data-dir",
                            "--tune",
                            "--from",
                            "--from-epochs",
                            "--recipe",
                            "--image-size",
                            "--grey",
                            "--skip-bad",
                            "--class-names")
                    .contains(flag)) continue; // They choose data, or read a file.
            Map<String, String> usual = parameters(rule(flag));
            Map<String, String> changed = parameters(words(option));
            Set<String> differ = new TreeSet<>();
            usual.forEach((name, value) -> {
                if (!value.equals(changed.get(name))) differ.add(name);
            });
            // What is not used is not said.
            if (changed.keySet().containsAll(usual.keySet())) differ.addAll(changed.keySet());
            differ.removeIf(name -> Objects.equals(usual.get(name), changed.get(name)));
            assertTrue(!differ.isEmpty(), flag + " changes nothing");
            if (flag.equals("--optimizer")) continue; // which changes what there is
            // A cycle that is not named follows the budget and the start.
            if (Set.of("--epochs", "--warmup", "--swa-start", "--fge-start", "--budgets")
                    .contains(flag)) differ.removeIf(name -> name.endsWith(".cycle"));
            for (String name : differ) assertEquals(flag, FlagNames.of(name), name);
        }
    }

    private static String[] words(CommandLine.Model.OptionSpec option) {
        if (option.arity().max() == 0) return new String[] {option.longestName()};
        if (option.longestName().equals("--optimizer")) return new String[] {"--optimizer", "adamw"};
        String value = switch (option.longestName()) {
            case "--model" -> "vgg16";
            case "--schedule" -> "cosine";
            case "--augment" -> "crop_flip";
            case "--precision" -> "bf16";
            case "--swa-start",
                    "--fge-start",
                    "--wsm-start",
                    "--ema-decay",
                    "--switch-ema-decay",
                    "--lookahead-rate",
                    "--momentum",
                    "--beta1",
                    "--beta2",
                    "--label-smoothing",
                    "--label-noise",
                    "--color-jitter" -> "0.6";
            case "--swa-low", "--fge-lr-low" -> "0.004";
            default -> "7";
        };
        String[] rule = rule(option.longestName());
        String[] words = Arrays.copyOf(rule, rule.length + 2);
        words[rule.length] = option.longestName();
        words[rule.length + 1] = value;
        return words;
    }

    /** What a flag is given with. */
    private static String[] rule(String flag) {
        return Set.of("--beta1", "--beta2", "--eps").contains(flag)
                ? new String[] {"--optimizer", "adamw"}
                : new String[0];
    }

    private static Map<String, String> parameters(String... args) {
        TrainingOptions options = new TrainingOptions();
        List<String> words = new ArrayList<>(List.of("mnist"));
        words.addAll(List.of(args));
        new CommandLine(options).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(words.toArray(String[]::new));
        Map<String, Object> all = new TreeMap<>(Map.of("settings", options.settings(), "budget", options.budget()));
        options.methods().all().stream().filter(m -> !m.name().equals("sgd")).forEach(m -> all.put(m.name(), m));
        Map<String, String> flat = new TreeMap<>();
        flatten("", Json.parse(Json.text(all), "parameters"), flat);
        return flat;
    }

    private static void flatten(String name, JsonNode node, Map<String, String> into) {
        if (!node.isObject()) into.put(name, node.isArray() ? node.toString() : node.asText());
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            flatten(name.isEmpty() ? field.getKey() : name + "." + field.getKey(), field.getValue(), into);
        }
    }
}
