package io.basin.cli;

import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.FolderLock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Checks of files to be written, made before the work whose result they take. */
final class Outputs {
    private Outputs() {}

    /** Flags that name a file of results, and replace an older one. */
    private static final Set<String> FLAGS = Set.of("--csv", "--json", "--svg", "--reliability", "--metrics-csv");

    /** The files of a run's folder, which later commands read. */
    private static final Pattern OF_A_RUN = Pattern.compile(
            "(config|results|scores|evidence|job|ended)\\.json|.*\\.jsonl|.*\\.safetensors|.*\\.claim|\\.basin\\..*");

    /** Files that none of those flags ever wrote. */
    private static final Pattern NOT_OURS = Pattern.compile(
            "(?i).*\\.(safetensors|pt|pth|bin|onnx|npz|npy|png|jpe?g|gif|bmp|gz|tar|zip|jar|java|class|pom|xml|md|sh|py)");

    private static final Pattern OF_A_FORMAT =
            Pattern.compile("(?i).*\\.(safetensors|pt|pth|onnx|npz|npy|json|csv|png|svg|html|zip)");

    /**
     * Refuses results in place of what a command reads, of what a run keeps, or of another kind of file: before any work is done.
     *
     * @throws ParameterException naming the flag
     */
    static void check(ParseResult parsed) {
        if (parsed.hasSubcommand()) check(parsed.subcommand());
        boolean report = parsed.commandSpec().name().equals("report");
        for (OptionSpec option : parsed.matchedOptions()) {
            String flag = option.longestName();
            boolean output = FLAGS.contains(flag) || report && flag.equals("--out");
            if (!output || !(option.getValue() instanceof Path file) || !Files.isRegularFile(file)) continue;
            if (read(parsed, option).anyMatch(f -> isSame(f, file))) {
                throw refused(parsed, flag, file + " is what the command reads: name another file for the results");
            }
            String name = file.toAbsolutePath().getFileName().toString();
            if (OF_A_RUN.matcher(name).matches() && isOfARun(file)) {
                throw refused(parsed, flag, file + " is a file of a run, which would be spoilt: name another file");
            }
            if (NOT_OURS.matcher(name).matches()) {
                throw refused(
                        parsed,
                        flag,
                        file
                                + " exists, and is by its name something else than results: name another file, or remove it first");
            }
        }
    }

    private static ParameterException refused(ParseResult parsed, String flag, String why) {
        return new ParameterException(parsed.commandSpec().commandLine(), flag + ": " + why);
    }

    /** Files that other words of the command name. */
    private static Stream<Path> read(ParseResult parsed, OptionSpec output) {
        Stream<Object> positionals = parsed.matchedPositionals().stream().map(PositionalParamSpec::getValue);
        Stream<Object> options = parsed.matchedOptions().stream()
                .filter(o -> o != output && !FLAGS.contains(o.longestName()))
                .map(OptionSpec::getValue);
        return Stream.concat(positionals, options)
                .flatMap(v -> v instanceof Collection<?> all ? all.stream() : Stream.of(v))
                .flatMap(v -> v instanceof Path || v instanceof String ? path(v.toString()).stream() : Stream.empty());
    }

    private static Optional<Path> path(String word) {
        try {
            return Optional.of(Path.of(word)).filter(Files::exists);
        } catch (InvalidPathException noPath) {
            return Optional.empty();
        }
    }

    private static boolean isSame(Path a, Path b) {
        try {
            return Files.isSameFile(a, b);
        } catch (IOException gone) {
            return false;
        }
    }

    /** Whether the file's folder, or one of the few above it, is a run's. */
    private static boolean isOfARun(Path file) {
        Path at = file.toAbsolutePath().getParent();
        for (int i = 0; i < 4 && at != null; i++, at = at.getParent()) {
            if (FolderLock.wasTaken(at) || Files.exists(at.resolve(Configuration.FILE))) return true;
        }
        return false;
    }

    /** @throws IllegalArgumentException naming {@code flag} if {@code file} is named and its folder cannot take it */
    static void require(String flag, @Nullable Path file) {
        if (file == null || AtomicFile.isDevice(file)) return;
        if (file.equals(Path.of("-"))) {
            throw new IllegalArgumentException(flag + ": stdout holds the text for people; name a file");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(file)) {
            throw new IllegalArgumentException(flag + ": " + file + " is a folder; name a file");
        }
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(
                    flag + ": the folder " + folder + " does not exist; create it or name another");
        }
        if (!Files.isWritable(folder)) {
            throw new IllegalArgumentException(
                    flag + ": the folder " + folder + " may not be written; name a file in another");
        }
    }

    /** @throws IllegalArgumentException naming {@code flag} if {@code folder} is named and cannot be made or written */
    static void requireFolder(String flag, @Nullable Path folder) {
        if (folder == null) return;
        Path there = folder.toAbsolutePath();
        while (there.getParent() != null && !Files.exists(there)) there = there.getParent();
        if (Files.isDirectory(there) && Files.isWritable(there)) return;
        throw new IllegalArgumentException(flag + ": " + there
                + (Files.isDirectory(there) ? " may not be written" : " is a file") + ": name another folder");
    }

    /** @throws IllegalArgumentException naming two flags that would write one file */
    static void requireApart(String[] flags, @Nullable Path... files) {
        for (int i = 0; i < files.length; i++) {
            for (int j = 0; j < i; j++) {
                if (files[i] == null || files[j] == null || AtomicFile.isDevice(files[i])) continue;
                if (!files[i].toAbsolutePath()
                        .normalize()
                        .equals(files[j].toAbsolutePath().normalize())) continue;
                throw new IllegalArgumentException(
                        flags[j] + " and " + flags[i] + " both name " + files[i] + ": name a file for each");
            }
        }
    }

    /** Writes a picture if one was asked for; {@code draw} gives none where the machine cannot draw. */
    static void picture(@Nullable Path file, Supplier<String> draw) {
        if (file == null) return;
        String svg = draw.get();
        if (!svg.isEmpty()) AtomicFile.write(file, svg);
    }

    /** As {@link #require}, and the file must be new, now and when it is written, and not end as one of another format. */
    static void requireNew(String flag, Path file, String ending) {
        String name = file.toString();
        if (!name.endsWith(ending) && OF_A_FORMAT.matcher(name).matches())
            throw new IllegalArgumentException(flag + ": " + file
                    + " is by its name another kind of file than what is written: end it in " + ending);
        require(flag, file);
        if (Files.exists(file)) {
            throw new IllegalArgumentException(flag + ": " + file + " exists already; name another file");
        }
        AtomicFile.expectNew(file);
    }
}
