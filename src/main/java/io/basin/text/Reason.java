package io.basin.text;

import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.regex.Pattern;
import java.util.zip.ZipException;

/** Why something went wrong, in words that fit in brackets: Java's exceptions often say no more than the file's name. */
public final class Reason {
    private static final Pattern TYPE = Pattern.compile("(?:\\b[a-z]\\w*\\.)+[A-Z][\\w$]*:?\\s*");
    private static final Pattern THROWABLE = Pattern.compile("\\b\\w+(?:Exception|Error)\\b:?\\s*");

    /** In the JDK's messages about ZIP archives, which it does not tell from gzip by a type. */
    private static final Pattern ZIP = Pattern.compile("(?i)\\b(zip|zip64|zipfile|CEN|LOC|END)\\b");

    private Reason() {}

    /** Of the system's and the JDK's errors; others speak for themselves, without the names of Java's types. */
    public static String of(Throwable e) {
        if (e instanceof FileSystemException f) return of(f);
        if (e instanceof FileNotFoundException f) return of(f);
        if (e instanceof EOFException) return "it ends too early";
        if (e instanceof ZipException)
            return ZIP.matcher(said(e)).find()
                    ? "its list of entries is damaged or cut off"
                    : "its compressed data are damaged";
        if (e instanceof CharacterCodingException) return "it is not UTF-8 text";
        if (e instanceof ClosedByInterruptException) return "it was interrupted";
        if (e instanceof ClosedChannelException) return "it was closed meanwhile";
        if (e instanceof UnknownHostException) return "the host " + said(e) + " is unknown: is there a network?";
        if (e instanceof ConnectException) return "no connection to the server";
        if (e instanceof HttpTimeoutException) return "the server did not answer in time";
        if (e instanceof InvalidPathException p) return of(p);
        if (e instanceof NumberFormatException) return "a number is malformed";
        Throwable cause = e.getCause();
        boolean wraps = cause != null && cause.toString().equals(e.getMessage());
        if (cause != null && (wraps || e instanceof UncheckedIOException && e.getMessage() == null)) return of(cause);
        return said(e);
    }

    private static String of(FileSystemException e) {
        if (e instanceof AccessDeniedException) return "permission denied";
        if (e instanceof NoSuchFileException) return "no such file";
        if (e instanceof NotDirectoryException) return "not a folder";
        if (e instanceof DirectoryNotEmptyException) return "the folder is not empty";
        if (e instanceof FileAlreadyExistsException) return "it exists already";
        if (e instanceof FileSystemLoopException) return "its links lead in a circle";
        return e.getReason() == null ? "the system does not say why" : system(e.getReason());
    }

    /** {@code java.io} puts the system's reason in brackets behind the file. */
    private static String of(FileNotFoundException e) {
        String said = String.valueOf(e.getMessage());
        int at = said.lastIndexOf('(');
        return at < 0 ? "no such file" : system(said.substring(at + 1).replace(")", ""));
    }

    private static String system(String reason) {
        String plain = Printable.line(reason, 200);
        return plain.isEmpty()
                ? "the system does not say why"
                : Character.toLowerCase(plain.charAt(0)) + plain.substring(1);
    }

    private static String of(InvalidPathException e) {
        if (e.getInput().indexOf('\0') >= 0) return "a file's name cannot hold the character 0";
        return "Java cannot name this file under the present locale; set LC_ALL=C.UTF-8 and start again";
    }

    private static String said(Throwable e) {
        String said = Printable.line(String.valueOf(e.getMessage()), 200);
        String plain = THROWABLE
                .matcher(TYPE.matcher(said).replaceAll(""))
                .replaceAll("")
                .strip();
        return plain.isEmpty() || plain.equals("null") ? "without an explanation" : plain;
    }
}
