package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.nn.Nets;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Help says what there is, in sections, with every default; shells complete what it says. */
class HelpTest {
    /** Left out, they do nothing. */
    private static final Set<String> IDLE = Set.of(
            "--resume",
            "--ood",
            "--csv",
            "--json",
            "--svg",
            "--reliability",
            "--trajectory",
            "--average",
            "--plane-directions",
            "--times",
            "--algorithms");

    @TempDir
    private Path folder;

    private static Stream<CommandLine> commands(CommandLine line) {
        return Stream.concat(
                Stream.of(line), line.getSubcommands().values().stream().flatMap(HelpTest::commands));
    }

    private static List<OptionSpec> options(CommandLine line) {
        return line.getCommandSpec().options().stream().filter(o -> !o.hidden()).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"compare", "train"})
    void everyFlagOfTheLargeCommandsStandsInASectionOfItsKind(String command) {
        List<OptionSpec> options = options(Main.commandLine().getSubcommands().get(command));
        Map<String, List<OptionSpec>> sections = HelpSections.of(options);
        assertFalse(sections.containsKey(HelpSections.OWN), () -> sections.get(HelpSections.OWN) + " have none");
        assertEquals(
                options.size(), sections.values().stream().mapToInt(List::size).sum());
        String help = Shell.run(command, "--help").out();
        for (String section : sections.keySet()) assertTrue(help.contains("\n" + section + ":\n"), section);
        assertTrue(help.startsWith("Usage: basin " + command + " [OPTIONS] DATASET\n"), help);
        for (String net : Nets.NAMES) assertTrue(help.replaceAll("\\s+", " ").contains(" " + net + ","), net);
    }

    @Test
    void everyFlagThatTakesAValueSaysItsDefault() {
        Set<String> silent = new TreeSet<>();
        commands(Main.commandLine()).forEach(line -> {
            String[] entries = line.getUsageMessage().split("\n(?= {2,6}-)");
            for (OptionSpec o : options(line)) {
                if (o.arity().max() == 0 || o.required() || IDLE.contains(o.longestName())) continue;
                boolean says = Arrays.stream(entries)
                        .filter(e -> e.strip().startsWith(o.longestName() + "="))
                        .anyMatch(e -> e.contains("default"));
                if (!says) silent.add(line.getCommandName() + " " + o.longestName());
            }
        });
        assertEquals(Set.of(), silent);
    }

    @Test
    void everyPlaceholderNamesWhatItTakes() {
        commands(Main.commandLine()).forEach(line -> {
            String page = line.getUsageMessage();
            assertFalse(page.lines().anyMatch(l -> l.matches("Usage: .* \\.\\.\\.|  +\\.\\.\\. .*")), page);
        });
    }

    /** Messages name a flag by its longest name. */
    @Test
    void theMainNameIsTheLongestOne() {
        commands(Main.commandLine())
                .flatMap(c -> options(c).stream())
                .forEach(o -> assertTrue(List.of(HelpPage.names(o)).contains(o.longestName()), o.longestName()));
    }

    @ParameterizedTest
    @CsvSource({
        "--cycle, --fge-cycle, 3.2",
        "--lr-1, --fge-lr-high, 0.03",
        "--lr-2, --fge-lr-low, 0.004",
        "--cycles, --snapshot-cycles, 4",
        "--runs, --independent-runs, 4",
        "--lawa, --lawa-epochs, 2"
    })
    void aFormerNameWorksAndIsNotShown(String former, String name, String value) throws IOException {
        Path plan = folder.resolve("plan.csv");
        List<Object> words = List.of("schedule", "mnist", "--epochs=8", "--csv", plan, "--methods");
        List<String> plans = new ArrayList<>();
        for (String flag : List.of("", former, name)) {
            List<Object> all = new ArrayList<>(words);
            all.add("fge,snapshot,independent,lawa");
            if (!flag.isEmpty()) all.add(flag + "=" + value);
            Shell shell = Shell.run(all.toArray());
            assertEquals(0, shell.code(), shell.err());
            plans.add(Files.readString(plan) + shell.out());
        }
        assertEquals(plans.get(2), plans.get(1));
        assertFalse(plans.get(2).equals(plans.get(0)), "it has no effect");
        assertFalse(Shell.run("train", "--help").out().contains(former + "="), former);
        Shell wrong = Shell.run("train", "mnist", former, "-1");
        assertTrue(wrong.complaint().contains(name + " must"), wrong.complaint());
    }

    @Test
    void helpOfACommandIsWhatItsOwnFlagPrints() {
        for (String command : Main.commandLine().getSubcommands().keySet())
            assertEquals(Shell.run(command, "--help"), Shell.run("help", command));
        assertEquals(Shell.run("data", "fetch", "--help"), Shell.run("help", "data", "fetch"));
        assertEquals(Shell.run("--help"), Shell.run("help"));
        Shell unknown = Shell.run("help", "comapre");
        assertEquals(2, unknown.code());
        assertTrue(
                unknown.complaint().contains("unknown command 'comapre'; did you mean 'compare'?"),
                unknown.complaint());
    }

    @ParameterizedTest
    @CsvSource({
        "basin com, compare completion",
        "basin compare --fge-, --fge-start --fge-lr-high --fge-lr-low --fge-cycle",
        "basin train --cycle, ''",
        "basin train --model pre, preresnet20 preresnet56 preresnet110 preresnet164",
        "basin data f, fetch"
    })
    void bashCompletesCommandsFlagsAndNames(String typed, String completed) throws IOException, InterruptedException {
        Shell script = Shell.run("completion");
        assertEquals(0, script.code(), script.err());
        Path file = Files.writeString(folder.resolve("basin.sh"), script.out());
        String words = typed.replace(" ", "' '");
        int last = typed.split(" ").length - 1;
        String ask = "source " + file + "; COMP_WORDS=('" + words + "'); COMP_CWORD=" + last
                + "; COMP_LINE=\"$*\"; _complete_basin 2>/dev/null; echo ${COMPREPLY[@]}";
        Process bash =
                new ProcessBuilder("bash", "-c", ask).redirectErrorStream(true).start();
        String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, bash.waitFor(), said);
        assertEquals(new TreeSet<>(List.of(completed.split(" "))), new TreeSet<>(List.of(said.split(" "))), said);
    }
}
