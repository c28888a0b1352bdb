package io.basin.cli;

import io.basin.Nullable;
import io.basin.report.Extras;
import io.basin.text.Closest;
import io.basin.text.Printable;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The one line that a user reads of what went wrong: flags, files and remedies, in no parser's words and without Java's types. */
final class Complaint {
    /** Long enough for what we say and a few paths. */
    private static final int MOST = 4000;

    /**
     * Pattern of a part of an {@link OutOfMemoryError}'s message, the resource that ran out, and the remedy: the error stands for
     * many resources, of which the Java heap is one.
     */
    private static final List<String[]> SHORTAGES =
            """
            native thread : no further thread can be started : \
            raise the limit (ulimit -u, a container's pids), or use fewer --threads
            Physical memory : JavaCPP's limit on the process's memory is reached : \
            start with java -Dorg.bytedeco.javacpp.maxPhysicalBytes=0
            within limits : JavaCPP's limit on native memory is reached : \
            start with java -Dorg.bytedeco.javacpp.maxBytes=0
            (?i)direct buffer : the memory for direct buffers is full : start with java -XX:MaxDirectMemorySize=2g
            Metaspace|class space : the JVM's metaspace is full : \
            start with java -XX:MaxMetaspaceSize=256m, or without that flag
            array size : an array would be larger than Java has : use fewer images or a smaller --batch-size
            heap|GC overhead : the Java heap is full : start with more, java -Xmx8g -jar ...
            .* : the machine's memory is full : free some, or use a smaller --batch-size
            """.lines().map(line -> line.split(" : ")).toList();

    /** A command has printed and written everything, and a self-check of it did not hold. */
    static final class SelfCheckException extends RuntimeException {
        private static final long serialVersionUID = 1;

        private SelfCheckException(long failed) {
            super((failed == 1 ? "a self-check failed" : failed + " self-checks failed")
                    + ": do not rely on these results, and report the command line and what it printed");
        }

        static void throwIfAnyFailed(Extras extras) {
            throwIfAny(extras.checks().stream()
                    .filter(c -> c.verdict().equals(Extras.Check.FAILED))
                    .count());
        }

        static void throwIfAny(long failed) {
            if (failed > 0) throw new SelfCheckException(failed);
        }
    }

    private Complaint() {}

    /** The shortage of memory among an exception's causes, as when a helper thread met it; null if there is none. */
    static @Nullable OutOfMemoryError shortage(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) if (t instanceof OutOfMemoryError found) return found;
        return null;
    }

    /** Says which memory ran out. */
    static String of(OutOfMemoryError e) {
        String said = String.valueOf(e.getMessage()).replaceAll("\\s*\n\\s*", " ");
        String[] shortage = SHORTAGES.stream()
                .filter(s -> Pattern.compile(s[0]).matcher(said).find())
                .findFirst()
                .orElseThrow();
        return shortage[1] + " (" + said + "): " + shortage[2];
    }

    /** Of a command that failed. */
    static String of(Throwable e) {
        return Printable.line(FlagNames.said(said(e)), MOST);
    }

    private static String said(Throwable e) {
        if (e instanceof InvalidPathException) return Reason.of(e);
        IOException cause = e instanceof UncheckedIOException u && !ours(u) ? u.getCause() : null;
        if (cause != null) return named(cause) + Reason.of(cause);
        if (isUnexpected(e)) return "an error of basin's own stopped it; --verbose shows where, please report it";
        return String.valueOf(e.getMessage());
    }

    /** Whether its message was written for people: by default it is that of its cause, with its type. */
    private static boolean ours(UncheckedIOException e) {
        return e.getMessage() != null && !e.getMessage().equals(String.valueOf(e.getCause()));
    }

    private static String named(IOException e) {
        return e instanceof java.nio.file.FileSystemException f && f.getFile() != null ? f.getFile() + ": " : "";
    }

    /** Whether {@code e} was not thrown by us: the JDK's messages name nothing that a user typed. */
    static boolean isUnexpected(Throwable e) {
        StackTraceElement[] trace = e.getStackTrace();
        boolean ours = trace.length == 0 || trace[0].getClassName().startsWith("io.basin.");
        boolean declared = e instanceof UncheckedIOException || e instanceof InvalidPathException;
        boolean forPeople = e.getClass().getName().startsWith("io.basin.") || e instanceof IllegalArgumentException;
        return e.getMessage() == null || !declared && !(forPeople && ours);
    }

    /** Of a command line that cannot be understood. */
    static String of(CommandLine.ParameterException e) {
        CommandSpec command = e.getCommandLine().getCommandSpec();
        String said = Printable.line(said(e, command), MOST);
        return said + (said.endsWith("?") ? " See '" : "; see '") + command.qualifiedName() + " --help'";
    }

    private static String said(CommandLine.ParameterException e, CommandSpec command) {
        if (e instanceof CommandLine.UnmatchedArgumentException u) return unmatched(u.getUnmatched(), command);
        if (e instanceof CommandLine.MutuallyExclusiveArgsException)
            return "only one of " + choices(command) + " at once";
        if (e instanceof CommandLine.OverwrittenOptionException o) return name(o.getOverwritten()) + " is given twice";
        if (e instanceof CommandLine.MissingParameterException m) return missing(m, command);
        if (e.getArgSpec() == null) return String.valueOf(e.getMessage());
        return name(e.getArgSpec()) + ": " + unfit(e);
    }

    private static String unmatched(List<String> words, CommandSpec command) {
        String word = words.stream()
                .filter(w -> w.startsWith("-") && w.length() > 1)
                .findFirst()
                .orElse(words.get(0));
        String shown = Printable.of(word);
        if (word.startsWith("-") && word.length() > 1) {
            String flag = word.split("=", 2)[0];
            return "unknown option '" + Printable.of(flag) + "'"
                    + Closest.hint(flag, command.optionsMap().keySet());
        }
        List<String> commands = command.subcommands().keySet().stream().sorted().toList();
        if (!commands.isEmpty()) return Closest.unknown("command", word, commands);
        String takes = command.positionalParameters().stream()
                .map(ArgSpec::paramLabel)
                .distinct()
                .collect(Collectors.joining(" "));
        return "'" + shown + "' is one word too many: '" + command.qualifiedName() + "' takes "
                + (takes.isEmpty() ? "options only" : takes);
    }

    private static String missing(CommandLine.MissingParameterException e, CommandSpec command) {
        List<ArgSpec> missing = e.getMissing() == null ? List.of() : e.getMissing();
        if (missing.isEmpty()) return "name one of " + choices(command);
        String names = missing.stream().map(Complaint::name).distinct().collect(Collectors.joining(", "));
        ArgSpec first = missing.get(0);
        boolean given = first.isOption() && String.valueOf(e.getMessage()).contains("parameter for option");
        if (given) return names + " needs a value after it";
        int least = first.arity().min();
        String what = first.description().length > 0 ? " (" + String.join(" ", first.description()) + ")" : "";
        if (first.isPositional() && least > 1) return "name at least " + least + " of " + names + what;
        if (missing.size() > 1) return "one of " + names + " is missing";
        return names + " is missing" + what;
    }

    /** The flags of which one must be chosen. */
    private static String choices(CommandSpec command) {
        return command.argGroups().stream()
                .flatMap(g -> g.options().stream())
                .map(OptionSpec::longestName)
                .collect(Collectors.joining(", "));
    }

    private static String unfit(CommandLine.ParameterException e) {
        Class<?> type = e.getArgSpec().auxiliaryTypes()[e.getArgSpec().auxiliaryTypes().length - 1];
        String cause = e.getCause() instanceof CommandLine.TypeConversionException t ? t.getMessage() : null;
        boolean converted = cause != null && !cause.startsWith("expected one of");
        if (type.isEnum() && !converted) {
            List<String> names = Arrays.stream(type.getEnumConstants())
                    .map(c -> c.toString().toLowerCase(Locale.ROOT))
                    .toList();
            String given = String.valueOf(e.getValue());
            return "'" + Printable.of(given) + "' is none of " + String.join(", ", names) + Closest.hint(given, names);
        }
        return cause != null && converted ? cause : Reason.of(e);
    }

    private static String name(ArgSpec arg) {
        return arg instanceof OptionSpec option ? option.longestName() : arg.paramLabel();
    }
}
