package io.basin.cli;

import io.basin.data.Catalog;
import io.basin.device.Precision;
import io.basin.text.Closest;
import io.basin.text.Printable;
import java.util.Iterator;
import java.util.List;
import picocli.CommandLine;

/** The names that an argument takes, for help and for shells that complete words. */
final class Known {
    private Known() {}

    /** Data sets. */
    static final class Sets implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Catalog.names().iterator();
        }
    }

    /** Nets. */
    static final class Nets implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return io.basin.nn.Nets.NAMES.iterator();
        }
    }

    /** Methods. */
    static final class Methods implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return io.basin.methods.Methods.NAMES.iterator();
        }
    }

    /** Precisions by their names. */
    static final class Precisions implements CommandLine.ITypeConverter<Precision> {
        @Override
        public Precision convert(String name) {
            for (Precision p : Precision.values()) if (p.name().equalsIgnoreCase(name)) return p;
            List<String> known = List.of("fp32", "strict", "tf32", "bf16");
            throw new CommandLine.TypeConversionException(
                    "'" + Printable.of(name) + "' is none of " + String.join(", ", known) + Closest.hint(name, known));
        }
    }

    /** @throws IllegalArgumentException naming {@code flag} and the likeliest known method */
    static void requireMethods(String flag, List<String> names) {
        for (String name : names) {
            if (io.basin.methods.Methods.NAMES.contains(name)) continue;
            throw new IllegalArgumentException(
                    flag + ": " + Closest.unknown("method", name, io.basin.methods.Methods.NAMES));
        }
    }
}
