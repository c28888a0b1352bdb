package io.basin.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.UnsupportedCharsetException;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A stream for people: characters that its encoding lacks are spelled in ASCII, and control characters, which a file's name or
 * header may hold, do not reach the terminal.
 */
final class Terminal extends PrintStream {
    private static final Map<Character, String> ASCII = Map.of(
            '±', "+-", '\u2212', "-", '\u2013', "-", '\u2014', "-", '\u2192', "->", '\u2026', "...", '\u00d7', "x");
    private static final Pattern CONTROL = Pattern.compile("[\\p{Cc}&&[^\\n\\t]]");

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
}
