package io.basin.torch;

import io.basin.Jvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A process that calls the main method of one program again and again, each time with other arguments. */
final class GoldenServer implements AutoCloseable {
    /** Begins the line that ends a run; native libraries may print others. */
    private static final String ENDED = "golden: ended with ";

    private final Class<?> program;
    private final Map<String, String> environment;
    private final Process process;
    private final BufferedReader answers;
    private final PrintStream orders;

    GoldenServer(Class<?> program, Map<String, String> environment) throws IOException {
        this.program = program;
        this.environment = environment;
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx2g",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                        GoldenServer.class.getName(),
                        program.getName())
                .redirectErrorStream(true);
        // Not as a flag: ONNX Runtime 1.29 dies where a process's command line exceeds 4096 characters.
        builder.environment().put("CLASSPATH", Jvm.classPath());
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.environment().put("OPENBLAS_NUM_THREADS", "1");
        builder.environment().putAll(environment);
        process = builder.start();
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        orders = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    }

    boolean serves(Class<?> wanted, Map<String, String> with) {
        return program == wanted && environment.equals(with) && process.isAlive();
    }

    /**
     * One run; what it prints goes into {@code log}.
     *
     * @throws IOException or {@link IllegalStateException} where it failed; the message says how it ended
     */
    void run(List<String> arguments, Path log, long timeoutSeconds) throws IOException {
        orders.println(log);
        orders.println(arguments.size());
        arguments.forEach(orders::println);
        try {
            String code = CompletableFuture.supplyAsync(this::answer).get(timeoutSeconds, TimeUnit.SECONDS);
            if (!code.equals("0")) throw new IllegalStateException("ended with " + code);
        } catch (TimeoutException e) {
            throw new IllegalStateException("ran out of time", e);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("was interrupted", e);
        }
    }

    private String answer() {
        List<String> other = new ArrayList<>();
        try {
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                if (line.startsWith(ENDED)) return line.substring(ENDED.length());
                other.add(line);
            }
            throw new IllegalStateException("died with " + process.waitFor() + ": " + String.join("\n", other));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("was interrupted", e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** The process's side: ends when nobody is there any more to give orders. */
    public static void main(String[] args) throws Exception {
        Method program = Class.forName(args[0]).getMethod("main", String[].class);
        PrintStream out = System.out;
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String log = in.readLine(); log != null; log = in.readLine()) {
            String[] arguments = new String[Integer.parseInt(in.readLine())];
            for (int i = 0; i < arguments.length; i++) arguments[i] = in.readLine();
            out.println(ENDED + run(program, arguments, Path.of(log)));
        }
        System.exit(0);
    }

    private static int run(Method program, String[] arguments, Path log) throws Exception {
        try (PrintStream said = new PrintStream(Files.newOutputStream(log), true, StandardCharsets.UTF_8)) {
            System.setOut(said);
            System.setErr(said);
            try {
                program.invoke(null, (Object) arguments);
                return 0;
            } catch (InvocationTargetException e) {
                e.getCause().printStackTrace(said);
                return 1;
            }
        }
    }
}
