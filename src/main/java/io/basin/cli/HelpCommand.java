package io.basin.cli;

import io.basin.Nullable;
import io.basin.text.Closest;
import java.util.List;
import java.util.stream.Stream;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints a command's {@code --help}. */
@Command(
        name = "help",
        description = "Prints the help of a command.",
        footer = {"", "Examples:", "  basin help compare", "  basin help data fetch"})
final class HelpCommand implements Runnable {
    @Parameters(paramLabel = "COMMAND", arity = "0..*", description = "which one; none for the list of all")
    private List<String> words = List.of();

    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        CommandLine line = spec.root().commandLine();
        for (String word : words) {
            CommandLine next = line.getSubcommands().get(word);
            if (next == null) {
                List<String> known =
                        line.getSubcommands().keySet().stream().sorted().toList();
                throw new IllegalArgumentException("COMMAND: " + Closest.unknown("command", word, known));
            }
            line = next;
        }
        line.usage(System.out);
    }

    /** Commands, flags and their values for a shell that completes words. */
    @Command(
            name = "completion",
            description = "Prints a script that has bash or zsh complete commands, flags and names.",
            footer = {
                "",
                "It completes the command 'basin', which may be an alias or a script that starts the jar.",
                "",
                "Examples:",
                "  source <(basin completion)",
                "  basin completion > ~/.local/share/bash-completion/completions/basin"
            })
    static final class Completion implements Runnable {
        enum Shell {
            BASH,
            ZSH
        }

        @Parameters(arity = "0..1", paramLabel = "SHELL", description = "bash or zsh; both read the same script")
        @SuppressWarnings("unused") // it decides nothing, but people name it
        private @Nullable Shell shell;

        @Override
        public void run() {
            CommandLine line = Main.commandLine();
            commands(line).forEach(Completion::dropFormerNames);
            System.out.print(AutoComplete.bash("basin", line));
        }

        private static Stream<CommandLine> commands(CommandLine line) {
            return Stream.concat(
                    Stream.of(line), line.getSubcommands().values().stream().flatMap(Completion::commands));
        }

        private static void dropFormerNames(CommandLine line) {
            CommandSpec command = line.getCommandSpec();
            for (OptionSpec option : List.copyOf(command.options())) {
                String[] names = HelpPage.names(option);
                if (names.length == option.names().length || option.group() != null) continue;
                command.remove(option);
                command.addOption(OptionSpec.builder(option).names(names).build());
            }
        }
    }
}
