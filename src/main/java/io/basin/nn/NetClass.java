package io.basin.nn;

import io.basin.Nullable;
import java.lang.reflect.Modifier;
import java.util.function.Supplier;

/** Nets of the caller's own by the name of the class that builds them, so that a weights file is enough to find its net. */
final class NetClass {
    private NetClass() {}

    /** Such that another program can make one by its name; empty for a lambda and for what is not public. */
    static String name(Supplier<Graph> net) {
        try {
            return instance(net.getClass().getName()).getClass().getName();
        } catch (IllegalArgumentException e) {
            return "";
        }
    }

    /**
     * Whether {@code name} is that of a class which builds nets.
     *
     * @throws IllegalArgumentException if it can only be a class, and there is none
     */
    static boolean isNamed(String name) {
        if (name.indexOf('.') < 0 && find(name) == null) return false;
        instance(name);
        return true;
    }

    /** @throws IllegalArgumentException naming the class and what it lacks */
    @SuppressWarnings("unchecked")
    static Supplier<Graph> instance(String name) {
        Class<?> found = find(name);
        if (found == null) {
            throw new IllegalArgumentException("no class '" + name + "' is on the class path: it builds the net; add"
                    + " its folder or jar with java -cp");
        }
        // Asked before its code runs: a file may name any class.
        if (!Supplier.class.isAssignableFrom(found)) throw lacks(name, "is not a Supplier<Graph>");
        if (!Modifier.isPublic(found.getModifiers())) throw lacks(name, "is not public");
        try {
            return (Supplier<Graph>) found.getConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw lacks(name, "has no public constructor without arguments that succeeds");
        }
    }

    private static IllegalArgumentException lacks(String name, String what) {
        return new IllegalArgumentException(
                "class '" + name + "' " + what + ", so that it cannot build a net for a weights file");
    }

    private static @Nullable Class<?> find(String name) {
        try {
            return Class.forName(name, false, NetClass.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
    }
}
