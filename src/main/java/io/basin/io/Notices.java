package io.basin.io;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Messages that a user sees once beside a command's result, on stderr: {@code basin: warning: ...} and {@code basin: note: ...}.
 *
 * <p>A file is opened several times by one command; it is complained about once. May be called from several threads.
 */
public final class Notices {
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Notices() {}

    /** Prints {@code text} as a warning unless it was printed since {@link #reset}. */
    public static void once(String text) {
        say("warning: " + text);
    }

    /** Prints {@code text} as a remark unless it was printed since {@link #reset}. */
    public static void note(String text) {
        say("note: " + text);
    }

    private static void say(String text) {
        if (SAID.add(text)) System.err.println("basin: " + text);
    }

    /** Forgets what was said: a new command begins. */
    public static void reset() {
        SAID.clear();
    }
}
