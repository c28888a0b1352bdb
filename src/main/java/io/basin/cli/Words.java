package io.basin.cli;

import io.basin.text.Printable;
import io.basin.text.Reason;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/** How words of the command line are read: numbers and paths, refused in words of ours. */
final class Words {
    private Words() {}

    static void register(CommandLine line) {
        line.registerConverter(int.class, Words::whole);
        line.registerConverter(Integer.class, Words::whole);
        line.registerConverter(long.class, Words::large);
        line.registerConverter(Long.class, Words::large);
        line.registerConverter(double.class, Words::number);
        line.registerConverter(Double.class, Words::number);
        line.registerConverter(Path.class, Words::path);
    }

    private static int whole(String word) {
        return (int) whole(word, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private static long large(String word) {
        return whole(word, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    private static long whole(String word, long low, long high) {
        if (!word.matches("[+-]?[0-9]+")) {
            throw new TypeConversionException("'" + Printable.of(word) + "' is not a whole number such as 10");
        }
        try {
            long value = Long.parseLong(word);
            if (value >= low && value <= high) return value;
        } catch (NumberFormatException e) {
            // More digits than any of ours has.
        }
        throw new TypeConversionException("'" + Printable.of(word) + "' has too many digits");
    }

    private static double number(String word) {
        try {
            return Double.parseDouble(word);
        } catch (NumberFormatException e) {
            throw new TypeConversionException(
                    "'" + Printable.of(word) + "' is not a number such as 1.5 (with a point, not a comma)");
        }
    }

    private static Path path(String word) {
        if (word.isBlank()) throw new TypeConversionException("the name is empty; name a file or folder");
        try {
            return Path.of(word);
        } catch (InvalidPathException e) {
            throw new TypeConversionException(Reason.of(e));
        }
    }
}
