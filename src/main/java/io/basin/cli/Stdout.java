package io.basin.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/**
 * Standard output that remembers why it could not be written: Java's own swallows that.
 *
 * <p>A command goes on all the same, since what it writes into files is whole; only its exit code tells.
 */
final class Stdout extends FilterOutputStream {
    private IOException failure;

    private Stdout(OutputStream out) {
        super(out);
    }

    /** Puts it in place of {@link System#out}. */
    static Stdout install() {
        Stdout out = new Stdout(new FileOutputStream(FileDescriptor.out));
        System.setOut(new Terminal(new BufferedOutputStream(out), Terminal.charset(), true));
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
        // No message: whoever closed the pipe wants no more.
        if (why.contains("Broken pipe")) return Exit.PIPE_CLOSED;
        if (code != Exit.OK) return code;
        System.err.println("basin: cannot write to stdout: " + why + "; what was to be printed is lost, so run it again"
                + " with stdout on a terminal or on a disk with space");
        return Exit.FAILED;
    }
}
