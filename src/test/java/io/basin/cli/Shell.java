package io.basin.cli;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Supplier;
import picocli.CommandLine;

/** Runs commands as a user would and keeps what they print. */
public record Shell(int code, String out, String err) {
    static Shell run(Object... args) {
        return run(Main::commandLine, args);
    }

    /** The same of another command, which is made once there is somewhere to print. */
    static Shell run(Supplier<CommandLine> command, Object... args) {
        String[] words = new String[args.length];
        for (int i = 0; i < args.length; i++) words[i] = args[i].toString();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream oldOut = System.out;
        PrintStream oldErr = System.err;
        try {
            System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
            System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
            CommandLine line = command.get();
            line.setOut(new PrintWriter(System.out, true));
            line.setErr(new PrintWriter(System.err, true));
            int code = line.execute(words);
            Shell shell = new Shell(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
            MessageForm.check(shell.err);
            return shell;
        } finally {
            System.setOut(oldOut);
            System.setErr(oldErr);
        }
    }

    /** The one line that says what was wrong. */
    String complaint() {
        return err.lines()
                .filter(l -> l.startsWith("basin: "))
                .reduce((a, b) -> a + " | " + b)
                .orElse("nothing");
    }

    /** A folder with {@code train} and {@code test} learnable images in the format and under the names of MNIST. */
    public static Path grey(Path folder, int train, int test) {
        try {
            Files.createDirectories(folder);
            Dataset all = SyntheticSet.synthetic(train + test, 28, 28, 1, 10, 1);
            write(folder, "train", all, 0, train);
            write(folder, "t10k", all, train, test);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The first images of a real set in the same format. */
    static Path real(Path folder, TrainTest data, int train, int test) {
        try {
            Files.createDirectories(folder);
            write(folder, "train", data.train(), 0, train);
            write(folder, "t10k", data.test(), 0, test);
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path folder, String part, Dataset set, int from, int count) throws IOException {
        ByteBuffer images = ByteBuffer.allocate(16 + count * 784).putInt(0x803).putInt(count);
        images.putInt(28).putInt(28).put(set.pixels(), from * 784, count * 784);
        Files.write(folder.resolve(part + "-images-idx3-ubyte"), images.array());
        ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(0x801).putInt(count);
        for (int i = from; i < from + count; i++) labels.put((byte) set.labels()[i]);
        Files.write(folder.resolve(part + "-labels-idx1-ubyte"), labels.array());
    }
}
