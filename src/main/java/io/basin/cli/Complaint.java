package io.basin.cli;

import io.basin.text.Closest;
import io.basin.text.Printable;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The one line that a user reads of what went wrong: flags, files and remedies, in no parser's words and without Java's types. */
final class Complaint {
    /** Long enough for what we say and a few paths. */
    private static final int MOST = 4000;

    private Complaint() {}

    /** Of a command that failed. */
    static String of(Throwable e) {
        return Printable.line(said(e), MOST);
    }

    private static String said(Throwable e) {
        if (e instanceof InvalidPathException) return Reason.of(e);
        if (e instanceof UncheckedIOException u && ours(u)) return u.getMessage();
        if (e instanceof UncheckedIOException u) return named(u.getCause()) + Reason.of(u.getCause());
        if (isUnexpected(e)) return "an error of basin's own stopped it; --verbose shows where, please report it";
        return e.getMessage();
    }

    /** Whether somebody wrote its message for people: left to itself it is that of its cause, with its type. */
    private static boolean ours(UncheckedIOException e) {
        return e.getMessage() != null && !e.getMessage().equals(String.valueOf(e.getCause()));
    }

    private static String named(IOException e) {
        return e instanceof java.nio.file.FileSystemException f && f.getFile() != null ? f.getFile() + ": " : "";
    }

    /** Whether {@code e} was not thrown by us: what the JDK says of its arguments names nothing that a user typed. */
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
        if (e.getArgSpec() == null) return e.getMessage();
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
        boolean given = first.isOption() && e.getMessage().contains("parameter for option");
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
        boolean converted = e.getCause() instanceof CommandLine.TypeConversionException t
                && !t.getMessage().startsWith("expected one of");
        if (type.isEnum() && !converted) {
            List<String> names = Arrays.stream(type.getEnumConstants())
                    .map(c -> c.toString().toLowerCase(Locale.ROOT))
                    .toList();
            String given = String.valueOf(e.getValue());
            return "'" + Printable.of(given) + "' is none of " + String.join(", ", names) + Closest.hint(given, names);
        }
        return converted ? e.getCause().getMessage() : Reason.of(e);
    }

    private static String name(ArgSpec arg) {
        return arg instanceof OptionSpec option ? option.longestName() : arg.paramLabel();
    }
}
