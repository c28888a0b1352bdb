package io.basin.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Describes a file by its first bytes, for users who named the wrong one. */
public final class FileKind {
    private static final int HEAD = 512;
    private static final String ZIP = "PK\3\4";

    /** {@code magic}: the first bytes, as Latin-1. */
    private record Kind(String magic, String words) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("\u0089PNG", "a PNG picture"),
            new Kind("\u00ff\u00d8\u00ff", "a JPEG picture"),
            new Kind("GIF8", "a GIF picture"),
            new Kind("BM", "a BMP picture"),
            new Kind(ZIP, "a ZIP archive, which torch.save writes too ('basin import' takes a state dict)"),
            new Kind(
                    "\u0080\2",
                    "a Python pickle, as torch.save wrote before PyTorch 1.6 (load it there and save it again: 'basin import'"
                            + " takes its newer format)"),
            new Kind("\u0080\4", "a Python pickle (save it with safetensors)"),
            new Kind("\u0080\5", "a Python pickle (save it with safetensors)"),
            new Kind("\u0089HDF", "an HDF5 file, as Keras writes"),
            new Kind("\u0093NUMPY", "a NumPy array"),
            new Kind("GGUF", "a GGUF file"),
            new Kind("\u001f\u008b", "a gzip file"),
            new Kind("(\u00b5/\u00fd", "a Zstandard file"),
            new Kind("\0\0\b", "an IDX file of a data set"),
            new Kind("\u007fELF", "a program or library"),
            new Kind("%PDF", "a PDF"),
            new Kind("version https://git-lfs", "a pointer of Git LFS (fetch the file itself with 'git lfs pull')"));

    private FileKind() {}

    /** A description of {@code file}; empty where nothing is recognised or it cannot be read. */
    public static String of(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return of(in.readNBytes(HEAD));
        } catch (IOException e) {
            return "";
        }
    }

    /** Whether {@code file} begins as a ZIP archive does. */
    static boolean isZip(Path file) {
        return of(file).startsWith("a ZIP");
    }

    /** A description of a file that begins with {@code head}; empty where nothing is recognised. */
    static String of(byte[] head) {
        if (head.length == 0) return "an empty file";
        String text = new String(head, StandardCharsets.ISO_8859_1);
        for (Kind kind : KINDS) if (text.startsWith(kind.magic())) return kind.words();
        if (text.length() > 8 && text.charAt(8) == '{' && text.indexOf('\0') >= 0) return "a safetensors file";
        boolean readable = text.chars().allMatch(c -> c >= ' ' && c != 127 || c == '\n' || c == '\r' || c == '\t');
        if (!readable) return text.length() > 262 && text.startsWith("ustar", 257) ? "a tar archive" : "";
        String start = text.stripLeading().toLowerCase(Locale.ROOT);
        if (start.startsWith("<!doctype html") || start.startsWith("<html")) return "an HTML page";
        if (start.startsWith("<svg") || start.startsWith("<?xml")) return "an SVG picture or other XML";
        return start.startsWith("{") || start.startsWith("[") ? "JSON text" : "text";
    }

    /** {@code "looks like a PNG picture"}, or that it does not look like {@code expected}. */
    public static String instead(Path file, String expected) {
        String kind = of(file);
        if (kind.equals(expected)) return "begins like " + expected + " and is cut short or damaged";
        return kind.isEmpty() ? "is not " + expected : "is not " + expected + " but looks like " + kind;
    }
}
