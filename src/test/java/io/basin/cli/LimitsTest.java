package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Every number of every command: what cannot be meant is refused by the flag's name, at once. */
class LimitsTest {
    private static final List<String> WORDS =
            List.of("NaN", "-1", "0", "1e300", "2147483647", "9223372036854775807", "1,5");

    /** Made once: that takes longer than to refuse a word. */
    private static final CommandLine LINE = Main.commandLine();

    record Case(CommandLine command, OptionSpec option) {
        @Override
        public String toString() {
            return command.getCommandSpec().qualifiedName() + " " + option.longestName();
        }
    }

    static Stream<Case> numbers() {
        return commands(Main.commandLine())
                .flatMap(c -> c.getCommandSpec().options().stream()
                        .filter(o -> isNumber(o.type()))
                        .map(o -> new Case(c, o)));
    }

    private static Stream<CommandLine> commands(CommandLine line) {
        return Stream.concat(
                Stream.of(line), line.getSubcommands().values().stream().flatMap(LimitsTest::commands));
    }

    private static boolean isNumber(Class<?> type) {
        return Number.class.isAssignableFrom(type)
                || type.isPrimitive() && type != boolean.class && type != char.class && type != void.class;
    }

    @Test
    void thereAreManyOfThem() {
        assertTrue(numbers().count() > 80, "found only " + numbers().count());
    }

    @ParameterizedTest
    @MethodSource("numbers")
    void whatLiesOutsideItsRangeIsRefusedByName(Case c) {
        Limits.Range range = Limits.of(c.option);
        assertNotNull(range, c + " has no range in Limits");
        for (String word : WORDS) {
            if (reads(word, c.option.type()) && range.holds(Double.parseDouble(word))) continue;
            Shell shell = assertTimeout(Duration.ofSeconds(20), () -> Shell.run(() -> LINE, words(c, word)));
            assertEquals(2, shell.code(), c + " " + word + ": " + shell.err());
            assertTrue(shell.complaint().contains(c.option.longestName()), c + " " + word + ": " + shell.complaint());
        }
    }

    private static boolean reads(String word, Class<?> type) {
        if (type == double.class || type == Double.class)
            return word.matches("[-+]?(NaN|Infinity|[0-9.]+(e[-+]?\\d+)?)");
        boolean whole = word.matches("-?[0-9]{1,19}");
        return whole && (type == long.class || type == Long.class || word.length() < 12);
    }

    /** The command with all it requires, and one number. */
    private static Object[] words(Case c, String word) {
        List<Object> words = new ArrayList<>(
                List.of(c.command.getCommandSpec().qualifiedName().split(" ")));
        words.remove(0);
        for (ArgSpec arg : c.command.getCommandSpec().positionalParameters()) {
            for (int i = 0; i < arg.arity().min(); i++)
                words.add(arg.paramLabel().equals("DATASET") ? "mnist" : "file" + i);
        }
        for (OptionSpec o : c.command.getCommandSpec().options())
            if (o.required() && o.group() == null) words.addAll(List.of(o.longestName(), "made"));
        if (words.contains("soup")) words.add("--uniform");
        words.add(c.option.longestName() + "=" + word);
        return words.toArray();
    }

    @Test
    void aRunOfTooManyStepsIsRefusedBeforeItsTablesFillTheMemory() {
        for (String method : io.basin.methods.Methods.NAMES) {
            Shell shell = Shell.run("schedule", "mnist", "--methods", method, "--epochs", "1e5");
            assertEquals(2, shell.code(), method);
            assertTrue(shell.complaint().contains("--epochs 100000 is 42900000 steps"), shell.complaint());
        }
    }

    @Test
    void theLargestNumbersThatAreAllowedArePlannedOrRefusedInWords() {
        numbers().filter(c -> c.command.getCommandName().equals("schedule")).forEach(c -> {
            Limits.Range range = Limits.of(c.option);
            for (double end : new double[] {range.low(), range.high()}) {
                boolean whole = c.option.type() != double.class && c.option.type() != Double.class;
                String word = whole ? Long.toString((long) end) : Double.toString(end);
                Object[] args = {
                    "schedule",
                    "mnist",
                    c.option.longestName().equals("--samples") ? "--validation=100" : "--samples=2000",
                    c.option.longestName().equals("--validation") ? "--epochs=1" : "--validation=100",
                    "--methods",
                    "swa,snapshot,fge,swag,swap,independent",
                    c.option.longestName() + "=" + word
                };
                Shell shell = assertTimeout(Duration.ofSeconds(20), () -> Shell.run(args));
                assertTrue(shell.code() == 0 || shell.code() == 2, c + " " + word + ": " + shell.err());
            }
        });
    }
}
