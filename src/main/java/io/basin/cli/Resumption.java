package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Nullable;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.text.Closest;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** A run's folder keeps the words that made it, so that {@code --resume DIR} alone goes on; words beside it come first. */
final class Resumption {
    /** Key in {@code config.json}. */
    static final String KEY = "arguments";

    private static final String RESUME = "--resume";
    /** Of one call and not of the run. */
    private static final Set<String> LOCAL = Set.of(
            RESUME, "--out", "--any-device", "--csv", "--json", "--metrics-csv", "--verbose", "--help", "--version");

    private Resumption() {}

    /** {@code args}, with what the folder that they resume knows and they leave out. */
    static String[] complete(String[] args) {
        Path folder = folder(args);
        if (folder == null) return args;
        List<String> kept = kept(folder.resolve(Configuration.FILE));
        int command = IntStream.range(0, args.length)
                .filter(i -> !args[i].startsWith("-"))
                .findFirst()
                .orElse(-1);
        if (command < 0) return args;
        if (!Files.exists(folder) && parsed(args).matchedPositionals().isEmpty()) throw unknown(folder);
        if (kept.isEmpty()) return args;
        if (!kept.get(0).equals(args[command])) {
            throw new IllegalArgumentException("--resume: " + folder.resolve(Configuration.FILE)
                    + " was written by 'basin " + Printable.of(kept.get(0)) + "': go on with 'basin "
                    + Printable.of(kept.get(0)) + " --resume " + folder + "'");
        }
        ParseResult now = parsed(args);
        ParseResult then = parsed(kept.toArray(new String[0]));
        List<String> all = new ArrayList<>(List.of(args));
        if (now.matchedPositionals().isEmpty()) all.addAll(command + 1, positionals(then));
        then.matchedOptions().stream()
                .filter(o -> !now.hasMatchedOption(o.longestName()) && !LOCAL.contains(o.longestName()))
                .forEach(o -> all.addAll(words(o)));
        return all.toArray(new String[0]);
    }

    /** The words of a parsed command that make its run what it is, in an order that does not depend on theirs. */
    static List<String> words(String command, ParseResult parsed) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(positionals(parsed));
        parsed.matchedOptions().stream()
                .filter(o -> !LOCAL.contains(o.longestName()))
                .sorted(Comparator.comparing(OptionSpec::longestName))
                .forEach(o -> all.addAll(words(o)));
        return all;
    }

    private static List<String> words(OptionSpec option) {
        List<String> values = option.originalStringValues();
        String name = option.longestName();
        if (values.isEmpty() || option.arity().max() == 0) return List.of(name);
        return values.stream().map(v -> name + "=" + v).toList();
    }

    private static List<String> positionals(ParseResult parsed) {
        return parsed.matchedPositionals().stream()
                .sorted(Comparator.comparing(PositionalParamSpec::index))
                .map(ArgSpec::originalStringValues)
                .flatMap(List::stream)
                .toList();
    }

    private static IllegalArgumentException unknown(Path folder) {
        Path parent = folder.toAbsolutePath().getParent();
        List<String> beside = parent == null ? List.of() : RunsCommand.names(parent);
        return new IllegalArgumentException("--resume: there is no folder " + folder
                + Closest.to(folder.toAbsolutePath().getFileName().toString(), beside)
                        .map(n -> "; did you mean '" + folder.resolveSibling(n) + "'?")
                        .orElse("; 'basin runs' lists those of " + RunsCommand.USUAL));
    }

    private static @Nullable Path folder(String[] args) {
        for (int i = 1; i < args.length; i++) {
            if (args[i].startsWith(RESUME + "=")) return Path.of(args[i].substring(RESUME.length() + 1));
            if (args[i].equals(RESUME) && i + 1 < args.length) return Path.of(args[i + 1]);
        }
        return null;
    }

    /**
     * Nothing where the file does not say: it is older.
     *
     * @throws FormatException where it is damaged, before its missing words could be reported
     */
    static List<String> kept(Path file) {
        List<String> words = new ArrayList<>();
        Path folder = Objects.requireNonNull(file.toAbsolutePath().getParent());
        if (Files.isDirectory(folder) && !Files.isExecutable(folder)) {
            throw new FormatException(
                    file.toString(), "cannot be read: this user may not enter its folder; ask its owner");
        }
        if (!Files.isRegularFile(file)) return words;
        JsonNode all = Json.read(file);
        if (!all.isObject()) {
            throw new FormatException(
                    file.toString(),
                    "is not a JSON object: it is damaged; take a copy of it, or start the run again in another folder");
        }
        for (JsonNode word : all.path(KEY)) words.add(word.asText());
        return words;
    }

    /** Parses as far as possible: missing words are added later, and wrong ones are reported when the command is parsed to be run. */
    static ParseResult parsed(String[] args) {
        CommandLine line = new CommandLine(new Main());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.getSubcommands().values().forEach(c -> c.getCommandSpec().parser().collectErrors(true));
        line.getCommandSpec().parser().collectErrors(true);
        ParseResult whole = line.parseArgs(args);
        return whole.hasSubcommand() ? whole.subcommand() : whole;
    }
}
