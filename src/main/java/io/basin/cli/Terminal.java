package io.basin.cli;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import io.basin.Nullable;
import io.basin.device.Cache;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.UnsupportedCharsetException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A stream for people: characters that its encoding lacks are spelled in ASCII, and control characters, which a file's name or
 * header may hold, do not reach the terminal.
 */
final class Terminal extends PrintStream {
    private static final Map<Character, String> ASCII = Map.of(
            '±', "+-", '\u2212', "-", '\u2013', "-", '\u2014', "-", '\u2192', "->", '\u2026', "...", '\u00d7', "x");
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}&&[^\\n\\t]]");

    /** Linux's request for rows and columns, each of 16 bits. */
    private static final long TIOCGWINSZ = 0x5413;

    private static final int USUAL_WIDTH = 80;

    private final CharsetEncoder encoder;
    private final boolean results;

    /** @param results what is printed is text and nothing else; false: bars move the cursor */
    Terminal(OutputStream out, Charset charset, boolean results) {
        super(out, true, charset);
        encoder = charset.newEncoder();
        this.results = results;
    }

    /** As what {@code System.out} is printed: the terminal's encoding, or else the system's. */
    static Charset charset() {
        for (String property : new String[] {"stdout.encoding", "sun.stdout.encoding", "native.encoding"}) {
            String name = System.getProperty(property);
            try {
                if (name != null) return Charset.forName(name);
            } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
                // The next one.
            }
        }
        return Charset.defaultCharset();
    }

    /** Columns of the terminal behind stderr, as wide as it is now; 80 where it does not say. */
    static int width() {
        try (Memory size = new Memory(8)) {
            Cache.showToLoaders();
            Object[] ask = {2, TIOCGWINSZ, size};
            boolean said = NativeLibrary.getProcess().getFunction("ioctl").invokeInt(ask) == 0;
            int columns = size.getShort(2) & 0xFFFF;
            return said && columns > 0 ? columns : USUAL_WIDTH;
        } catch (UnsatisfiedLinkError e) {
            return USUAL_WIDTH;
        }
    }

    /** {@code table}, on a terminal in parts below each other that fit, each with the first column. */
    @SuppressWarnings("SystemConsoleNull") // as in Bars
    static String folded(String table) {
        return System.console() == null ? table : folded(table, width());
    }

    /** Columns are where two blanks or more, the same in all lines, part them. */
    static String folded(String table, int width) {
        List<String> lines = table.lines().toList();
        if (lines.stream().allMatch(line -> line.length() <= width)) return table;
        BitSet ink = new BitSet();
        for (String line : lines) for (int i = 0; i < line.length(); i++) if (line.charAt(i) != ' ') ink.set(i);
        int[] ends = IntStream.rangeClosed(1, ink.length())
                .filter(i -> ink.get(i - 1) && !ink.get(i) && !ink.get(i + 1))
                .toArray();
        StringBuilder out = new StringBuilder();
        for (int from = 1, to; from < ends.length; from = to) {
            for (to = from + 1; to < ends.length && ends[0] + ends[to] - ends[from - 1] <= width; ) to++;
            if (from > 1) out.append('\n');
            for (String line : lines) {
                String whole =
                        line + " ".repeat(ink.length() - line.stripTrailing().length());
                out.append(
                        (whole.substring(0, ends[0]) + whole.substring(ends[from - 1], ends[to - 1])).stripTrailing());
                out.append('\n');
            }
        }
        return out.toString();
    }

    /** Whether bars may be drawn of blocks. */
    static boolean drawsBlocks() {
        return charset().newEncoder().canEncode('\u2588');
    }

    private String plain(String text) {
        String shown = results ? CONTROL.matcher(text).replaceAll("?") : text;
        if (encoder.canEncode(shown)) return shown;
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < shown.length(); i++) {
            char c = shown.charAt(i);
            out.append(encoder.canEncode(c) ? String.valueOf(c) : ASCII.getOrDefault(c, "?"));
        }
        return out.toString();
    }

    @Override
    public void print(String text) {
        super.print(plain(String.valueOf(text)));
    }

    @Override
    public void print(Object value) {
        print(String.valueOf(value));
    }

    @Override
    public void print(char value) {
        print(String.valueOf(value));
    }

    @Override
    public void print(char[] value) {
        print(new String(value));
    }

    /**
     * Standard output that remembers why it could not be written: Java's own swallows that.
     *
     * <p>A command goes on all the same, since what it writes into files is whole; only its exit code tells.
     */
    static final class Stdout extends FilterOutputStream {
        private @Nullable IOException failure;

        private Stdout(OutputStream out) {
            super(out);
        }

        /** Puts it in place of {@link System#out}. */
        static Stdout install() {
            Stdout out = new Stdout(new FileOutputStream(FileDescriptor.out));
            System.setOut(new Terminal(new BufferedOutputStream(out), charset(), true));
            return out;
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            try {
                out.write(bytes, from, count);
            } catch (IOException e) {
                if (failure == null) failure = e;
                throw e;
            }
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b}, 0, 1);
        }

        /** The exit code of a command that would end with {@code code}; says on stderr what was lost, unless it failed anyway. */
        int end(int code) {
            System.out.flush();
            if (failure == null) return code;
            String why = String.valueOf(failure.getMessage());
            // No message: the reader closed the pipe and wants no more.
            if (why.contains("Broken pipe")) return Main.PIPE_CLOSED;
            if (code != Main.OK) return code;
            System.err.println(
                    "basin: cannot write to stdout: " + why
                            + "; what was to be printed is lost, so run it again with stdout on a terminal or on a disk with space");
            return Main.FAILED;
        }
    }
}
