package io.basin.text;

import io.basin.Nullable;
import java.lang.reflect.Modifier;

/**
 * Instances of the caller's own classes by their names: public ones with a public constructor without arguments.
 *
 * @param kind that the class must be
 * @param called the same, as {@code Supplier<Graph>}
 * @param does what the class does, as {@code builds the net}
 */
public record OwnClass<T>(Class<T> kind, String called, String does) {
    /** Whether {@code name} is that of such a class. */
    public boolean isNamed(String name) {
        if (name.indexOf('.') < 0 && find(name) == null) return false;
        instance(name);
        return true;
    }

    /** @throws IllegalArgumentException naming the class and what it lacks */
    public T instance(String name) {
        Class<?> found = find(name);
        if (found == null) {
            throw new IllegalArgumentException("no class '" + name + "' is on the class path: it " + does
                    + "; add its folder or jar with java -cp");
        }
        // Asked before its code runs: a file may name any class.
        if (!kind.isAssignableFrom(found)) throw lacks(name, "is not a " + called);
        if (!Modifier.isPublic(found.getModifiers())) throw lacks(name, "is not public");
        try {
            return kind.cast(found.getConstructor().newInstance());
        } catch (ReflectiveOperationException e) {
            throw lacks(name, "has no public constructor without arguments that succeeds");
        }
    }

    private IllegalArgumentException lacks(String name, String what) {
        return new IllegalArgumentException("class '" + name + "' " + what + ", so it is not one that " + does);
    }

    private static @Nullable Class<?> find(String name) {
        try {
            return Class.forName(name, false, OwnClass.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            return null;
        }
    }
}
