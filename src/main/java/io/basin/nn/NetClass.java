package io.basin.nn;

import io.basin.text.OwnClass;
import java.util.function.Supplier;

/** Nets of the caller's own by the name of the class that builds them, so that a weights file is enough to find its net. */
final class NetClass {
    @SuppressWarnings("rawtypes")
    private static final OwnClass<Supplier> CLASSES =
            new OwnClass<>(Supplier.class, "Supplier<Graph>", "builds the net");

    private NetClass() {}

    /** Such that another program can make one by its name; empty for a lambda and for what is not public. */
    static String name(Supplier<Graph> net) {
        try {
            return instance(net.getClass().getName()).getClass().getName();
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /** @see OwnClass#isNamed */
    static boolean isNamed(String name) {
        return CLASSES.isNamed(name);
    }

    /** @throws IllegalArgumentException naming the class and what it lacks */
    @SuppressWarnings("unchecked")
    static Supplier<Graph> instance(String name) {
        return CLASSES.instance(name);
    }
}
