package io.basin.io;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Warnings that a user should see once, on stderr as {@code basin: warning: ...}.
 *
 * <p>A file is opened several times by one command; it is complained about once. May be called from several threads.
 */
public final class Notices {
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Notices() {}

    /** Prints {@code text} unless it was printed since {@link #reset}. */
    public static void once(String text) {
        if (SAID.add(text)) System.err.println("basin: warning: " + text);
    }

    /** Forgets what was said: a new command begins. */
    public static void reset() {
        SAID.clear();
    }
}
