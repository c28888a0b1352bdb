package io.basin.cli;

import io.basin.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The command line in a process of its own, as the shell starts it; what it says lies in files. */
public record Child(Process process, Path out, Path err) {
    /** @param place a folder for what it says */
    public static Child start(Path place, List<?> args) throws IOException {
        return start(place, Map.of(), args);
    }

    /** With more variables in its environment; in {@code place}, where runs without {@code --out} put their folders. */
    public static Child start(Path place, Map<String, String> environment, List<?> args) throws IOException {
        return start(place, List.of(), List.of(), environment, args);
    }

    /** Behind a program that starts it, and with more options of Java's; the latter may stand among {@code args} as -D too. */
    static Child start(
            Path place, List<String> before, List<String> java, Map<String, String> environment, List<?> args)
            throws IOException {
        List<String> command = new ArrayList<>(before);
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(java);
        args.stream().map(Object::toString).filter(a -> a.startsWith("-D")).forEach(command::add);
        String classPath = Jvm.classPath();
        command.addAll(List.of("-cp", classPath, Main.class.getName()));
        args.stream().map(Object::toString).filter(a -> !a.startsWith("-D")).forEach(command::add);
        Path out = Files.createTempFile(place, "out", ".txt");
        Path err = Files.createTempFile(place, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(place.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        return new Child(builder.start(), out, err);
    }

    /** Waits for its end. */
    public int code() throws InterruptedException {
        return process.waitFor();
    }

    public String said() throws IOException {
        return Files.readString(out);
    }

    public String complained() throws IOException {
        String said = Files.readString(err);
        MessageForm.check(said);
        return said;
    }
}
