package io.basin.cli;

/** What has run out, and what helps: {@link OutOfMemoryError} stands for six things, of which the Java heap is one. */
final class Exhausted {
    private static final String JAVACPP = "org.bytedeco.javacpp.";

    private Exhausted() {}

    /** The one among an exception's causes, as when a helper thread met it; null if there is none. */
    static OutOfMemoryError in(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) if (t instanceof OutOfMemoryError found) return found;
        return null;
    }

    /** One line. */
    static String sentence(OutOfMemoryError e) {
        String said = String.valueOf(e.getMessage()).replaceAll("\\s*\n\\s*", " ");
        String[] why = why(said);
        return why[0] + " (" + said + "): " + why[1];
    }

    private static String[] why(String said) {
        if (said.contains("native thread")) {
            return new String[] {
                "no further thread can be started",
                "raise the limit (ulimit -u, a container's pids), or use fewer --threads"
            };
        }
        if (said.contains("Physical memory")) {
            return new String[] {
                "JavaCPP's limit on the process's memory is reached",
                "start with java -D" + JAVACPP + "maxPhysicalBytes=0"
            };
        }
        if (said.contains("within limits")) {
            return new String[] {
                "JavaCPP's limit on native memory is reached", "start with java -D" + JAVACPP + "maxBytes=0"
            };
        }
        if (said.toLowerCase(java.util.Locale.ROOT).contains("direct buffer")) {
            return new String[] {"the memory for direct buffers is full", "start with java -XX:MaxDirectMemorySize=2g"};
        }
        if (said.contains("Metaspace") || said.contains("class space")) {
            return new String[] {
                "the JVM's metaspace is full", "start with java -XX:MaxMetaspaceSize=256m, or without that flag"
            };
        }
        if (said.contains("array size")) {
            return new String[] {"an array would be larger than Java has", "use fewer images or a smaller --batch-size"
            };
        }
        if (said.contains("heap") || said.contains("GC overhead")) {
            return new String[] {"the Java heap is full", "start with more, java -Xmx8g -jar ..."};
        }
        return new String[] {"the machine's memory is full", "free some, or use a smaller --batch-size"};
    }
}
