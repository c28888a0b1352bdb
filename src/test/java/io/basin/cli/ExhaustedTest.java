package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** Java calls many shortages by one name; each is answered with what is short and what helps. */
class ExhaustedTest {
    private static final String HEAP = "the Java heap is full (";
    private static final String METASPACE = "the JVM's metaspace is full (";
    /** The words of HotSpot 17 and 25 and of JavaCPP 1.5.14, the start of the answer and its remedy. */
    private static final Map<String, String[]> SAID = Map.of(
            "Java heap space", new String[] {HEAP, "-Xmx8g"},
            "GC overhead limit exceeded", new String[] {HEAP, "-Xmx8g"},
            "unable to create native thread: possibly out of memory or process/resource limits reached",
                    new String[] {"no further thread can be started (", "ulimit -u"},
            "Metaspace", new String[] {METASPACE, "-XX:MaxMetaspaceSize"},
            "Compressed class space", new String[] {METASPACE, "-XX:MaxMetaspaceSize"},
            "Cannot reserve 8 bytes of direct buffer memory (allocated: 1, limit: 2)",
                    new String[] {"the memory for direct buffers is full (", "-XX:MaxDirectMemorySize"},
            "Requested array size exceeds VM limit",
                    new String[] {"an array would be larger than Java has (", "--batch-size"},
            "Physical memory usage is too high: physicalBytes (2G) > maxPhysicalBytes (1G)",
                    new String[] {"JavaCPP's limit on the process's memory is reached (", "maxPhysicalBytes=0"},
            "Failed to allocate memory within limits: totalBytes (1M + 1M) > maxBytes (1M)",
                    new String[] {"JavaCPP's limit on native memory is reached (", "maxBytes=0"},
            "Map failed", new String[] {"the machine's memory is full (", "--batch-size"});

    @Test
    void eachShortageIsNamedWithItsOwnRemedy() {
        SAID.forEach((said, expected) -> {
            String sentence = Exhausted.sentence(new OutOfMemoryError(said));
            assertTrue(sentence.startsWith(expected[0] + said + "): ") && sentence.contains(expected[1]), sentence);
        });
        assertTrue(Exhausted.sentence(new OutOfMemoryError()).startsWith("the machine's memory is full ("));
    }

    @Test
    void aHelpersShortageIsFoundBehindItsReport() {
        OutOfMemoryError e = new OutOfMemoryError("Java heap space");
        assertSame(e, Exhausted.in(new IllegalStateException("a piece of work failed", new RuntimeException(e))));
        assertNull(Exhausted.in(new IllegalStateException("something else")));
    }
}
