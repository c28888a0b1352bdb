package io.basin.cli;

import java.util.List;
import java.util.regex.Pattern;

/** What has run out, and what helps: {@link OutOfMemoryError} stands for six things, of which the Java heap is one. */
final class Exhausted {
    /** @param said pattern of a part of the error's message */
    private record Kind(String said, String what, String remedy) {}

    private static final List<Kind> KINDS = List.of(
            new Kind(
                    "native thread",
                    "no further thread can be started",
                    "raise the limit (ulimit -u, a container's pids), or use fewer --threads"),
            new Kind(
                    "Physical memory",
                    "JavaCPP's limit on the process's memory is reached",
                    "start with java -Dorg.bytedeco.javacpp.maxPhysicalBytes=0"),
            new Kind(
                    "within limits",
                    "JavaCPP's limit on native memory is reached",
                    "start with java -Dorg.bytedeco.javacpp.maxBytes=0"),
            new Kind(
                    "(?i)direct buffer",
                    "the memory for direct buffers is full",
                    "start with java -XX:MaxDirectMemorySize=2g"),
            new Kind(
                    "Metaspace|class space",
                    "the JVM's metaspace is full",
                    "start with java -XX:MaxMetaspaceSize=256m, or without that flag"),
            new Kind(
                    "array size",
                    "an array would be larger than Java has",
                    "use fewer images or a smaller --batch-size"),
            new Kind("heap|GC overhead", "the Java heap is full", "start with more, java -Xmx8g -jar ..."),
            new Kind("", "the machine's memory is full", "free some, or use a smaller --batch-size"));

    private Exhausted() {}

    /** The one among an exception's causes, as when a helper thread met it; null if there is none. */
    static OutOfMemoryError in(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) if (t instanceof OutOfMemoryError found) return found;
        return null;
    }

    /** One line. */
    static String sentence(OutOfMemoryError e) {
        String said = String.valueOf(e.getMessage()).replaceAll("\\s*\n\\s*", " ");
        Kind kind = KINDS.stream()
                .filter(k -> Pattern.compile(k.said()).matcher(said).find())
                .findFirst()
                .orElseThrow();
        return kind.what() + " (" + said + "): " + kind.remedy();
    }
}
