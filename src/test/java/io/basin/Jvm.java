package io.basin;

/** What a test needs to start another Java process like its own. */
public final class Jvm {
    /** The tests' class path; Surefire's own is one jar that only its process can read. */
    public static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    private Jvm() {}
}
