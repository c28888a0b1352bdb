package io.basin.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.MalformedInputException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.List;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;

class TextTest {
    private static final List<Exception> SYSTEM = List.of(
            new AccessDeniedException("w"),
            new NoSuchFileException("w"),
            new NotDirectoryException("w"),
            new DirectoryNotEmptyException("w"),
            new FileAlreadyExistsException("w"),
            new FileSystemLoopException("w"),
            new FileSystemException("w"),
            new FileSystemException("w", null, "Is a directory"),
            new FileNotFoundException("w (Permission denied)"),
            new EOFException(),
            new ZipException("invalid block type"),
            new MalformedInputException(1),
            new ClosedByInterruptException(),
            new ClosedChannelException(),
            new UnknownHostException("example.invalid"),
            new ConnectException(),
            new HttpTimeoutException("request timed out"),
            new InvalidPathException("w\u00e9", "Malformed input or input contains unmappable characters"),
            new InvalidPathException("w\0", "Nul character not allowed"),
            new NumberFormatException("For input string: \"w\""),
            new IOException(new AccessDeniedException("w")),
            new UncheckedIOException(new NoSuchFileException("w")),
            new IOException("java.io.IOException: w: EOFException: the end"),
            new IOException());

    @Test
    void aReasonIsSeveralWordsWithoutTheNameOfAType() {
        for (Exception e : SYSTEM) {
            String reason = Reason.of(e);
            assertTrue(reason.contains(" "), e + ": " + reason);
            assertFalse(reason.matches(".*(Exception|Error|java\\.|null).*"), e + ": " + reason);
            assertFalse(reason.equals("w"), e.toString());
        }
    }

    @Test
    void theCommonReasonsAreTold() {
        assertEquals("permission denied", Reason.of(new AccessDeniedException("w")));
        assertEquals("is a directory", Reason.of(new FileSystemException("w", null, "Is a directory")));
        assertEquals("permission denied", Reason.of(new FileNotFoundException("w (Permission denied)")));
        assertEquals("permission denied", Reason.of(new IOException(new AccessDeniedException("w"))));
        assertTrue(Reason.of(new InvalidPathException("\u00e9", "Malformed")).contains("LC_ALL=C.UTF-8"));
    }

    @Test
    void whatAServerSaysIsBoundedAndHarmless() {
        String said = Reason.of(new IOException("Invalid status line: \"\u001b[31m" + "x".repeat(5000) + "\n\u202e\""));
        assertTrue(said.length() < 250, said);
        assertFalse(said.chars().anyMatch(c -> c < ' ' || c == 0x202e), said);
    }

    @Test
    void theNearestNameIsSuggestedAndAStrangeOneIsNot() {
        List<String> known = List.of("sgd", "swa", "swa-cyclic", "snapshot", "preresnet20", "wrn-28-10");
        assertEquals("; did you mean 'swa'?", Closest.hint("swaa", known));
        assertEquals("; did you mean 'sgd'?", Closest.hint("sdg", known));
        assertEquals("; did you mean 'swa-cyclic'?", Closest.hint("SWA_Cyclic", known));
        assertEquals("; did you mean 'preresnet20'?", Closest.hint("preresnet-20", known));
        assertEquals("; did you mean 'preresnet20'?", Closest.hint("resnet18", known));
        assertEquals("", Closest.hint("adam", known));
        assertEquals("", Closest.hint("x".repeat(1_000_000), known));
    }

    @Test
    void textOfUnknownOriginCannotSteerATerminal() {
        assertEquals("a?[31mb?c", Printable.of("a\u001b[31mb\u2028c"));
        assertEquals(203, Printable.of("x".repeat(1000)).length());
        assertEquals("one two", Printable.line("one \r\n  two\n", 100));
        assertEquals("\u00fc\u4e2d", Printable.of("\u00fc\u4e2d"));
    }
}
